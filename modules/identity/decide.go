package identity

import (
	"fmt"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
)

// Decide enacts what the members voted for: modules/network calls it, and undoes what it did when it refuses.
func (m *Module) Decide(c *exec.Context, d *identityv1.Decision) error {
	switch kind := d.GetKind().(type) {
	case *identityv1.Decision_Admit:
		a, err := m.admissible(c, kind.Admit)
		if err != nil {
			return err
		}
		m.putOrganisation(c, a, kind.Admit, nil)
		return nil
	case *identityv1.Decision_Dismiss:
		a, o, err := m.admitted(c, kind.Dismiss)
		if err != nil {
			return err
		}
		m.endOrganisation(c, a, o, kind.Dismiss.GetReason(), nil)
		return nil
	case *identityv1.Decision_Give:
		if kind.Give.GetDepth() > MaxDepth {
			return fault.New("identity.too_deep", fmt.Sprintf("A right may be passed on at most %d times.", MaxDepth), "depth", kind.Give.GetDepth())
		}
		return m.grant(c, kind.Give, nil)
	case *identityv1.Decision_Revoke:
		id, r, err := held(c, kind.Revoke)
		if err != nil {
			return err
		}
		takeBack(c, id, r, kind.Revoke.GetReason(), nil)
		return nil
	}
	return fault.New("identity.bad_decision", "The proposal does not say what to decide about identity.")
}
