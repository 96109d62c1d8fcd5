package network

import (
	"bytes"
	"fmt"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// propose opens a proposal with the actor's vote. What could not be enacted now is refused.
func (m *Module) propose(c *exec.Context, call *networkv1.Propose) error {
	if err := mustBeMember(c.View, c.Actor); err != nil {
		return err
	}
	if err := m.try(c, call.GetChange()); err != nil {
		return err
	}
	closeExpired(c.View, c.Time)
	if err := roomFor(c.View, c.Actor); err != nil {
		return err
	}
	last, _ := newest.Get(c.View, nothing{})
	p := &networkv1.Proposal{
		Id: last + 1, Proposer: c.Actor[:], Change: call.GetChange(),
		OpenedAt: c.Time, ExpiresAt: c.Time + m.Parameters(c.View).GetProposalMs(),
	}
	newest.Set(c.View, nothing{}, p.Id)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_NetworkProposed{
		NetworkProposed: &networkv1.Proposed{Proposal: p.Id, Proposer: c.Actor[:]},
	}})
	return m.cast(c, p)
}

// vote adds the actor's vote to an open proposal.
func (m *Module) vote(c *exec.Context, call *networkv1.Vote) error {
	if err := mustBeMember(c.View, c.Actor); err != nil {
		return err
	}
	p, ok := Proposal(c.View, call.GetProposal())
	if !ok {
		return fault.New("network.unknown_proposal", fmt.Sprintf("There is no proposal %d.", call.GetProposal()), "proposal", call.GetProposal())
	}
	if s := StateOf(p, c.Time); s != "open" {
		return fault.New("network.closed", fmt.Sprintf("Proposal %d is %s; it takes no more votes.", p.GetId(), s), "proposal", p.GetId(), "state", s)
	}
	if hasVoted(p, c.Actor) {
		return fault.New("network.already_voted", fmt.Sprintf("%s has voted for proposal %d already.", c.Actor, p.GetId()),
			"proposal", p.GetId(), "member", c.Actor)
	}
	return m.cast(c, p)
}

// cast adds the actor's vote and enacts the proposal once more than two thirds of the members have voted for it.
func (m *Module) cast(c *exec.Context, p *networkv1.Proposal) error {
	p.Votes = append(p.Votes, c.Actor[:])
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_NetworkVoted{
		NetworkVoted: &networkv1.Voted{Proposal: p.Id, Member: c.Actor[:]},
	}})
	if 3*len(p.Votes) <= 2*len(m.Members(c.View)) {
		open.Set(c.View, p.Id, p)
		return nil
	}
	open.Delete(c.View, p.Id)
	p.EnactedAt = c.Time
	closed.Set(c.View, p.Id, p)
	if err := m.enact(c, p.Change); err != nil {
		return err
	}
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_NetworkEnacted{NetworkEnacted: &networkv1.Enacted{Proposal: p.Id}}})
	return nil
}

// closeExpired clears away what nobody can vote for any more. At most MaxOpen proposals are looked at.
func closeExpired(v *state.View, now int64) {
	for _, p := range Open(v) {
		if StateOf(p, now) == "expired" {
			open.Delete(v, p.Id)
			closed.Set(v, p.Id, p)
		}
	}
}

// roomFor keeps one member from filling the list of proposals, and the list from growing.
func roomFor(v *state.View, proposer tx.Address) error {
	all, own := Open(v), 0
	for _, p := range all {
		if bytes.Equal(p.GetProposer(), proposer[:]) {
			own++
		}
	}
	switch {
	case own >= MaxOpenPerProposer:
		return fault.New("network.too_many_proposals", fmt.Sprintf("%s has %d open proposals, the most a member may have. Wait until one is decided or expires.",
			proposer, own), "proposer", proposer, "open", own)
	case len(all) >= MaxOpen:
		return fault.New("network.too_many_proposals", fmt.Sprintf("%d proposals are open, the most there may be. Wait until one is decided or expires.", len(all)),
			"open", len(all))
	}
	return nil
}

func hasVoted(p *networkv1.Proposal, a tx.Address) bool {
	for _, v := range p.GetVotes() {
		if bytes.Equal(v, a[:]) {
			return true
		}
	}
	return false
}

// forgetVotes takes a member's votes out of the open proposals.
func forgetVotes(v *state.View, a tx.Address) {
	for _, p := range Open(v) {
		if !hasVoted(p, a) {
			continue
		}
		var left [][]byte
		for _, vote := range p.GetVotes() {
			if !bytes.Equal(vote, a[:]) {
				left = append(left, vote)
			}
		}
		p.Votes = left
		open.Set(v, p.Id, p)
	}
}
