package consensus

import (
	"errors"
	"strings"
	"testing"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
)

// sealable submits transactions and waits until their signatures have been verified.
func sealable(t *testing.T, p *Pool, salts ...uint64) {
	t.Helper()
	for _, salt := range salts {
		p.Submit(t.Context(), [][]byte{testTx(t, salt).Raw}, false)
	}
	within(t, "the transactions are not verified", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.checked) == len(salts)
	})
}

func applied(t *testing.T, salt uint64) *exec.Result {
	t.Helper()
	id := testTx(t, salt).ID
	return &exec.Result{Applied: []exec.Applied{{Outcome: &ledgerv1.Outcome{Id: id[:], Status: ledgerv1.Status_STATUS_OK}}}}
}

// What another member's batch decided while it waited here is not sealed: it would be void and count against this member.
func TestDecidedElsewhereIsNotSealed(t *testing.T) {
	p := testPool(t)
	sealable(t, p, 1, 2)
	p.decided(applied(t, 1))
	if next := p.ripe(); len(next) != 1 || next[0].tx.ID != testTx(t, 2).ID {
		t.Errorf("%d to seal", len(next))
	}
}

// A batch for which there is no room comes back after the next block: nobody waits for ever.
func TestNoRoomForABatch(t *testing.T) {
	p := testPool(t)
	sealable(t, p, 1, 2)
	s := &sealer{pool: p, member: testSealer, key: testNodeKey, publish: func(*batch) error { return errors.New("full") }}
	s.seal(p.ripe())
	if again := p.ripe(); len(again) != 0 {
		t.Fatalf("%d are tried again at once", len(again))
	}
	p.decided(applied(t, 1))
	if again := p.ripe(); len(again) != 1 || p.Size() != 1 {
		t.Errorf("%d are sealed again, %d wait", len(again), p.Size())
	}
}

// pastOf is a history with one outcome.
type pastOf struct {
	nothingBefore
	outcome *ledgerv1.Outcome
}

func (p pastOf) Outcome(uint64) (*ledgerv1.Outcome, error) { return p.outcome, nil }

// A block that applies a transaction while a copy of it is being admitted answers the copy too.
func TestAppliedWhileAdmitted(t *testing.T) {
	p := testPool(t)
	r := applied(t, 1)
	p.past = pastOf{outcome: r.Applied[0].Outcome}
	looks := 0
	p.recent = func([32]byte, int64) (exec.Place, bool) {
		if looks++; looks == 1 { // the block comes after the first look and before the entering
			p.decided(r)
			return exec.Place{}, false
		}
		return exec.Place{}, true
	}
	if a := p.Submit(t.Context(), [][]byte{testTx(t, 1).Raw}, true)[0]; a.Outcome != r.Applied[0].Outcome || p.Size() != 0 {
		t.Errorf("answer %+v, %d wait", a, p.Size())
	}
}

// Sent again when its time is over by this node's clock, a transaction that still waits here is waited for: a block, whose
// time lags behind, may apply it. Of one that does not wait the pool does not say that nothing happened.
func TestExpiredByTheClockAlone(t *testing.T) {
	p := testPool(t)
	sealable(t, p, 1)
	p.now = func() time.Time { return time.UnixMilli(1_800_000_000_001) }
	if a := p.Submit(t.Context(), [][]byte{testTx(t, 1).Raw}, false)[0]; a.Refusal != nil {
		t.Errorf("refused while it waits: %v", a.Refusal)
	}
	a := p.Submit(t.Context(), [][]byte{testTx(t, 2).Raw}, false)[0]
	if fault.Code(a.Refusal) != "tx.expired" || strings.Contains(a.Refusal.Message, "nothing of it happened") {
		t.Errorf("answer %+v", a)
	}
}
