package exec

import (
	"encoding/hex"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Block is a decided block. Height is one more than the last; Time is unix milliseconds and never goes back.
type Block struct {
	Height  int64
	Time    int64
	Batches []Batch
}

// Batch is what one member sealed.
type Batch struct {
	Sealer tx.Address
	// Txs are well-formed and their signatures have been checked.
	Txs []*tx.Tx
	// Bad says why a batch that consensus let through is not applied; it counts as one void transaction.
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

// ValidatorUpdate is a key whose voting power changed.
type ValidatorUpdate struct {
	Key   []byte
	Power int64
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

	history *compact.Range
}

// Execute runs a block on the ledger and returns what it does, changing nothing.
func (l *Ledger) Execute(b Block) *Result {
	r := &run{
		ledger: l, block: b, view: state.NewView(l.tree),
		parameters: l.Parameters(), seq: l.history.End(),
		seen: map[[32]byte]bool{},
	}
	for _, batch := range b.Batches {
		r.batch(batch)
	}
	return r.finish()
}

// Commit adopts a result of Execute.
func (l *Ledger) Commit(r *Result) {
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
	result     Result
}

func (r *run) batch(b Batch) {
	voids := uint64(0)
	if b.Bad != nil {
		voids = 1
	}
	for _, t := range b.Txs {
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

// transaction applies one transaction. A refusal makes it void.
func (r *run) transaction(t *tx.Tx) *fault.Error {
	if refusal := r.admissible(t); refusal != nil {
		return refusal
	}
	r.view.ResetWork()
	r.view.Spend(workOf(t))
	failure := r.authorise(t)
	if failure != nil && failure.Code != codeFrozen {
		return failure
	}
	if once := t.Body.GetOnce(); len(once) > 0 {
		r.view.Set(onceKey(tx.Address(t.Body.GetActions()[0].GetActor()), once), slices.Clone(t.ID[:]))
	}
	c := &Context{View: r.view, Height: r.block.Height, Time: r.block.Time, Tx: t.ID, keys: t.Keys()}
	if failure == nil {
		failure = r.actions(c, t)
	}
	r.apply(c, t, failure)
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

// CheckTime refuses a transaction that has expired at time now or is valid further ahead than window; all in unix
// milliseconds.
func CheckTime(notAfter, now, window int64) *fault.Error {
	switch {
	case notAfter < now:
		return fault.New("tx.expired", "the transaction expired before it was ordered; nothing of it happened; sign it again",
			"not_after", notAfter, "now", now)
	case notAfter-now > window:
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

// apply gives the transaction its place in the history.
func (r *run) apply(c *Context, t *tx.Tx, failure *fault.Error) {
	o := &ledgerv1.Outcome{
		Id: slices.Clone(t.ID[:]), TxHash: slices.Clone(t.Hash[:]), Seq: r.seq, Height: r.block.Height, Position: r.position,
		Time: r.block.Time, Status: ledgerv1.Status_STATUS_OK, Work: r.view.Work(),
	}
	if failure != nil {
		o.Status, o.Refusal = ledgerv1.Status_STATUS_FAILED, Refusal(failure, c.Action)
	} else {
		o.Events = c.events
	}
	leaf, err := proto.MarshalOptions{Deterministic: true}.Marshal(o)
	if err != nil {
		panic("exec: outcome: " + err.Error()) // only invalid UTF-8 could; fault and modules refuse it
	}
	r.seq++
	r.seen[t.ID] = true
	r.result.Applied = append(r.result.Applied, Applied{
		Outcome: o, Leaf: leaf, LeafHash: rfc6962.DefaultHasher.HashLeaf(leaf), Raw: t.Raw,
		NotAfter: t.Body.GetNotAfter(), once: len(t.Body.GetOnce()) > 0,
	})
}

// Refusal is the wire form of a fault.
func Refusal(f *fault.Error, action uint32) *ledgerv1.Refusal {
	out := &ledgerv1.Refusal{Code: f.Code, Message: f.Message, Action: action}
	for _, field := range f.Fields {
		out.Fields = append(out.Fields, &ledgerv1.Field{Name: field.Name, Value: field.Value})
	}
	return out
}

func (r *run) finish() *Result {
	l, out := r.ledger, &r.result
	out.Height, out.Time = r.block.Height, r.block.Time
	out.Changes = r.view.Changes()
	out.Tree = l.tree.Apply(out.Changes)
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
	out.AppHash = AppHash(out.StateRoot, out.HistoryRoot)
	out.Validators = validatorUpdates(l.rules.Network.Members(l.tree), l.rules.Network.Members(out.Tree))
	return out
}

// validatorUpdates compares the validators before and after, in order of the new members, then of those gone.
func validatorUpdates(before, after []*networkv1.Member) []ValidatorUpdate {
	var out []ValidatorUpdate
	power := func(members []*networkv1.Member, key []byte) int64 {
		for _, m := range members {
			if string(m.GetValidatorKey()) == string(key) {
				return m.GetPower()
			}
		}
		return 0
	}
	for _, m := range after {
		if m.GetPower() != power(before, m.GetValidatorKey()) {
			out = append(out, ValidatorUpdate{m.GetValidatorKey(), m.GetPower()})
		}
	}
	for _, m := range before {
		if m.GetPower() > 0 && !slices.ContainsFunc(after, func(n *networkv1.Member) bool {
			return string(n.GetValidatorKey()) == string(m.GetValidatorKey())
		}) {
			out = append(out, ValidatorUpdate{m.GetValidatorKey(), 0})
		}
	}
	return out
}
