package network

import (
	"errors"
	"fmt"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Genesis writes the members and parameters of the genesis file and opens accounts for the members that have none.
// It runs after modules/account, so that a member listed there keeps the kind of key given there.
func (m *Module) Genesis(v *state.View, g *ledgerv1.Genesis) error {
	p := g.GetNetwork().GetParameters()
	if p == nil {
		p = DefaultParameters()
	}
	if err := checkParameters(p); err != nil {
		return err
	}
	if refusal := m.checkKnown(p.GetAppVersion()); refusal != nil {
		return refusal
	}
	parameters.Set(v, nothing{}, p)
	c := exec.NewContext(v, tx.Address{}, 0, g.GetTime(), [32]byte{})
	for i, member := range g.GetNetwork().GetMembers() {
		if err := m.addMember(c, member); err != nil {
			return fmt.Errorf("member %d (%s): %w", i, member.GetName(), err)
		}
	}
	if len(Validators(v)) == 0 {
		return errors.New("no member has voting power")
	}
	return nil
}
