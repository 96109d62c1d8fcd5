package exec

import (
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Foresee reads what Admit will read for these transactions, all at once, so that it lies in the processor's caches then: in a large state one after the
// other would wait for memory. A nil one is passed over.
func (rules Rules) Foresee(tree *state.Tree, txs []*tx.Tx) {
	var keys [][]byte
	for _, t := range txs {
		if t == nil {
			continue
		}
		for _, action := range t.Body.GetActions() {
			keys = append(keys, rules.Accounts.Key(tx.Address(action.GetActor())))
		}
	}
	tree.Touch(keys)
}

// Admit says before ordering whether a transaction would be void by authority or a used once key in the state given,
// or is one that this binary should not take. The parameters are the network's in that state.
// A nil answer promises nothing: the state may change before the transaction is ordered. Who is frozen is let in, to fail on the record.
func (rules Rules) Admit(tree *state.Tree, parameters *networkv1.Parameters, t *tx.Tx) *fault.Error {
	r := &run{ledger: &Ledger{rules: rules}, view: state.NewView(tree), parameters: parameters}
	if once := t.Body.GetOnce(); len(once) > 0 {
		if id, used := tree.Get(onceKey(tx.Address(t.Body.GetActions()[0].GetActor()), once)); used {
			return onceUsed(t.ID, id)
		}
	}
	for _, m := range rules.Modules {
		if s, ok := m.(Screener); ok {
			for _, action := range t.Body.GetActions() {
				if refusal := s.Screen(tree, action.GetCall()); refusal != nil {
					return refusal
				}
			}
		}
	}
	if refusal := r.authorise(t, t.Keys()).refusal; refusal != nil && refusal.Code != codeFrozen {
		return refusal
	}
	return nil
}
