package consensus

import (
	"context"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	cmttime "github.com/cometbft/cometbft/types/time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits of the pool: transactions of this node's clients that are not decided yet.
const (
	PoolTxs   = 50_000
	poolBytes = 48 << 20
	// retryAfter is what a client is told to wait when the pool is full: about the time to decide a block.
	retryAfter = 200 * time.Millisecond
	// admissionMargin keeps clear of the end of the window: block time lags behind this node's clock.
	admissionMargin = 5 * time.Second
)

// Answer is what became of a submitted transaction: an outcome, a refusal before ordering, or, without waiting,
// neither.
type Answer struct {
	ID      [32]byte
	Outcome *ledgerv1.Outcome
	Refusal *fault.Error
	// Retryable says that the same bytes may be sent again after RetryAfter.
	Retryable  bool
	RetryAfter time.Duration
}

// Past finds outcomes of earlier transactions.
type Past interface {
	// Outcome returns the outcome at a place in the history log.
	Outcome(seq uint64) (*ledgerv1.Outcome, error)
	// Find looks a transaction up by id among all there ever were.
	Find(id [32]byte) (*ledgerv1.Outcome, bool, error)
}

// entry is one transaction in the pool.
type entry struct {
	tx     *tx.Tx
	answer Answer
	done   chan struct{} // closed when answer is final
	batch  Hash          // the batch it is sealed in; none while it waits to be sealed
	again  bool          // it was void for a reason that has passed, and is sealed once more
}

func (e *entry) finished() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// Pool takes clients' transactions, has their signatures verified and passes the good ones on to be sealed.
type Pool struct {
	networkID string
	verifier  *Verifier
	rules     exec.Rules
	log       *slog.Logger
	now       func() time.Time // CometBFT's clock, which also times votes
	withTip   func(do func(*Tip))
	// ready says why this node cannot have transactions ordered just now.
	ready func() *fault.Error
	// recent finds where a transaction still in the replay window was applied.
	recent func(id [32]byte, notAfter int64) (exec.Place, bool)
	past   Past
	// undecided says whether a batch still waits to be decided.
	undecided func(Hash) bool

	mu      sync.Mutex
	entries map[[32]byte][]*entry // by id; more than one when witnesses differ
	count   int
	bytes   int
	unchecked,
	checked,
	held []*entry // sealed in a batch for which there was no room; they are sealed again after the next block
	wakeVerify, wakeSeal chan struct{}

	metrics *poolMetrics
	trail   *Trail
}

func newPool(networkID string, v *Verifier, rules exec.Rules, log *slog.Logger) *Pool {
	return &Pool{
		networkID: networkID, verifier: v, rules: rules, log: log, now: cmttime.Now,
		entries: map[[32]byte][]*entry{}, wakeVerify: make(chan struct{}, 1), wakeSeal: make(chan struct{}, 1),
	}
}

// Size is how many transactions wait.
func (p *Pool) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Submit takes signed transactions and returns one answer each, in order. With wait it returns when every one is
// decided or refused, or ctx ends: then an undecided one has code tx.pending and may be sent again unchanged.
func (p *Pool) Submit(ctx context.Context, raws [][]byte, wait bool) []Answer {
	began := time.Now()
	answers := make([]Answer, len(raws))
	waiting := make([]*entry, len(raws))
	txs := make([]*tx.Tx, 0, ahead)
	for i := range raws {
		if i%ahead == 0 {
			txs = p.decode(txs[:0], raws[i:min(i+ahead, len(raws))], answers[i:])
		}
		if t := txs[i%ahead]; t != nil {
			answers[i], waiting[i] = p.admit(t)
		}
	}
	wake(p.wakeVerify)
	p.metrics.admitted(answers)
	p.trail.received(waiting, began)
	if !wait {
		return answers
	}
	for i, e := range waiting {
		if e == nil {
			continue
		}
		select {
		case <-e.done:
			answers[i] = e.answer
		case <-ctx.Done():
			answers[i].Refusal = fault.New("tx.pending", "the transaction is not decided yet; send the same bytes again to learn its outcome",
				"tx", hex.EncodeToString(e.tx.ID[:]))
			answers[i].Retryable, answers[i].RetryAfter = true, retryAfter
		}
	}
	return answers
}

// ahead is how many transactions are decoded, and what they will read is looked for, before the first of them is admitted.
const ahead = 32

// decode appends a transaction for each of raws to txs: nil, and a refusal in answers, for what is none.
func (p *Pool) decode(txs []*tx.Tx, raws [][]byte, answers []Answer) []*tx.Tx {
	for i, raw := range raws {
		t, err := tx.Decode(p.networkID, raw, tx.MaxBytes)
		if err != nil {
			answers[i].Refusal = fault.As(err)
		}
		txs = append(txs, t)
	}
	p.withTip(func(tip *Tip) { p.rules.Foresee(tip.tree, txs) })
	return txs
}

// admit refuses what cannot succeed, answers what was applied already, and enters the rest.
func (p *Pool) admit(t *tx.Tx) (Answer, *entry) {
	a := Answer{ID: t.ID}
	if place, ok := p.recent(t.ID, t.Body.GetNotAfter()); ok {
		return p.earlier(a, func() (*ledgerv1.Outcome, bool, error) {
			outcome, err := p.past.Outcome(place.Seq)
			return outcome, err == nil, err
		}), nil
	}
	if e := p.waiting(t); e != nil { // also when its time is over by this clock: the ledger decides by the blocks'
		return a, e
	}
	if a.Refusal = p.ready(); a.Refusal != nil {
		a.Retryable, a.RetryAfter = true, retryAfter
		return a, nil
	}
	if a.Refusal = p.check(t); a.Refusal != nil {
		if code := a.Refusal.Code; code == "tx.expired" || code == "tx.duplicate" {
			if code == "tx.expired" { // before ordering nobody can say that nothing of it happened
				a.Refusal = fault.New(code, "the transaction's time is over, so it is not taken any more; unless it was applied before, sign it again",
					"not_after", t.Body.GetNotAfter())
			}
			a = p.earlier(a, func() (*ledgerv1.Outcome, bool, error) { return p.past.Find(t.ID) })
		}
		return a, nil
	}
	e := p.enter(t)
	if e == nil {
		a.Refusal = fault.New("pool.full", "this node has as many transactions waiting as it can hold; send it again in a moment",
			"waiting", PoolTxs)
		a.Retryable, a.RetryAfter = true, retryAfter
		return a, nil
	}
	p.recheck(e)
	return a, e
}

// recheck answers an entry whose transaction a block applied between the look into the window and the entering: that
// block answered before the entry was there.
func (p *Pool) recheck(e *entry) {
	place, ok := p.recent(e.tx.ID, e.tx.Body.GetNotAfter())
	if !ok {
		return
	}
	if outcome, err := p.past.Outcome(place.Seq); err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.finish(e, outcome, nil)
	}
}

// earlier answers with the outcome the transaction had before, if it had one.
func (p *Pool) earlier(a Answer, find func() (*ledgerv1.Outcome, bool, error)) Answer {
	outcome, found, err := find()
	switch {
	case err != nil:
		a.Refusal = fault.As(err)
	case found:
		a.Outcome, a.Refusal = outcome, nil
	}
	return a
}

// check refuses what the ledger would find void, so that it does not count against this member.
func (p *Pool) check(t *tx.Tx) (refusal *fault.Error) {
	p.withTip(func(tip *Tip) { refusal = p.checkAt(tip, t) })
	return refusal
}

func (p *Pool) checkAt(tip *Tip, t *tx.Tx) *fault.Error {
	if limit := tip.Parameters.GetMaxTxBytes(); uint64(len(t.Raw)) > uint64(limit) {
		return fault.New("tx.too_large", "the transaction is larger than the network allows; split it", "bytes", len(t.Raw), "limit", limit)
	}
	window := tip.Parameters.GetWindowMs()
	if len(t.Body.GetOnce()) > 0 {
		window = tip.Parameters.GetOnceWindowMs()
	}
	if refusal := exec.CheckTime(t.Body.GetNotAfter(), p.now().UnixMilli(), window-admissionMargin.Milliseconds()); refusal != nil {
		return refusal
	}
	return p.rules.Admit(tip.tree, tip.Parameters, t)
}

// waiting returns the entry of a transaction that is in the pool already, nil if it is not.
func (p *Pool) waiting(t *tx.Tx) *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.same(t)
}

// same is waiting for callers that hold mu.
func (p *Pool) same(t *tx.Tx) *entry {
	for _, e := range p.entries[t.ID] {
		if e.tx.Hash == t.Hash {
			return e
		}
	}
	return nil
}

// enter returns the entry of a transaction, a new one if it is not in the pool yet, or nil if the pool is full.
func (p *Pool) enter(t *tx.Tx) *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.same(t); e != nil {
		return e
	}
	if p.count >= PoolTxs || p.bytes+len(t.Raw) > poolBytes {
		return nil
	}
	e := &entry{tx: t, done: make(chan struct{}), answer: Answer{ID: t.ID}}
	p.entries[t.ID] = append(p.entries[t.ID], e)
	p.count++
	p.bytes += len(t.Raw)
	p.unchecked = append(p.unchecked, e)
	return e
}

// verify checks signatures of what has come in, until ctx ends. What arrives while a round is verified makes the
// next round: batches grow with load and a lone transaction does not wait.
func (p *Pool) verify(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wakeVerify:
		}
		for round := p.take(); len(round) > 0; round = p.take() {
			txs := make([]*tx.Tx, len(round))
			for i, e := range round {
				txs[i] = e.tx
			}
			errs := p.verifier.Signatures(txs)
			p.trail.checked(round, errs)
			p.judge(round, errs)
		}
	}
}

// take returns some chunks of unverified entries, or what there is.
func (p *Pool) take() []*entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for work := uint64(0); n < len(p.unchecked) && work < 2*chunk; n++ {
		work += max(1, p.unchecked[n].tx.SignatureWork()) // one without a witness costs a look
	}
	round := p.unchecked[:n:n]
	p.unchecked = p.unchecked[n:]
	if len(p.unchecked) == 0 {
		p.unchecked = nil
	}
	return round
}

func (p *Pool) judge(round []*entry, errs []error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range round {
		if errs[i] != nil {
			refusal := fault.As(errs[i])
			p.finish(e, nil, refusal)
			p.metrics.refusedLater(refusal.Code)
			continue
		}
		p.checked = append(p.checked, e)
	}
	wake(p.wakeSeal)
}

// finish answers those who wait for e and forgets it. The caller holds mu.
func (p *Pool) finish(e *entry, outcome *ledgerv1.Outcome, refusal *fault.Error) {
	if e.finished() {
		return
	}
	e.answer.Outcome, e.answer.Refusal = outcome, refusal
	close(e.done)
	p.count--
	p.bytes -= len(e.tx.Raw)
	rest := p.entries[e.tx.ID][:0]
	for _, other := range p.entries[e.tx.ID] {
		if other != e {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(p.entries, e.tx.ID)
	} else {
		p.entries[e.tx.ID] = rest
	}
}

// decided answers what a block applied or found void.
func (p *Pool) decided(r *exec.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		return
	}
	if len(p.held) > 0 {
		p.checked, p.held = append(p.checked, p.held...), nil
		wake(p.wakeSeal)
	}
	for i := range r.Applied {
		for _, e := range append([]*entry(nil), p.entries[[32]byte(r.Applied[i].Outcome.GetId())]...) {
			p.finish(e, r.Applied[i].Outcome, nil)
		}
	}
	for i := range r.Voids {
		v := &r.Voids[i]
		for _, e := range append([]*entry(nil), p.entries[v.ID]...) {
			if e.tx.Hash == v.Hash && !p.early(e, v) { // others' copies with other witnesses say nothing about ours
				p.finish(e, voidOutcome(v, r), nil)
			}
		}
	}
}

// hold keeps transactions of a batch that could not be put up for decision until the next block has made room.
func (p *Pool) hold(entries []*entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range entries {
		e.batch = Hash{}
	}
	p.held = append(p.held, entries...)
}

func voidOutcome(v *exec.Void, r *exec.Result) *ledgerv1.Outcome {
	return &ledgerv1.Outcome{
		Id: v.ID[:], TxHash: v.Hash[:], Height: r.Height, Position: v.Position, Time: r.Time,
		Status: ledgerv1.Status_STATUS_VOID, Refusal: exec.Refusal(v.Refusal, 0),
	}
}

// unsealed puts transactions of a batch that expired undecided back in line. Those past their own end are answered:
// a block later than it has been committed without them.
func (p *Pool) unsealed(b *batch, time int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range b.txs {
		for _, e := range append([]*entry(nil), p.entries[t.ID]...) {
			if e.batch != b.hash {
				continue
			}
			if refusal := exec.CheckTime(t.Body.GetNotAfter(), time, 1<<62); refusal != nil {
				p.finish(e, nil, refusal)
				p.metrics.refusedLater(refusal.Code)
				continue
			}
			e.batch = Hash{}
			p.checked = append(p.checked, e)
		}
	}
	wake(p.wakeSeal)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
