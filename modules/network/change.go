package network

import (
	"fmt"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// try says whether a change could be enacted now, by enacting and undoing it, so that what is proposed and what is
// enacted obey the same checks.
func (m *Module) try(c *exec.Context, change *networkv1.Change) error {
	mark := c.View.Mark()
	trial := exec.NewContext(c.View, c.Actor, c.Height, c.Time, c.Tx) // its events are thrown away
	err := m.enact(trial, change)
	c.View.Rollback(mark)
	return err
}

// enact checks a change against the network of this moment and makes it.
func (m *Module) enact(c *exec.Context, change *networkv1.Change) error {
	switch kind := change.GetKind().(type) {
	case *networkv1.Change_AddMember:
		return m.addMember(c, kind.AddMember)
	case *networkv1.Change_RemoveMember:
		return m.removeMember(c, kind.RemoveMember)
	case *networkv1.Change_SetPower:
		return m.setPower(c, kind.SetPower)
	case *networkv1.Change_SetParameters:
		return m.setParameters(c, kind.SetParameters)
	case *networkv1.Change_Identity:
		return m.decisions.Decide(c, kind.Identity)
	}
	return fault.New("network.bad_change", "The proposal does not say what to change.")
}

// addMember also opens the member's account if it has none. Names are not unique: members know whom they admit.
func (m *Module) addMember(c *exec.Context, member *networkv1.Member) error {
	a, err := checkMember(member)
	if err != nil {
		return err
	}
	if member.GetVoids() != 0 {
		return fault.New("network.bad_change", "A new member has sealed no void transactions yet; leave voids out.", "voids", member.GetVoids())
	}
	if members.Has(c.View, a) {
		return fault.New("network.already_member", a.String()+" is a member already.", "member", a)
	}
	all := m.Members(c.View)
	if len(all) >= MaxMembers {
		return fault.New("network.too_many_members", fmt.Sprintf("The network has %d members, the most there can be.", len(all)), "members", len(all))
	}
	for _, other := range all {
		if err := checkKeysDiffer(member, other); err != nil {
			return err
		}
	}
	if err := m.accounts.Open(c, a); err != nil {
		return err
	}
	members.Set(c.View, a, member)
	return nil
}

// removeMember also takes the member's votes out of open proposals: the others decide without it.
func (m *Module) removeMember(c *exec.Context, address []byte) error {
	a, member, err := findMember(c, address)
	if err != nil {
		return err
	}
	all := m.Members(c.View)
	if len(all) == 1 {
		return fault.New("network.last_member", a.String()+" is the last member; a network needs one.", "member", a)
	}
	if totalPower(all) == member.GetPower() {
		return lastValidator(a)
	}
	members.Delete(c.View, a)
	forgetVotes(c.View, a)
	return nil
}

// setPower changes how much a member's votes count in consensus.
func (m *Module) setPower(c *exec.Context, call *networkv1.SetPower) error {
	a, member, err := findMember(c, call.GetMember())
	if err != nil {
		return err
	}
	if err := checkPower(call.GetPower()); err != nil {
		return err
	}
	if member.GetPower() == call.GetPower() {
		return fault.New("network.bad_change", fmt.Sprintf("%s has the power %d already.", a, member.GetPower()), "member", a, "power", member.GetPower())
	}
	if call.GetPower() == 0 && totalPower(m.Members(c.View)) == member.GetPower() {
		return lastValidator(a)
	}
	member.Power = call.GetPower()
	members.Set(c.View, a, member)
	return nil
}

// setParameters replaces all parameters.
func (m *Module) setParameters(c *exec.Context, p *networkv1.Parameters) error {
	if err := checkParameters(p); err != nil {
		return err
	}
	if err := checkRise(m.Parameters(c.View).GetAppVersion(), p.GetAppVersion()); err != nil {
		return err
	}
	parameters.Set(c.View, nothing{}, p)
	return nil
}

func findMember(c *exec.Context, address []byte) (tx.Address, *networkv1.Member, error) {
	a, err := toAddress(address)
	if err != nil {
		return a, nil, err
	}
	member, ok := members.Get(c.View, a)
	if !ok {
		return a, nil, fault.New("network.unknown_member", a.String()+" is not a member of the network.", "member", a)
	}
	return a, member, nil
}

func totalPower(all []*networkv1.Member) (sum int64) {
	for _, member := range all {
		sum += member.GetPower() // at most MaxMembers * MaxPower
	}
	return sum
}

func lastValidator(a tx.Address) error {
	return fault.New("network.last_validator", a.String()+" is the last validator; a network needs one. Give another member power first.", "member", a)
}
