package tx_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

const (
	edKind   = accountv1.KeyKind_KEY_KIND_ED25519
	p256Kind = accountv1.KeyKind_KEY_KIND_P256
)

// source is n readings of the test key of a kind, signed for a network.
func source(t testing.TB, kind accountv1.KeyKind, key uint64, n int, network string) *streamv1.Source {
	t.Helper()
	secret, err := reading.Key(kind, txtest.Secret(key))
	if err != nil {
		t.Fatal(err)
	}
	public := txtest.Signer(kind, key).Key()
	device := public.Address()
	s := &streamv1.Source{Device: device[:], Kind: kind, PublicKey: public.Public}
	for i := range n {
		r := reading.Reading{Boot: 1, Sequence: uint64(i + 1), Feed: "speed", Unit: "km/h", Value: reading.Decimal{Mantissa: int64(i)}, Time: reading.MinTime}
		raw, err := reading.Sign(network, device, &r, secret)
		if err != nil {
			t.Fatal(err)
		}
		s.Readings = append(s.Readings, raw)
	}
	return s
}

// anchor is a transaction, signed by one gateway, of anchors of these sources.
func anchor(t testing.TB, anchors ...*streamv1.Anchor) ([]byte, error) {
	t.Helper()
	gateway := txtest.Ed25519(100)
	a := gateway.Key().Address()
	body := &txv1.Body{NotAfter: 1_762_000_000_000}
	for _, call := range anchors {
		body.Actions = append(body.Actions, &txv1.Action{Actor: a[:], Call: &txv1.Action_StreamAnchor{StreamAnchor: call}})
	}
	return tx.Sign(txtest.NetworkID, body, gateway)
}

func of(sources ...*streamv1.Source) *streamv1.Anchor { return &streamv1.Anchor{Sources: sources} }

func mustAnchor(t testing.TB, anchors ...*streamv1.Anchor) *tx.Tx {
	t.Helper()
	raw, err := anchor(t, anchors...)
	if err != nil {
		t.Fatal(err)
	}
	return mustDecode(t, raw)
}

func TestReadingsAreReadAndVerified(t *testing.T) {
	d := mustAnchor(t, of(source(t, edKind, 1, 5, txtest.NetworkID), source(t, p256Kind, 2, 3, txtest.NetworkID)), of(source(t, edKind, 1, 1, txtest.NetworkID)))
	if err := d.Verify(); err != nil {
		t.Fatal(err)
	}
	if len(d.Sources) != 3 || len(d.Sources[1].Readings) != 3 || d.Sources[1].Readings[2].Sequence != 3 || d.Sources[2].Action != 1 || d.Sources[0].Device != txtest.Ed25519(1).Key().Address() {
		t.Errorf("sources %+v", d.Sources)
	}
	if work := d.SignatureWork(); work != 1+5+5*3+1 {
		t.Errorf("signature work %d", work)
	}
	if plain := signedTransfers(t, 1)[0]; plain.Sources != nil {
		t.Error("a transfer with readings")
	}
}

// A reading that is not signed by the key, for this network, as it stands, spoils the transaction: alone, in a batch, of either kind.
func TestBadReadingsAreFound(t *testing.T) {
	other := "test-ff0102030405060708090a0b0c0d0e0f"
	for _, kind := range []accountv1.KeyKind{edKind, p256Kind} {
		good := mustAnchor(t, of(source(t, kind, 1, 4, txtest.NetworkID)))
		foreign := source(t, kind, 1, 4, txtest.NetworkID)
		foreign.Readings[2] = source(t, kind, 1, 4, other).Readings[2]
		swapped := source(t, kind, 1, 4, txtest.NetworkID)
		swapped.Device = source(t, kind, 3, 1, other).GetDevice()
		spoiled := source(t, kind, 1, 4, txtest.NetworkID)
		spoiled.Readings[2] = bytes.Clone(spoiled.Readings[2])
		spoiled.Readings[2][len(spoiled.Readings[2])-5] ^= 1
		bad := []*tx.Tx{mustAnchor(t, of(foreign)), mustAnchor(t, of(swapped)), mustAnchor(t, of(spoiled))}
		for i, d := range bad {
			checkBad(t, d.Verify(), i)
			batch := append(append(signedTransfers(t, 50), d, good), signedTransfers(t, 50)...)
			for _, errs := range [][]error{tx.VerifyAll(batch), tx.VerifyPrepared(batch, allKeys)} {
				checkBad(t, errs[50], i)
				errs[50] = nil
				if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
					t.Errorf("%s, case %d: others are refused too: %v", tx.KindName(kind), i, errs)
				}
			}
		}
	}
}

func checkBad(t *testing.T, err error, i int) {
	t.Helper()
	if fault.Code(err) != "tx.bad_signature" || !strings.Contains(fault.As(err).Message, fmt.Sprintf("reading %d of device 0x", []int{2, 0, 2}[i])) {
		t.Errorf("case %d: %v", i, err)
	}
}

func TestMalformedReadingsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *streamv1.Anchor)
		must   string
	}{
		"no source":         {func(a *streamv1.Anchor) { a.Sources = nil }, "no readings"},
		"no readings":       {func(a *streamv1.Anchor) { a.Sources[0].Readings = nil }, "without readings"},
		"device twice":      {func(a *streamv1.Anchor) { a.Sources[1].Device = a.Sources[0].Device }, "twice"},
		"short device":      {func(a *streamv1.Anchor) { a.Sources[1].Device = a.Sources[0].Device[:19] }, "source 1"},
		"no kind":           {func(a *streamv1.Anchor) { a.Sources[0].Kind = 0 }, "Ed25519 or P-256"},
		"secp256k1":         {func(a *streamv1.Anchor) { a.Sources[0].Kind = accountv1.KeyKind_KEY_KIND_SECP256K1 }, "not secp256k1"},
		"short key":         {func(a *streamv1.Anchor) { a.Sources[0].PublicKey = make([]byte, 31) }, "31"},
		"uncompressed":      {func(a *streamv1.Anchor) { a.Sources[1].PublicKey = append([]byte{4}, make([]byte, 32)...) }, "compressed"},
		"another algorithm": {func(a *streamv1.Anchor) { a.Sources[0].Readings = a.Sources[1].Readings }, "algorithm -7"},
		"broken reading":    {func(a *streamv1.Anchor) { a.Sources[0].Readings[1] = []byte{0xd2} }, "reading 1: The reading is not in the format"},
		"empty reading":     {func(a *streamv1.Anchor) { a.Sources[0].Readings[1] = nil }, "reading 1: The reading is not in the format"},
		"too many": {func(a *streamv1.Anchor) {
			for len(a.Sources[0].Readings) < tx.MaxReadings {
				a.Sources[0].Readings = append(a.Sources[0].Readings, a.Sources[0].Readings[0])
			}
		}, "more than 256"},
	} {
		a := of(source(t, edKind, 1, 2, txtest.NetworkID), source(t, p256Kind, 2, 1, txtest.NetworkID))
		c.change(a)
		_, err := anchor(t, a)
		if fault.Code(err) != "tx.malformed" || !strings.Contains(fault.As(err).Message, c.must) || !strings.Contains(fault.As(err).Message, "action 0") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What everybody has to verify for one transaction is bounded, and the bound fits a batch of consensus.
func TestSignatureWorkIsBounded(t *testing.T) {
	most := source(t, p256Kind, 1, 199, txtest.NetworkID)
	if work := mustAnchor(t, of(most)).SignatureWork(); work != 996 {
		t.Errorf("work %d", work)
	}
	if _, err := anchor(t, of(source(t, p256Kind, 1, 200, txtest.NetworkID))); fault.Code(err) != "tx.too_large" {
		t.Error(err)
	}
	full := source(t, edKind, 1, tx.MaxReadings, txtest.NetworkID)
	if err := mustAnchor(t, of(full), of(full), of(full)).Verify(); err != nil {
		t.Error(err)
	}
	if _, err := anchor(t, of(full), of(full), of(full), of(full)); fault.Code(err) != "tx.too_large" {
		t.Error(err)
	}
}

// Readings whose key is no point are refused by everybody, never accepted by a batch.
func TestReadingKeysThatAreNone(t *testing.T) {
	s := source(t, edKind, 1, 6, txtest.NetworkID)
	s.PublicKey = append([]byte{2}, make([]byte, 31)...)
	p := source(t, p256Kind, 1, 2, txtest.NetworkID)
	p.PublicKey = append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...)
	for _, bad := range []*streamv1.Source{s, p} {
		d := mustAnchor(t, of(bad))
		if err := d.Verify(); fault.Code(err) != "tx.bad_signature" {
			t.Error(err)
		}
	}
}

func TestAnchorsHaveOneEncoding(t *testing.T) {
	d := mustAnchor(t, of(source(t, edKind, 1, 2, txtest.NetworkID)))
	outer := &txv1.Transaction{}
	unmarshal(t, d.Raw, outer)
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(d.Body)
	if err != nil || !bytes.Equal(again, outer.GetNative().GetBody()) {
		t.Error("the body has another encoding", err)
	}
}

// BenchmarkVerifyReadings reports microseconds per reading, 256 to a transaction and 1 or 16 to a device.
func BenchmarkVerifyReadings(b *testing.B) {
	for _, devices := range []int{16, 256} {
		var sources []*streamv1.Source
		for i := range devices {
			sources = append(sources, source(b, edKind, uint64(i), tx.MaxReadings/devices, txtest.NetworkID))
		}
		d := mustAnchor(b, of(sources...))
		keys := kept{ed25519: map[[32]byte]tx.X{}}
		b.Run(fmt.Sprint(devices), func(b *testing.B) {
			for b.Loop() {
				fresh, err := tx.Decode(txtest.NetworkID, d.Raw, tx.MaxBytes)
				if err != nil {
					b.Fatal(err)
				}
				if err := tx.VerifyPrepared([]*tx.Tx{fresh}, keys)[0]; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/tx.MaxReadings, "µs/reading")
		})
	}
}
