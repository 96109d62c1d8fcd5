package light_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client/light"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
)

// The sets that the tests' changing network goes through.
var (
	second = []validator{{"amber", 10}, {"birch", 10}, {"elm", 25}, {"fern", 5}}
	third  = []validator{{"elm", 25}, {"fern", 5}, {"gorse", 20}}
)

// changing is a network whose validators change in headers 4 and 5, one right after the other, and in 9.
func changing(t testing.TB) *chain {
	return newChain(t, "changing", four, 12, map[int64][]validator{4: second, 5: third, 9: four})
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := fault.Code(err); got != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func TestReceiptFromGenesis(t *testing.T) {
	c := newChain(t, "quiet", four, 8, nil)
	v, err := c.anchor().VerifyReceipt(c.receipt(2, 0, 7))
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK() || v.Height != 7 || v.Signatures != 3 || v.Validators != 4 || v.Power != 30 || v.TotalPower != 40 || v.Changes != 0 {
		t.Errorf("verified %+v", v)
	}
	if !v.Basis.Genesis || v.Basis.Validators != 4 || !v.Time.Equal(blockTime(7)) || v.Executed.UnixMilli() != blockTime(2).UnixMilli() {
		t.Errorf("rests on %+v at %v", v.Basis, v.Time)
	}
	if sha256.Sum256(v.Transaction) != v.TxHash || v.Outcome.GetEvents()[0].GetAssetMoved().GetAmount() != "25" {
		t.Errorf("wrong transaction or events: %v", v.Outcome)
	}
	for _, words := range []string{"genesis keys of 4 validators", "3 of 4 validators with 30 of 40 power", "block 2"} {
		if !strings.Contains(v.String(), words) {
			t.Errorf("%q is not in:\n%s", words, v)
		}
	}
}

func TestReceiptOverChanges(t *testing.T) {
	c := changing(t)
	for height := int64(3); height <= 12; height++ {
		for trusted := int64(1); trusted <= height; trusted++ {
			anchor := c.anchor()
			if trusted > 1 {
				var err error
				if anchor, err = light.FromCheckpoint(c.checkpoint(0, trusted), ledgerproof.Policy{}); err != nil {
					t.Fatal(err)
				}
			}
			v, err := anchor.VerifyReceipt(c.receipt(2, trusted, height))
			if err != nil {
				t.Fatalf("from %d to %d: %v", trusted, height, err)
			}
			if n, _ := c.ChangeHeights(trusted, height); v.Changes != len(n) {
				t.Errorf("from %d to %d: %d changes, want %d", trusted, height, v.Changes, len(n))
			}
		}
	}
}

func TestReceiptWithoutTransaction(t *testing.T) {
	c := newChain(t, "quiet", four, 8, nil)
	leaf := c.leaf(3, 8)
	leaf.Transaction = nil
	file, err := light.BuildReceipt(c, 0, 8, leaf)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.anchor().VerifyReceipt(file)
	if err != nil {
		t.Fatal(err)
	}
	if v.Transaction != nil || v.TxHash != sha256.Sum256(c.txs[2]) || v.OK() || !strings.Contains(v.String(), "asset.insufficient_balance") {
		t.Errorf("verified:\n%s", v)
	}
}

// deepReceipt is a receipt in a log of a thousand million leaves.
func deepReceipt(t testing.TB) (*chain, []byte) {
	c := newChain(t, "deep", four, 3, nil)
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(c.leaves[0], o); err != nil {
		t.Fatal(err)
	}
	o.Seq = 543_210_987
	leaf := light.Leaf{Transaction: c.txs[0], Outcome: marshal(t, o), Size: 1_000_000_000, StateRoot: c.tree.Root()}
	for i := range 30 {
		leaf.Path = append(leaf.Path, [32]byte(digest("sibling", i)))
	}
	root, err := ledgerproof.PathRoot(merkle.LeafHash(leaf.Outcome), o.Seq, leaf.Size, leaf.Path)
	if err != nil {
		t.Fatal(err)
	}
	hash := ledgerproof.AppHash(leaf.StateRoot, ledgerproof.HistoryRoot(leaf.Size, root))
	c.headers[2].AppHash = hash[:]
	c.commits[2] = c.sign(c.headers[2], c.sets[2], everyone)
	file, err := light.BuildReceipt(c, 0, 3, leaf)
	if err != nil {
		t.Fatal(err)
	}
	return c, file
}

func TestReceiptIsSmall(t *testing.T) {
	c, file := deepReceipt(t)
	if _, err := c.anchor().VerifyReceipt(file); err != nil {
		t.Fatal(err)
	}
	if len(file) >= 4096 {
		t.Errorf("%d bytes, want fewer than 4096", len(file))
	}
	t.Logf("%d bytes with four validators and 10^9 outcomes", len(file))
}

// TestEveryByteCounts changes every byte of receipts in two ways, cuts them at every length and lengthens them.
func TestEveryByteCounts(t *testing.T) {
	quiet, moved := newChain(t, "quiet", four, 8, nil), changing(t)
	files := map[string]struct {
		anchor *light.Anchor
		file   []byte
	}{
		"quiet":    {quiet.anchor(), quiet.receipt(2, 0, 7)},
		"refused":  {quiet.anchor(), quiet.receipt(3, 0, 8)},
		"changing": {moved.anchor(), moved.receipt(2, 0, 12)},
	}
	for name, f := range files {
		t.Run(name, func(t *testing.T) {
			for i := range f.file {
				for _, mask := range []byte{0x01, 0xff} {
					bad := bytes.Clone(f.file)
					bad[i] ^= mask
					if _, err := f.anchor.VerifyReceipt(bad); err == nil {
						t.Errorf("accepted with byte %d changed by %#x", i, mask)
					} else if fault.Code(err) == "" {
						t.Errorf("byte %d: no code: %v", i, err)
					}
				}
				if _, err := f.anchor.VerifyReceipt(f.file[:i]); err == nil {
					t.Errorf("accepted when cut to %d bytes", i)
				}
			}
			_, err := f.anchor.VerifyReceipt(append(bytes.Clone(f.file), 0))
			wantCode(t, err, "proof.malformed")
		})
	}
}

func TestRefresh(t *testing.T) {
	c := changing(t)
	anchor := c.anchor()
	old, err := anchor.VerifyReceipt(c.receipt(2, 0, 6))
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := anchor.VerifyCheckpoint(c.checkpoint(0, 10), ledgerproof.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	newer := checkpoint.Anchor()
	if _, err := newer.VerifyReceipt(c.receipt(2, 0, 6)); fault.Code(err) != "proof.before_anchor" {
		t.Errorf("an older receipt from a newer checkpoint: %v", err)
	}
	fresh, err := newer.VerifyReceipt(c.receipt(2, newer.Height(), 10))
	if err != nil {
		t.Fatal(err)
	}
	if err := light.SameOutcome(old, fresh); err != nil {
		t.Error(err)
	}
	if !strings.Contains(fresh.String(), "verified from the genesis keys of 4 validators") {
		t.Errorf("rests on %s", fresh.Basis)
	}
	other, err := newer.VerifyReceipt(c.receipt(4, newer.Height(), 10))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, light.SameOutcome(old, other), "receipt.other_transaction")
	lie := *old
	lie.Serialised = append(bytes.Clone(old.Serialised), 0)
	wantCode(t, light.SameOutcome(old, &lie), "receipt.contradiction")
}

// TestHeadersAreCometBFTs makes sure that the tests' network is one CometBFT itself believes.
func TestHeadersAreCometBFTs(t *testing.T) {
	c := changing(t)
	for i, h := range c.headers {
		if err := h.ValidateBasic(); err != nil {
			t.Fatal(err)
		}
		if err := c.commits[i].ValidateBasic(); err != nil {
			t.Fatal(err)
		}
		if err := c.sets[i].VerifyCommit(c.network, c.commits[i].BlockID, h.Height, c.commits[i]); err != nil {
			t.Fatal(err)
		}
	}
}
