package exec

import (
	"fmt"
	"reflect"
	"slices"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const codeFrozen = "account.frozen"

// What a transaction costs before its actions run, in units of work.
const (
	workTx        = 100
	workSignature = 50
	workAction    = 20
)

func workOf(t *tx.Tx) uint64 {
	return workTx + workSignature*t.SignatureWork() + uint64(len(t.Raw))/32
}

// ending is how a transaction that may be applied ended: what its actions left behind or, with a refusal, nothing.
type ending struct {
	events  []*ledgerv1.Event
	refusal *fault.Error
	// action is the index of the action refused.
	action uint32
}

// authorise checks that the keys may act for every actor. account.frozen is a failure, of the actor's first action that is not for
// the frozen too; any other refusal makes the transaction void.
func (r *run) authorise(t *tx.Tx, keys []tx.Key) ending {
	if err := t.CheckPolicy(tx.Rules{RPID: r.parameters.GetRpId(), Origins: r.parameters.GetOrigins()}); err != nil {
		return ending{refusal: fault.As(err)}
	}
	var end ending
	r.ruled, end.action, end.refusal = r.ledger.rules.Authorise(r.view, t.Body, keys, r.block.Time, r.ledger.whileFrozen)
	return end
}

// whileFrozen says of an action, given its call, whether a frozen account may do it.
func (l *Ledger) whileFrozen(call any) bool { return l.handlers[reflect.TypeOf(call)].WhileFrozen }

// actions runs all actions of a transaction or undoes them.
func (r *run) actions(t *tx.Tx, keys []tx.Key) ending {
	mark := r.view.Mark()
	var events []*ledgerv1.Event
	for i, action := range t.Body.GetActions() {
		// Each action has a context of its own, as events may keep slices of its Actor.
		c := &Context{
			View: r.view, Network: t.NetworkID(), Height: r.block.Height, Time: r.block.Time, Tx: t.ID,
			Actor: tx.Address(action.GetActor()), Action: uint32(i), Sources: tx.SourcesOf(t.Sources, i), keys: keys, events: events, do: r.do,
		}
		c.Ruled = len(r.ruled) > 0 && slices.Contains(r.ruled, c.Actor)
		if err := r.do(c, action.GetCall()); err != nil {
			r.view.Rollback(mark)
			return ending{refusal: fault.As(err), action: uint32(i)}
		}
		events = c.events
	}
	return ending{events: events}
}

// action runs one action, within the work that the network allows a transaction.
func (r *run) action(c *Context, call any) error {
	r.view.Spend(workAction)
	err := r.call(c, call)
	if used, limit := r.view.Work(), r.parameters.GetMaxTxWork(); err == nil && used > limit {
		err = fault.New("tx.too_much_work", "the transaction needs more work than the network allows; split it",
			"work", used, "limit", limit)
	}
	return err
}

// call runs one action. A panic in a module is a fault of ours; it refuses the transaction on every validator alike
// rather than stop the ledger.
func (r *run) call(c *Context, call any) (err error) {
	h, ok := r.ledger.handlers[reflect.TypeOf(call)]
	if !ok || h.Since > r.parameters.GetAppVersion() {
		return fault.New("tx.unsupported", "this network does not know the action yet; its members must upgrade first",
			"action", fmt.Sprintf("%T", call), "app_version", r.parameters.GetAppVersion())
	}
	defer func() {
		if p := recover(); p != nil {
			err = r.broken(h.Name, p)
		}
	}()
	return h.Run(c, call)
}

// broken notes a fault of the software and says so to those who sent the transaction. What went wrong stays out of
// the outcome: nobody promises that it reads the same on every validator.
func (r *run) broken(where string, what any) *fault.Error {
	r.result.Broken = append(r.result.Broken, fmt.Sprintf("%s: %v", where, what))
	return fault.New("internal", "the ledger's software broke off in "+where+"; nothing of the transaction happened; "+
		"please report it to the network's members")
}
