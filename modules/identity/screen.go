package identity

import (
	"errors"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

// Screen implements exec.Screener: a member's own node takes nothing with text where only names and choices belong. The ledger refuses it as well, but
// what it refuses stays in the history with all that was written in it, and somebody who mistakes a field for another may write there what is personal.
// Codes as those of the actions.
func (m *Module) Screen(g state.Getter, call any) *fault.Error {
	var refusal *fault.Error
	if err := screen(g, call); errors.As(err, &refusal) {
		return refusal
	}
	return nil
}

func screen(g state.Getter, call any) error {
	switch c := call.(type) {
	case *txv1.Action_IdentityAdmit:
		return screenAdmit(c.IdentityAdmit)
	case *txv1.Action_IdentityDescribe:
		return checkContact(c.IdentityDescribe.GetContact())
	case *txv1.Action_IdentityRegisterSchema:
		s := c.IdentityRegisterSchema
		return checkSchema(s.GetSchema(), &identityv1.Schema{TitleKo: s.GetTitleKo(), TitleEn: s.GetTitleEn(), Digest: s.GetDigest(), Fields: s.GetFields()})
	case *txv1.Action_IdentityDelegate:
		return known(c.IdentityDelegate.GetSchema())
	case *txv1.Action_IdentityRevoke:
		return known(c.IdentityRevoke.GetSchema())
	case *txv1.Action_IdentityAttest:
		return screenFact(g, c.IdentityAttest.GetSchema(), c.IdentityAttest.GetValue())
	case *txv1.Action_IdentityWithdraw:
		return screenFact(g, c.IdentityWithdraw.GetSchema(), c.IdentityWithdraw.GetValue())
	case *txv1.Action_IdentitySetService:
		return checkService(c.IdentitySetService.GetService())
	case *txv1.Action_NetworkPropose:
		return screenDecision(c.NetworkPropose.GetChange())
	}
	return nil
}

func screenDecision(change *networkv1.Change) error {
	switch d := change.GetIdentity().GetKind().(type) {
	case *identityv1.Decision_Admit:
		return screenAdmit(d.Admit)
	case *identityv1.Decision_Give:
		return known(d.Give.GetSchema())
	case *identityv1.Decision_Revoke:
		return known(d.Revoke.GetSchema())
	}
	return nil
}

func screenAdmit(call *identityv1.Admit) error {
	return checkOrganisation(call.GetName(), call.GetKind(), call.GetContact())
}

// known refuses what can be no schema's name. Whether there is one the ledger finds: it may be registered by the same transaction.
func known(schema string) error {
	if !isName(schema, MaxSchema, "-._") {
		return unknownSchema(schema)
	}
	return nil
}

func screenFact(g state.Getter, schema, value string) error {
	if err := known(schema); err != nil {
		return err
	}
	s, ok := schemas.Get(g, schema)
	if ok && isFact(s, value) || !ok && (value == "" || isName(value, MaxChoice, "-")) {
		return nil
	}
	return noFact(schema)
}
