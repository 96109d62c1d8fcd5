package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// setSponsor puts the actor under another member, which signs too. The sponsor before is not asked: customers are not its own, and it
// may have left the network. What it froze stays frozen, as who is frozen cannot do this.
func (m *Module) setSponsor(c *exec.Context, call *accountv1.SetSponsor) error {
	to, err := toAddress("sponsor", call.GetSponsor())
	if err != nil {
		return err
	}
	a, ok := accounts.Get(c.View, c.Actor)
	if !ok {
		return unknown(c.Actor)
	}
	if err := mayManage(c, a); err != nil {
		return err
	}
	from := tx.Address(a.GetSponsor())
	switch {
	case m.members.IsMember(c.View, c.Actor):
		return ofMember(c.Actor)
	case to == from:
		return fault.New("account.same_sponsor", to.String()+" is the sponsor of "+c.Actor.String()+" already.", "account", c.Actor, "sponsor", to)
	case !m.members.IsMember(c.View, to):
		return notMember(to, "sponsor accounts")
	case !m.Agrees(c, to):
		return fault.New("account.sponsor_not_witnessed", "The new sponsor "+to.String()+" has not signed the transaction. Sign it with its key too.", "account", c.Actor, "sponsor", to)
	}
	if r := recoveryOf(c.View, c.Actor, c.Time); r.GetRequest() != nil {
		return recoveryWaits(c.Actor, r.GetRequest())
	}
	a.Sponsor = to[:]
	accounts.Set(c.View, c.Actor, a)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountSponsorChanged{
		AccountSponsorChanged: &accountv1.SponsorChanged{Account: c.Actor[:], Sponsor: to[:], Former: from[:]},
	}})
	return nil
}
