package exec

import (
	"fmt"
	"reflect"

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

// authorise checks that the witnesses may act for every actor. account.frozen is a failure; any other refusal makes
// the transaction void.
func (r *run) authorise(t *tx.Tx) *fault.Error {
	if err := t.CheckPolicy(tx.Rules{RPID: r.parameters.GetRpId(), Origins: r.parameters.GetOrigins()}); err != nil {
		return fault.As(err)
	}
	keys := t.Keys()
	var frozen *fault.Error
	var last tx.Address
	for i, action := range t.Body.GetActions() {
		actor := tx.Address(action.GetActor())
		if i > 0 && actor == last {
			continue
		}
		last = actor
		if err := r.ledger.rules.Accounts.Authorise(r.view, actor, keys); err != nil {
			refusal := fault.As(err)
			if refusal.Code != codeFrozen {
				return refusal
			}
			if frozen == nil {
				frozen = refusal
			}
		}
	}
	return frozen
}

// actions runs all actions of a transaction or undoes them.
func (r *run) actions(c *Context, t *tx.Tx) *fault.Error {
	mark := r.view.Mark()
	for i, action := range t.Body.GetActions() {
		c.Action, c.Actor = uint32(i), tx.Address(action.GetActor())
		r.view.Spend(workAction)
		err := r.call(c, action.GetCall())
		if used, limit := r.view.Work(), r.parameters.GetMaxTxWork(); err == nil && used > limit {
			err = fault.New("tx.too_much_work", "the transaction needs more work than the network allows; split it",
				"work", used, "limit", limit)
		}
		if err != nil {
			r.view.Rollback(mark)
			return fault.As(err)
		}
	}
	return nil
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
			err = fault.New("internal", "the module "+h.Name+" broke off; this is a fault of the software, please report it")
		}
	}()
	return h.Run(c, call)
}
