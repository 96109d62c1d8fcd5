package tx

import (
	"fmt"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

var actionTable = newTable((*txv1.Action)(nil).ProtoReflect().Descriptor(), 0)

// DecodeAction reads one serialised action that stands outside a body, such as in a proposal, by the rules of those inside: one encoding,
// no unknown field, an actor of 20 bytes, a call. Codes tx.malformed, tx.no_action.
func DecodeAction(raw []byte) (*txv1.Action, error) {
	if err := walk(actionTable, raw); err != nil {
		return nil, err
	}
	a := &txv1.Action{}
	if err := a.UnmarshalVT(raw); err != nil {
		return nil, malformed(actionTable, err.Error())
	}
	switch {
	case len(a.GetActor()) != len(Address{}):
		return nil, fault.New("tx.malformed", fmt.Sprintf("The action's actor has %d bytes; it must be 20, the address of the account that acts.%s",
			len(a.GetActor()), advice), "field", "actor", "bytes", len(a.GetActor()))
	case a.GetCall() == nil:
		return nil, fault.New("tx.no_action", "The action does not say what to do. Give it a call, or leave it out.")
	}
	return a, nil
}
