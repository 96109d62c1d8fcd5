package consensus

import (
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// sealedOnce is a pool whose one transaction has been sealed in a batch that is decided.
func sealedOnce(t *testing.T) (*Pool, *sealer, *entry) {
	t.Helper()
	p := testPool(t)
	p.Submit(t.Context(), [][]byte{testTx(t, 1).Raw}, false)
	s := &sealer{pool: p, member: testSealer, key: testNodeKey, publish: func(*batch) error { return nil }}
	var entries []*entry
	within(t, "nothing to seal", func() bool { entries = p.ripe(); return len(entries) == 1 })
	s.seal(entries)
	return p, s, entries[0]
}

func voidOf(x *tx.Tx, code string) *exec.Result {
	return &exec.Result{Voids: []exec.Void{{ID: x.ID, Hash: x.Hash, Refusal: fault.New(code, "void")}}}
}

// A transaction that an old block time made void is sealed once more, and only once.
func TestSecondChance(t *testing.T) {
	p, s, e := sealedOnce(t)
	p.decided(voidOf(e.tx, "tx.too_far_ahead"))
	if e.finished() {
		t.Fatalf("answered %+v", e.answer)
	}
	again := p.ripe()
	if len(again) != 1 || again[0] != e {
		t.Fatalf("%d are sealed again", len(again))
	}
	s.seal(again)
	p.decided(voidOf(e.tx, "tx.too_far_ahead"))
	if !e.finished() || e.answer.Outcome.GetRefusal().GetCode() != "tx.too_far_ahead" || p.Size() != 0 || len(p.ripe()) != 0 {
		t.Errorf("a third chance: %+v", e.answer)
	}
}

// Other voids are final, and so is this one for a transaction that is too far ahead by this node's clock as well.
func TestNoSecondChance(t *testing.T) {
	p, _, e := sealedOnce(t)
	p.decided(voidOf(e.tx, "account.not_authorised"))
	if !e.finished() {
		t.Error("not authorised, and still waiting")
	}
	p, _, e = sealedOnce(t)
	early := p.now().Add(-10 * time.Minute)
	p.now = func() time.Time { return early }
	p.decided(voidOf(e.tx, "tx.too_far_ahead"))
	if !e.finished() {
		t.Error("too far ahead by every clock, and still waiting")
	}
}

// A void copy in another member's batch does not put ours in line twice: it is in a batch that waits, or in line.
func TestSecondChanceIsNotSealedTwice(t *testing.T) {
	p, _, e := sealedOnce(t)
	p.undecided = func(h Hash) bool { return h == e.batch }
	p.decided(voidOf(e.tx, "tx.too_far_ahead"))
	if e.finished() || len(p.ripe()) != 0 {
		t.Error("sealed again while its batch waits to be decided")
	}
}
