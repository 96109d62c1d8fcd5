package light_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client/light"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	verdictAccepted = byte(streamv1.Verdict_VERDICT_ACCEPTED) << 4
	verdictRange    = byte(streamv1.Verdict_VERDICT_QUARANTINED)<<4 | byte(streamv1.Reason_REASON_RANGE)
)

// anchoring is a chain whose fourth transaction anchored five readings of one device, the last of them quarantined, and the
// proof of the reading at index.
func anchoring(t testing.TB, index int) (*chain, *ledgerproof.Reading) {
	t.Helper()
	c := newChain(t, "anchoring", four, 4, nil)
	signer, err := reading.Key(accountv1.KeyKind_KEY_KIND_ED25519, digest("car"))
	if err != nil {
		t.Fatal(err)
	}
	account, err := tx.NewEd25519Signer(digest("car"))
	if err != nil {
		t.Fatal(err)
	}
	p := &ledgerproof.Reading{Device: account.Key().Address(), Key: account.Key(), Level: 1, Firmware: 7, Index: uint32(index), Size: 5}
	var leaves [][32]byte
	for i := range 5 {
		value, err := reading.NewDecimal(int64(875+i), -1)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := reading.Sign(c.network, p.Device, &reading.Reading{
			Boot: 1, Sequence: uint64(i + 1), Feed: "fleet.speed", Unit: "km/h", Value: value, Time: blockTime(3).UnixMilli() + int64(i),
		}, signer)
		if err != nil {
			t.Fatal(err)
		}
		verdict := verdictAccepted
		if i == 4 {
			verdict = verdictRange
		}
		leaves = append(leaves, merkle.LeafHash(reading.LeafData(p.Device, verdict, p.Level, p.Firmware, raw)))
		if i == index {
			p.Message, p.Verdict = raw, verdict
		}
	}
	root := reading.Root(leaves)
	p.Path = reading.Path(leaves, index)
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(c.leaves[3], o); err != nil {
		t.Fatal(err)
	}
	o.Events = []*ledgerv1.Event{{Kind: &ledgerv1.Event_StreamAnchored{StreamAnchored: &streamv1.Anchored{Root: root[:], Readings: 5, Accepted: 4, Quarantined: 1}}}}
	c.leaves[3] = marshal(t, o)
	c.block(5, nil)
	leaf := c.leaf(4, 5)
	leaf.Transaction = nil
	if p.Receipt, err = light.BuildReceipt(c, 0, 5, leaf); err != nil {
		t.Fatal(err)
	}
	return c, p
}

func encoded(t testing.TB, p *ledgerproof.Reading) []byte {
	t.Helper()
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadingIsProven(t *testing.T) {
	for index := range 5 {
		c, p := anchoring(t, index)
		v, err := c.anchor().VerifyReading(encoded(t, p))
		if err != nil {
			t.Fatal(index, err)
		}
		if v.Reading.Sequence != uint64(index+1) || v.Device != p.Device || v.Firmware != 7 || v.Level != devicev1.Level_LEVEL_SELF_REPORTED || !v.OwnKey ||
			v.Executed.UnixMilli() != blockTime(4).UnixMilli() || !bytes.Equal(v.Message, p.Message) {
			t.Errorf("reading %d: %+v", index, v)
		}
		want := "accepted"
		if index == 4 {
			want = "quarantined, range"
		}
		if v.Found() != want || !strings.Contains(v.String(), "87."+string(rune('5'+index))+` "km/h"`) || !strings.Contains(v.String(), "3 of 4 validators") {
			t.Errorf("reading %d:\n%s", index, v)
		}
	}
}

// Whatever is changed in the file, it proves nothing more.
func TestBrokenReadingProofs(t *testing.T) {
	c, p := anchoring(t, 4)
	for name, tc := range map[string]struct {
		change func(p *ledgerproof.Reading)
		code   string
	}{
		"verdict":           {func(p *ledgerproof.Reading) { p.Verdict = verdictAccepted }, "proof.not_anchored"},
		"firmware":          {func(p *ledgerproof.Reading) { p.Firmware++ }, "proof.not_anchored"},
		"level":             {func(p *ledgerproof.Reading) { p.Level++ }, "proof.not_anchored"},
		"device":            {func(p *ledgerproof.Reading) { p.Device[0]++ }, "proof.not_anchored"},
		"action":            {func(p *ledgerproof.Reading) { p.Action++ }, "proof.not_anchored"},
		"reading":           {func(p *ledgerproof.Reading) { p.Message[len(p.Message)-1]++ }, "proof.not_anchored"},
		"another key":       {func(p *ledgerproof.Reading) { p.Key.Public = digest("other") }, "reading.bad_signature"},
		"another kind":      {func(p *ledgerproof.Reading) { p.Key.Kind = accountv1.KeyKind_KEY_KIND_P256 }, "reading.bad_signature"},
		"another's receipt": {func(p *ledgerproof.Reading) { p.Receipt = c.receipt(2, 0, 5) }, "proof.not_anchored"},
		"a failed one's":    {func(p *ledgerproof.Reading) { p.Receipt = c.receipt(3, 0, 5) }, "proof.not_anchored"},
		"no receipt":        {func(p *ledgerproof.Reading) { p.Receipt = []byte("DURE") }, "proof.malformed"},
	} {
		q := *p
		q.Message = bytes.Clone(p.Message)
		tc.change(&q)
		_, err := c.anchor().VerifyReading(encoded(t, &q))
		if got := fault.Code(err); got != tc.code {
			t.Errorf("%s: %v, want code %s", name, err, tc.code)
		}
	}
	if _, err := newChain(t, "quiet", four, 2, nil).anchor().VerifyReading(encoded(t, p)); fault.Code(err) != "receipt.wrong_network" {
		t.Errorf("another network: %v", err)
	}
}

// FuzzVerifyReading: what is accepted is the one file that there is; anything else is refused with a code.
func FuzzVerifyReading(f *testing.F) {
	c, p := anchoring(f, 2)
	good, anchor := encoded(f, p), c.anchor()
	f.Add(good)
	f.Add(p.Receipt)
	f.Fuzz(func(t *testing.T, file []byte) {
		_, err := anchor.VerifyReading(file)
		if err != nil && fault.Code(err) == "" {
			t.Errorf("no code: %v", err)
		}
		if err == nil && !bytes.Equal(file, good) {
			t.Error("accepted a proof nobody made")
		}
	})
}
