package exec

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"

	"github.com/transparency-dev/merkle/compact"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Block is a decided block. Height is one more than the last; Time is unix milliseconds and never goes back.
type Block struct {
	Height  int64
	Time    int64
	Batches []Batch
	// Misbehaviours are the evidence in the block, of validators that signed twice.
	Misbehaviours []Misbehaviour
}

// Batch is what one member sealed.
type Batch struct {
	Sealer tx.Address
	// Txs are well-formed and their signatures have been checked.
	Txs []*tx.Tx
	// Bad says why a batch that consensus let through is not applied, whatever its Txs; it counts as one void
	// transaction.
	Bad error
}

// Applied is one transaction that entered the history.
type Applied struct {
	Outcome *ledgerv1.Outcome
	// Leaf is the serialised outcome, the data of the history leaf.
	Leaf []byte
	// LeafHash is its RFC 6962 hash.
	LeafHash []byte
	Raw      []byte
	NotAfter int64
	once     bool
}

// Void is one transaction that left nothing.
type Void struct {
	ID, Hash [32]byte
	Position uint32
	Refusal  *fault.Error
}

// Result is what a block does, not yet adopted.
type Result struct {
	Height, Time int64
	Applied      []Applied
	Voids        []Void
	Changes      []state.Change
	Tree         *state.Tree
	StateRoot    [32]byte
	HistoryRoot  [32]byte
	HistorySize  uint64
	AppHash      [32]byte
	Validators   []ValidatorUpdate
	// Broken names faults of the software that refused a transaction, for the operator's log. Unlike all else it may
	// read differently on another node.
	Broken []string
	// Halt, if not nil, says why this binary cannot compute the block, which must not be adopted: another binary can.
	Halt *fault.Error

	before  *state.Tree
	history *compact.Range
}

// Execute runs a block on the ledger and returns what it does, changing nothing.
func (l *Ledger) Execute(b Block) *Result {
	txs := 0
	for _, batch := range b.Batches {
		txs += len(batch.Txs)
	}
	r := &run{
		ledger: l, block: b, view: state.NewView(l.tree),
		parameters: l.Parameters(), seq: l.history.End(),
		seen:   make(map[[32]byte]bool, txs),
		result: Result{Applied: make([]Applied, 0, txs)},
	}
	r.do = r.action
	r.view.Expect(2 * txs)
	r.misbehaviours()
	for _, batch := range b.Batches {
		r.batch(batch)
	}
	return r.finish()
}

// Commit adopts a result of Execute on the ledger as it is now. Any other is a fault of the program and panics.
func (l *Ledger) Commit(r *Result) {
	if r.Halt != nil {
		panic("exec: a block that this binary cannot compute was adopted: " + r.Halt.Message)
	}
	if r.before != l.tree {
		panic(fmt.Sprintf("exec: the result for block %d was computed before block %d was adopted", r.Height, l.height))
	}
	for _, a := range r.Applied {
		if !a.once {
			l.window.Add([32]byte(a.Outcome.GetId()), a.NotAfter, Place{r.Height, a.Outcome.GetPosition(), a.Outcome.GetSeq()})
		}
	}
	l.window.Prune(r.Time)
	l.height, l.time, l.tree, l.history = r.Height, r.Time, r.Tree, r.history
}

// run is one block being executed.
type run struct {
	ledger     *Ledger
	block      Block
	view       *state.View
	parameters *networkv1.Parameters
	seq        uint64
	position   uint32
	seen       map[[32]byte]bool
	needs      [][]byte // state keys of the transactions ahead
	do         Do
	ruled      []tx.Address // actors with rules, of the transaction being applied
	result     Result
}

func (r *run) batch(b Batch) {
	if b.Bad != nil {
		r.ledger.rules.Network.CountVoids(r.view, b.Sealer, 1)
		return
	}
	voids := uint64(0)
	for i, t := range b.Txs {
		if i%ahead == 0 {
			r.touch(b.Txs[i:min(i+ahead, len(b.Txs))])
		}
		if refusal := r.transaction(t); refusal != nil {
			r.result.Voids = append(r.result.Voids, Void{t.ID, t.Hash, r.position, refusal})
			voids++
		}
		r.position++
	}
	if voids > 0 {
		r.ledger.rules.Network.CountVoids(r.view, b.Sealer, voids)
	}
}

// ahead is for how many transactions at once that is looked for which they will most likely read.
const ahead = 32

// touch has the view look for what transactions will most likely read, all at once.
func (r *run) touch(txs []*tx.Tx) {
	r.needs = r.needs[:0]
	for _, t := range txs {
		for _, action := range t.Body.GetActions() {
			actor := tx.Address(action.GetActor())
			r.needs = append(r.needs, r.ledger.rules.Accounts.Key(actor))
			if h := r.ledger.handlers[reflect.TypeOf(action.GetCall())]; h.Needs != nil {
				r.needs = h.Needs(r.needs, actor, action.GetCall())
			}
		}
	}
	r.view.Touch(r.needs)
}

// transaction applies one transaction. A refusal makes it void.
func (r *run) transaction(t *tx.Tx) *fault.Error {
	if refusal := r.admissible(t); refusal != nil {
		return refusal
	}
	r.view.ResetWork()
	r.view.Spend(workOf(t))
	keys := t.Keys()
	end := r.authorise(t, keys)
	if end.refusal != nil && end.refusal.Code != codeFrozen {
		return end.refusal
	}
	if once := t.Body.GetOnce(); len(once) > 0 {
		r.view.Set(onceKey(tx.Address(t.Body.GetActions()[0].GetActor()), once), slices.Clone(t.ID[:]))
	}
	mark := r.view.Mark()
	if end.refusal == nil {
		end = r.actions(t, keys)
	}
	o := r.outcome(t, end)
	leaf, err := deterministic.Marshal(o)
	if err != nil {
		// Only text that is not UTF-8 cannot be written. Modules refuse it; one that lets it through is broken.
		r.view.Rollback(mark)
		o = r.outcome(t, ending{refusal: r.broken("outcome", err)})
		if leaf, err = deterministic.Marshal(o); err != nil {
			panic("exec: outcome: " + err.Error()) // it has no text but ours
		}
	}
	r.view.Settle()
	r.apply(t, o, leaf)
	return nil
}

// admissible checks the window, replay and once keys.
func (r *run) admissible(t *tx.Tx) *fault.Error {
	body, now := t.Body, r.block.Time
	if limit := r.parameters.GetMaxTxBytes(); uint64(len(t.Raw)) > uint64(limit) {
		return fault.New("tx.too_large", "the transaction is larger than the network allows; split it",
			"bytes", len(t.Raw), "limit", limit)
	}
	once := len(body.GetOnce()) > 0
	window := r.parameters.GetWindowMs()
	if once {
		window = r.parameters.GetOnceWindowMs()
	}
	if refusal := CheckTime(body.GetNotAfter(), now, window); refusal != nil {
		return refusal
	}
	if _, dup := r.ledger.window.Find(t.ID, body.GetNotAfter()); dup || r.seen[t.ID] {
		return duplicate(t.ID)
	}
	if once {
		if id, used := r.view.Get(onceKey(tx.Address(body.GetActions()[0].GetActor()), body.GetOnce())); used {
			return onceUsed(t.ID, id)
		}
	}
	return nil
}

// CheckTime refuses a transaction that has expired at time now or is valid further ahead than window; now and
// notAfter in unix milliseconds, window in milliseconds and not negative.
func CheckTime(notAfter, now, window int64) *fault.Error {
	switch {
	case notAfter < now:
		return fault.New("tx.expired", "the transaction expired before it was ordered; nothing of it happened; sign it again",
			"not_after", notAfter, "now", now)
	case uint64(notAfter)-uint64(now) > uint64(window): // unsigned, as the distance may be more than an int64 holds
		return fault.New("tx.too_far_ahead", "the transaction is valid further ahead than the network allows; sign it with a nearer not_after",
			"not_after", notAfter, "now", now, "window_ms", window)
	}
	return nil
}

func duplicate(id [32]byte) *fault.Error {
	return fault.New("tx.duplicate", "this transaction has been applied already; its outcome stands", "tx", hex.EncodeToString(id[:]))
}

func onceUsed(id [32]byte, first []byte) *fault.Error {
	if string(first) == string(id[:]) {
		return duplicate(id)
	}
	return fault.New("tx.once_used", "the actor has used this once key before; the first transaction's outcome stands",
		"tx", hex.EncodeToString(first))
}

func (r *run) finish() *Result {
	l, out := r.ledger, &r.result
	out.Height, out.Time, out.before = r.block.Height, r.block.Time, l.tree
	out.Halt = r.upgrade()
	out.Tree, out.Changes = l.tree.Update(r.view.Written())
	out.history = ranges.NewEmptyRange(0)
	if err := out.history.AppendRange(l.history, nil); err != nil {
		panic("exec: history: " + err.Error()) // ranges of one factory that meet
	}
	for _, a := range out.Applied {
		if err := out.history.Append(a.LeafHash, nil); err != nil {
			panic("exec: history: " + err.Error())
		}
	}
	out.HistorySize = out.history.End()
	out.StateRoot, out.HistoryRoot = out.Tree.Root(), historyRoot(out.history)
	out.AppHash = proof.AppHash(out.StateRoot, out.HistoryRoot)
	out.Validators = validatorUpdates(l.rules.Network.Members(l.tree), l.rules.Network.Members(out.Tree))
	return out
}
