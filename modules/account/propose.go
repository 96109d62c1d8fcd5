package account

import (
	"fmt"
	"slices"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// Bounds of proposals.
const (
	MaxProposed      = 100       // actions in one
	MaxProposedBytes = 16 * 1024 // of all its actions
	MaxProposalMs    = 90 * 24 * 3600 * 1000
	MaxOpenPerKey    = 8  // that one key has proposed
	maxWitnesses     = 32 // other keys that have signed
)

// propose stores actions of the actor for its keys to approve, and does them if those that have signed are enough.
func (m *Module) propose(c *exec.Context, call *accountv1.Propose) error {
	a, rule, err := ruled(c)
	if err != nil {
		return err
	}
	if err := text.Check("account.bad_text", "reason", call.GetReason(), 0, MaxReason); err != nil {
		return err
	}
	if expires := call.GetExpiresAt(); expires <= c.Time || expires-MaxProposalMs > c.Time {
		return badProposal("A proposal expires in the future, at most 90 days ahead.", "expires_at", expires, "time", c.Time)
	}
	_, does, err := proposed(c.Actor, call.GetActions())
	if err != nil {
		return err
	}
	p := &accountv1.Proposal{Actions: call.GetActions(), Reason: call.GetReason(), OpenedAt: c.Time, ExpiresAt: call.GetExpiresAt(), Kinds: uint32(does)}
	if gather(c, rule, p) == 0 { // the rule was changed earlier in this transaction
		return enough(c.Actor, rule, alone, 0)
	}
	p.Proposer = p.GetApprovals()[0]
	if err := room(c, p.GetProposer()); err != nil {
		return err
	}
	a.Proposals++
	accounts.Set(c.View, c.Actor, a)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountProposed{AccountProposed: &accountv1.Proposed{
		Account: c.Actor[:], Proposal: a.GetProposals(), Weight: approving(rule, p), Needed: needed(rule, does),
	}}})
	return m.advance(c, rule, ProposalID{c.Actor, a.GetProposals()}, p)
}

// proposed reads the actions of a proposal and says of which kinds they are.
func proposed(actor tx.Address, list [][]byte) (actions []*txv1.Action, does kinds, err error) {
	if n := len(list); n == 0 || n > MaxProposed {
		return nil, 0, badProposal(fmt.Sprintf("A proposal has 1 to %d actions, not %d.", MaxProposed, n), "actions", n)
	}
	size := 0
	for i, raw := range list {
		if size += len(raw); size > MaxProposedBytes {
			return nil, 0, badProposal(fmt.Sprintf("The actions of a proposal have at most %d bytes together. Make several.", MaxProposedBytes), "bytes", size)
		}
		action, err := tx.DecodeAction(raw)
		if err != nil {
			return nil, 0, err
		}
		kind := kindOf(action.GetCall())
		if _, readings := action.GetCall().(*txv1.Action_StreamAnchor); readings || kind == alone {
			return nil, 0, badProposal(fmt.Sprintf("Action %d cannot be proposed: what one key may do by itself cannot, nor can readings of devices.", i), "action", i)
		}
		if other := tx.Address(action.GetActor()); other != actor {
			return nil, 0, badProposal(fmt.Sprintf("Action %d is of %s; an account proposes only what it does itself.", i, other), "action", i, "actor", other)
		}
		actions, does = append(actions, action), does|kind
	}
	return actions, does, nil
}

// gather adds the keys that have signed the transaction: those of the rule that do not approve yet to the approvals, others to the witnesses.
func gather(c *exec.Context, rule *accountv1.Rule, p *accountv1.Proposal) (approved int) {
	for _, k := range c.Keys() {
		key := k.Address()
		switch {
		case inRule(rule, key):
			if !approves(p, key) {
				p.Approvals = append(p.Approvals, key[:])
				approved++
			}
		case len(p.GetWitnesses()) < maxWitnesses && !slices.ContainsFunc(p.GetWitnesses(), func(w *accountv1.RuleKey) bool { return tx.Address(w.GetKey()) == key }):
			p.Witnesses = append(p.Witnesses, &accountv1.RuleKey{Key: key[:], Kind: k.Kind})
		}
	}
	return approved
}

// room refuses to let one key fill the account with proposals. It first clears away those that have expired.
func room(c *exec.Context, proposer []byte) error {
	open := 0
	var expired []ProposalID
	AscendProposals(c.View, c.Actor, func(id uint64, p *accountv1.Proposal) bool {
		switch {
		case p.GetExpiresAt() <= c.Time:
			expired = append(expired, ProposalID{c.Actor, id})
		case string(p.GetProposer()) == string(proposer):
			open++
		}
		return true
	})
	for _, id := range expired {
		closeProposal(c, id, nil)
	}
	if open >= MaxOpenPerKey {
		return fault.New("account.too_many_proposals", fmt.Sprintf("The key %s has %d open proposals; one key may have %d. Withdraw some.",
			tx.Address(proposer), open, MaxOpenPerKey), "account", c.Actor, "open", open)
	}
	return nil
}

// closeProposal ends a proposal: done, if there are actions, or not.
func closeProposal(c *exec.Context, id ProposalID, done [][]byte) {
	proposals.Delete(c.View, id)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountProposalClosed{AccountProposalClosed: &accountv1.Closed{
		Account: id.Account[:], Proposal: id.Number, Done: len(done) > 0, Actions: done,
	}}})
}

// approving is the weight of the keys that approve a proposal.
func approving(rule *accountv1.Rule, p *accountv1.Proposal) uint32 {
	return weigh(rule, func(key tx.Address) bool { return approves(p, key) })
}

func approves(p *accountv1.Proposal, key tx.Address) bool {
	return slices.ContainsFunc(p.GetApprovals(), func(b []byte) bool { return tx.Address(b) == key })
}

func inRule(rule *accountv1.Rule, key tx.Address) bool {
	return slices.ContainsFunc(rule.GetKeys(), func(k *accountv1.RuleKey) bool { return tx.Address(k.GetKey()) == key })
}

// judge says since when the approvals are enough, after they or the rule have changed.
func judge(rule *accountv1.Rule, p *accountv1.Proposal, now int64) {
	switch {
	case approving(rule, p) < needed(rule, kinds(p.GetKinds())):
		p.ApprovedAt = 0
	case p.GetApprovedAt() == 0:
		p.ApprovedAt = now
	}
}

// reviseProposals takes the approvals of keys that are not in a new rule from an account's proposals, or ends them all if there is no rule.
func reviseProposals(c *exec.Context, address tx.Address, rule *accountv1.Rule) {
	var list []ProposalID
	AscendProposals(c.View, address, func(id uint64, _ *accountv1.Proposal) bool {
		list = append(list, ProposalID{address, id})
		return true
	})
	for _, id := range list {
		if rule == nil {
			closeProposal(c, id, nil)
			continue
		}
		p, _ := proposals.Get(c.View, id)
		p.Approvals = slices.DeleteFunc(p.GetApprovals(), func(b []byte) bool { return !inRule(rule, tx.Address(b)) })
		judge(rule, p, c.Time)
		proposals.Set(c.View, id, p)
	}
}

// findProposal returns an open proposal of the actor, expired or not.
func findProposal(g state.Getter, actor tx.Address, number uint64) (*accountv1.Proposal, error) {
	p, ok := proposals.Get(g, ProposalID{actor, number})
	if !ok {
		return nil, fault.New("account.unknown_proposal", fmt.Sprintf("The account %s has no open proposal %d: it was done or withdrawn, or never made.", actor, number),
			"account", actor, "proposal", number)
	}
	return p, nil
}

// alive refuses a proposal that has expired.
func alive(c *exec.Context, number uint64, p *accountv1.Proposal) error {
	if p.GetExpiresAt() <= c.Time {
		return fault.New("account.proposal_expired", fmt.Sprintf("Proposal %d has expired. Propose it again.", number),
			"account", c.Actor, "proposal", number, "expires_at", p.GetExpiresAt())
	}
	return nil
}

func badProposal(what string, kv ...any) error { return fault.New("account.bad_proposal", what, kv...) }
