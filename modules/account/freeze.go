package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// freeze stops an account from acting.
func (m *Module) freeze(c *exec.Context, call *accountv1.Freeze) error {
	if err := text.Check("account.bad_text", "reason", call.GetReason(), 0, MaxReason); err != nil {
		return err
	}
	address, a, err := m.sponsored(c, call.GetAccount())
	if err != nil {
		return err
	}
	if m.members.IsMember(c.View, address) {
		return fault.New("account.is_member", "The account "+address.String()+" is a member's own; it can only be removed by a vote of the members.",
			"account", address)
	}
	if a.GetFrozen() {
		return fault.New("account.already_frozen", "The account "+address.String()+" is frozen already.", "account", address)
	}
	a.Frozen, a.FreezeReason = true, call.GetReason()
	accounts.Set(c.View, address, a)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountFrozen{
		AccountFrozen: &accountv1.Frozen{Account: address[:], Reason: call.GetReason()},
	}})
	return nil
}

// unfreeze lets a frozen account act again.
func (m *Module) unfreeze(c *exec.Context, call *accountv1.Unfreeze) error {
	address, a, err := m.sponsored(c, call.GetAccount())
	if err != nil {
		return err
	}
	if !a.GetFrozen() {
		return fault.New("account.not_frozen", "The account "+address.String()+" is not frozen.", "account", address)
	}
	a.Frozen, a.FreezeReason = false, ""
	accounts.Set(c.View, address, a)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountUnfrozen{
		AccountUnfrozen: &accountv1.Unfrozen{Account: address[:]},
	}})
	return nil
}

// sponsored returns an account that the actor vouches for. A sponsor that has left the network has no say any more.
func (m *Module) sponsored(c *exec.Context, b []byte) (tx.Address, *accountv1.Account, error) {
	address, err := toAddress("account", b)
	if err != nil {
		return address, nil, err
	}
	a, ok := accounts.Get(c.View, address)
	if !ok {
		return address, nil, unknown(address)
	}
	if sponsor := tx.Address(a.GetSponsor()); sponsor != c.Actor {
		return address, nil, fault.New("account.not_sponsor", "Only its sponsor "+sponsor.String()+" may freeze or unfreeze "+address.String()+".",
			"account", address, "sponsor", sponsor, "actor", c.Actor)
	}
	if !m.members.IsMember(c.View, c.Actor) {
		return address, nil, notMember(c.Actor, "freeze and unfreeze accounts")
	}
	return address, a, nil
}
