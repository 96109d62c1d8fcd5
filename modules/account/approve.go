package account

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// approve adds the keys that have signed to those that approve a proposal, and does it if they are enough now.
func (m *Module) approve(c *exec.Context, call *accountv1.Approve) error {
	_, rule, err := ruled(c)
	if err != nil {
		return err
	}
	p, err := findProposal(c.View, c.Actor, call.GetProposal())
	if err != nil {
		return err
	}
	if err := alive(c, call.GetProposal(), p); err != nil {
		return err
	}
	if gather(c, rule, p) == 0 {
		return fault.New("account.already_approved", fmt.Sprintf("Every key that has signed approves proposal %d already; a key counts once.", call.GetProposal()),
			"account", c.Actor, "proposal", call.GetProposal())
	}
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountApproved{AccountApproved: &accountv1.Approved{
		Account: c.Actor[:], Proposal: call.GetProposal(), Weight: approving(rule, p), Needed: needed(rule, kinds(p.GetKinds())),
	}}})
	return m.advance(c, rule, ProposalID{c.Actor, call.GetProposal()}, p)
}

// advance stores a proposal with new approvals and does it when they are enough. What the ledger refuses to do now is postponed: approvals
// are not lost because a balance is short today or because the proposal has to wait.
func (m *Module) advance(c *exec.Context, rule *accountv1.Rule, id ProposalID, p *accountv1.Proposal) error {
	judge(rule, p, c.Time)
	proposals.Set(c.View, id, p)
	if p.GetApprovedAt() == 0 {
		return nil
	}
	mark := c.View.Mark()
	err := m.carryOut(c, rule, id, p)
	switch code := fault.Code(err); code {
	case "":
		return err
	case "internal", "tx.too_much_work":
		return err
	default:
		c.View.Rollback(mark)
		postponed := &accountv1.Postponed{Account: c.Actor[:], Proposal: id.Number, Code: code}
		if code == "account.must_wait" {
			postponed.ReadyAt = p.GetApprovedAt() + rule.GetWaitMs()
		}
		c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountPostponed{AccountPostponed: postponed}})
		return nil
	}
}

// execute does what enough keys have approved.
func (m *Module) execute(c *exec.Context, call *accountv1.Execute) error {
	_, rule, err := ruled(c)
	if err != nil {
		return err
	}
	p, err := findProposal(c.View, c.Actor, call.GetProposal())
	if err != nil {
		return err
	}
	if err := alive(c, call.GetProposal(), p); err != nil {
		return err
	}
	if err := enough(c.Actor, rule, kinds(p.GetKinds()), approving(rule, p)); err != nil {
		return err
	}
	return m.carryOut(c, rule, ProposalID{c.Actor, call.GetProposal()}, p)
}

// carryOut does the actions of a proposal that enough keys approve, and ends it.
func (m *Module) carryOut(c *exec.Context, rule *accountv1.Rule, id ProposalID, p *accountv1.Proposal) error {
	a, _ := accounts.Get(c.View, c.Actor)
	if a.GetLockedAt() != 0 && kinds(p.GetKinds())&(spends|others) != 0 {
		return locked(c.Actor, a)
	}
	actions, _, err := proposed(c.Actor, p.GetActions())
	if err != nil {
		return err
	}
	agreed := exec.Agreed{Actions: actions, Waited: p.GetApprovedAt()+rule.GetWaitMs() <= c.Time}
	for _, w := range p.GetWitnesses() {
		agreed.Witnessed = append(agreed.Witnessed, exec.Witnessed{Key: tx.Address(w.GetKey()), Kind: w.GetKind()})
	}
	proposals.Delete(c.View, id) // before its actions, which may change the rule that it is revised by
	if err := c.Run(agreed); err != nil {
		return err
	}
	closeProposal(c, id, p.GetActions())
	return nil
}

// withdraw takes approvals back, or ends a proposal.
func (m *Module) withdraw(c *exec.Context, call *accountv1.Withdraw) error {
	_, rule, err := ruled(c)
	if err != nil {
		return err
	}
	id := ProposalID{c.Actor, call.GetProposal()}
	p, err := findProposal(c.View, c.Actor, call.GetProposal())
	if err != nil {
		return err
	}
	if p.GetExpiresAt() <= c.Time || c.Witnessed(tx.Address(p.GetProposer())) || weigh(rule, c.Witnessed) >= rule.GetManage() {
		closeProposal(c, id, nil)
		return nil
	}
	before := len(p.GetApprovals())
	kept := p.GetApprovals()[:0]
	for _, key := range p.GetApprovals() {
		if !c.Witnessed(tx.Address(key)) {
			kept = append(kept, key)
		}
	}
	if p.Approvals = kept; len(kept) == before {
		return fault.New("account.not_approved", fmt.Sprintf("No key that has signed approves proposal %d, so there is nothing to take back. "+
			"The key that proposed it, or as much weight as managing takes, ends it.", call.GetProposal()), "account", c.Actor, "proposal", call.GetProposal())
	}
	judge(rule, p, c.Time)
	proposals.Set(c.View, id, p)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountApprovalWithdrawn{AccountApprovalWithdrawn: &accountv1.ApprovalWithdrawn{
		Account: c.Actor[:], Proposal: call.GetProposal(), Weight: approving(rule, p),
	}}})
	return nil
}
