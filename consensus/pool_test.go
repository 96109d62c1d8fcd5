package consensus

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// openRules let every key act for its own account.
type openRules struct{}

func (openRules) Authorise(*state.View, tx.Address, *txv1.Body, []tx.Key, int64) (bool, error) {
	return false, nil
}
func (openRules) Key(a tx.Address) []byte { return a[:] }
func (openRules) Parameters(state.Getter) *networkv1.Parameters {
	return &networkv1.Parameters{AppVersion: 1, MaxTxBytes: 1 << 16, MaxTxWork: 1 << 20, WindowMs: 120_000, OnceWindowMs: 120_000}
}
func (openRules) CountVoids(*state.View, tx.Address, uint64)       {}
func (openRules) Misbehaved(*state.View, exec.Misbehaviour, int64) {}
func (openRules) Members(state.Reader) []*networkv1.Member         { return nil }

// nothingBefore is a history without transactions.
type nothingBefore struct{}

func (nothingBefore) Outcome(uint64) (*ledgerv1.Outcome, error) {
	return nil, errors.New("no such outcome")
}
func (nothingBefore) Find([32]byte) (*ledgerv1.Outcome, bool, error) {
	return nil, false, nil
}

// testPool is a pool at a time when testTx's transactions have a minute left.
func testPool(t *testing.T) *Pool {
	t.Helper()
	p := newPool(testNetwork, NewVerifier(testNetwork), exec.Rules{Accounts: openRules{}, Network: openRules{}},
		slog.New(slog.NewTextHandler(io.Discard, nil)))
	p.now = func() time.Time { return time.UnixMilli(1_800_000_000_000 - 60_000) }
	tip := &Tip{tree: state.NewTree(), Parameters: openRules{}.Parameters(nil)}
	p.withTip = func(do func(*Tip)) { do(tip) }
	p.recent = func([32]byte, int64) (exec.Place, bool) { return exec.Place{}, false }
	p.past = nothingBefore{}
	p.undecided = func(Hash) bool { return false }
	p.ready = func() *fault.Error { return nil }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.verify(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

// A full pool says so, and when to come back; it never drops a transaction silently.
func TestFullPool(t *testing.T) {
	p := testPool(t)
	p.count = PoolTxs
	a := p.Submit(t.Context(), [][]byte{testTx(t, 1).Raw}, true)[0]
	if fault.Code(a.Refusal) != "pool.full" || !a.Retryable || a.RetryAfter <= 0 || a.ID != testTx(t, 1).ID {
		t.Errorf("answer %+v", a)
	}
	p.count = 0
	if a := p.Submit(t.Context(), [][]byte{testTx(t, 1).Raw}, false)[0]; a.Refusal != nil || p.Size() != 1 {
		t.Errorf("with room again: %+v, %d waiting", a, p.Size())
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	p := testPool(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := p.Submit(ctx, [][]byte{testTx(t, 1).Raw}, true)[0]
	if fault.Code(a.Refusal) != "tx.pending" || !a.Retryable {
		t.Errorf("answer %+v", a)
	}
}

// Every caller that waits for the same transaction is answered by the block that applies it, and a bad signature is
// answered at once.
func TestAnswers(t *testing.T) {
	p := testPool(t)
	good, bad := testTx(t, 1), append([]byte(nil), testTx(t, 2).Raw...)
	bad[len(bad)-1] ^= 1
	outcome := &ledgerv1.Outcome{Id: good.ID[:], Status: ledgerv1.Status_STATUS_OK}
	var applied atomic.Bool // one of the callers may come only after the block
	p.recent = func(id [32]byte, _ int64) (exec.Place, bool) { return exec.Place{}, applied.Load() && id == good.ID }
	p.past = pastOf{outcome: outcome}
	answers := make(chan Answer, 2)
	for range 2 {
		go func() { answers <- p.Submit(context.Background(), [][]byte{good.Raw}, true)[0] }()
	}
	if a := p.Submit(t.Context(), [][]byte{bad}, true)[0]; fault.Code(a.Refusal) != "tx.bad_signature" {
		t.Errorf("a bad signature: %+v", a)
	}
	within(t, "the transaction is not ready to be sealed", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.checked) == 1
	})
	applied.Store(true)
	p.decided(&exec.Result{Applied: []exec.Applied{{Outcome: outcome}}})
	for range 2 {
		if a := <-answers; a.Outcome != outcome {
			t.Errorf("answer %+v", a)
		}
	}
	if p.Size() != 0 || p.bytes != 0 {
		t.Errorf("%d transactions and %d bytes stay behind", p.Size(), p.bytes)
	}
}

// Another's copy of our transaction with bad witnesses is void; that says nothing about ours.
func TestOthersVoidCopies(t *testing.T) {
	p := testPool(t)
	ours := testTx(t, 1)
	p.Submit(t.Context(), [][]byte{ours.Raw}, false)
	refusal := fault.New("account.not_authorised", "no")
	p.decided(&exec.Result{Voids: []exec.Void{{ID: ours.ID, Hash: sha256.Sum256([]byte("another copy")), Refusal: refusal}}})
	if p.Size() != 1 {
		t.Fatal("ours was given up")
	}
	p.decided(&exec.Result{Voids: []exec.Void{{ID: ours.ID, Hash: ours.Hash, Refusal: refusal}}})
	if p.Size() != 0 {
		t.Error("ours was void and still waits")
	}
}

// What a batch that expired undecided held is sealed again, unless it has expired itself.
func TestSealedAgain(t *testing.T) {
	p := testPool(t)
	p.Submit(t.Context(), [][]byte{testTx(t, 1).Raw, testTx(t, 2).Raw}, false)
	var entries []*entry
	within(t, "nothing to seal", func() bool { entries = append(entries, p.ripe()...); return len(entries) == 2 })
	var sealed *batch
	s := &sealer{pool: p, member: testSealer, key: testNodeKey, publish: func(b *batch) error { sealed = b; return nil }}
	s.seal(entries)
	if len(sealed.txs) != 2 {
		t.Fatalf("sealed %d", len(sealed.txs))
	}
	p.unsealed(sealed, 1_800_000_000_000-1)
	again := p.ripe()
	if len(again) != 2 {
		t.Errorf("%d are sealed again", len(again))
	}
	s.seal(again)
	p.unsealed(sealed, 1_800_000_000_001)
	if p.Size() != 0 || fault.Code(entries[0].answer.Refusal) != "tx.expired" {
		t.Errorf("%d wait after they expired: %+v", p.Size(), entries[0].answer)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	p := testPool(t)
	one := testTx(t, 1)
	for range MaxBatchTxs + 1 {
		p.checked = append(p.checked, &entry{tx: one, done: make(chan struct{})})
	}
	if !p.full() || len(p.ripe()) != MaxBatchTxs || len(p.ripe()) != 1 || len(p.ripe()) != 0 {
		t.Error("batches are cut wrongly by count")
	}
	large := &tx.Tx{Raw: make([]byte, MaxBatchBytes/2)}
	p.checked = []*entry{{tx: large, done: make(chan struct{})}, {tx: large, done: make(chan struct{})}, {tx: large, done: make(chan struct{})}}
	if !p.full() || len(p.ripe()) != 2 || len(p.ripe()) != 1 {
		t.Error("batches are cut wrongly by bytes")
	}
}

func TestBatchesAreBoundedByWork(t *testing.T) {
	p := testPool(t)
	signers := []tx.Signer{txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 1), txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 2)}
	heavy := testTxBy(t, 1, signers...)
	for range MaxBatchWork/int(heavy.SignatureWork()) + 1 {
		p.checked = append(p.checked, &entry{tx: heavy})
	}
	if !p.full() {
		t.Error("more work than a batch may hold does not make one full")
	}
	work := uint64(0)
	for _, e := range p.ripe() {
		work += e.tx.SignatureWork()
	}
	if work > MaxBatchWork || len(p.ripe()) != 1 {
		t.Errorf("a batch of work %d", work)
	}
}

// A node that cannot have a transaction ordered says so and lets the client go elsewhere.
func TestNotReady(t *testing.T) {
	p := testPool(t)
	p.ready = func() *fault.Error { return fault.New("node.catching_up", "not yet") }
	a := p.Submit(t.Context(), [][]byte{testTx(t, 1).Raw}, true)[0]
	if fault.Code(a.Refusal) != "node.catching_up" || !a.Retryable || p.Size() != 0 {
		t.Errorf("answer %+v", a)
	}
}
