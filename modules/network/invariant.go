package network

import (
	"errors"
	"fmt"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Check verifies the invariants of the package comment.
func (m *Module) Check(r state.Reader) error {
	err := errors.Join(m.checkMembers(r), checkParameters(Parameters(r)), checkOpen(r), checkClosed(r), checkEvidence(r))
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return nil
}

func (m *Module) checkMembers(r state.Reader) error {
	all := Members(r)
	if len(all) == 0 || len(all) > MaxMembers {
		return fmt.Errorf("%d members", len(all))
	}
	if totalPower(all) <= 0 {
		return errors.New("no validator")
	}
	for i, member := range all {
		a, err := checkMember(member)
		if err != nil {
			return err
		}
		if stored, ok := members.Get(r, a); !ok || stored.GetName() != member.GetName() {
			return fmt.Errorf("member %s is not under its address", a)
		}
		if !m.accounts.Exists(r, a) {
			return fmt.Errorf("member %s has no account", a)
		}
		for _, other := range all[:i] {
			if err := checkKeysDiffer(member, other); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkOpen(r state.Reader) error {
	all := Open(r)
	if len(all) > MaxOpen {
		return fmt.Errorf("%d open proposals", len(all))
	}
	own := map[string]int{}
	for _, p := range all {
		if own[string(p.GetProposer())]++; own[string(p.GetProposer())] > MaxOpenPerProposer {
			return fmt.Errorf("more than %d open proposals of %x", MaxOpenPerProposer, p.GetProposer())
		}
		if err := checkProposal(r, p); err != nil {
			return fmt.Errorf("proposal %d: %w", p.GetId(), err)
		}
	}
	return nil
}

func checkProposal(r state.Reader, p *networkv1.Proposal) error {
	if p.GetId() == 0 || p.GetId() > NewestProposal(r) || p.GetEnactedAt() != 0 || closed.Has(r, p.GetId()) {
		return errors.New("open, but never made, enacted or closed")
	}
	seen := map[tx.Address]bool{}
	for _, vote := range p.GetVotes() {
		a, err := tx.ToAddress(vote)
		if err != nil || seen[a] || !members.Has(r, a) {
			return fmt.Errorf("vote of %x, twice or of no member", vote)
		}
		seen[a] = true
	}
	return nil
}

func checkClosed(r state.Reader) (err error) {
	n := uint64(len(Open(r)))
	closed.Ascend(r, nil, func(id uint64, p *networkv1.Proposal) bool {
		n++
		if p.GetId() != id || p.GetEnactedAt() != 0 && (p.GetEnactedAt() < p.GetOpenedAt() || p.GetEnactedAt() >= p.GetExpiresAt()) {
			err = fmt.Errorf("closed proposal %d: enacted at %d, open from %d to %d", id, p.GetEnactedAt(), p.GetOpenedAt(), p.GetExpiresAt())
		}
		return err == nil
	})
	if err == nil && n != NewestProposal(r) {
		err = fmt.Errorf("%d proposals, but the newest is %d", n, NewestProposal(r))
	}
	return err
}
