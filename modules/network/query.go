package network

import (
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// IsMember says whether the account is a member's now.
func IsMember(g state.Getter, a tx.Address) bool { return members.Has(g, a) }

// IsMember says whether the account is a member's now.
func (m *Module) IsMember(g state.Getter, a tx.Address) bool { return IsMember(g, a) }

// Member returns a member and whether there is one.
func Member(g state.Getter, a tx.Address) (*networkv1.Member, bool) { return members.Get(g, a) }

// Members returns the members in order of address.
func Members(r state.Reader) []*networkv1.Member {
	var all []*networkv1.Member
	members.Ascend(r, nil, func(_ tx.Address, member *networkv1.Member) bool {
		all = append(all, member)
		return true
	})
	return all
}

// Members returns the members in order of address.
func (m *Module) Members(r state.Reader) []*networkv1.Member { return Members(r) }

// Validators returns the members with voting power in consensus, in order of address.
func Validators(r state.Reader) []*networkv1.Member {
	var out []*networkv1.Member
	for _, member := range Members(r) {
		if member.GetPower() > 0 {
			out = append(out, member)
		}
	}
	return out
}

// Parameters returns the parameters in force. Before genesis they are the defaults.
func Parameters(g state.Getter) *networkv1.Parameters {
	if p, ok := parameters.Get(g, nothing{}); ok {
		return p
	}
	return DefaultParameters()
}

// Parameters returns the parameters in force. Before genesis they are the defaults.
func (m *Module) Parameters(g state.Getter) *networkv1.Parameters { return Parameters(g) }

// Proposal returns a proposal, open or closed, and whether there is one.
func Proposal(g state.Getter, id uint64) (*networkv1.Proposal, bool) {
	if p, ok := open.Get(g, id); ok {
		return p, true
	}
	return closed.Get(g, id)
}

// NewestProposal returns the id of the newest proposal, 0 if there has been none. Ids have no gaps.
func NewestProposal(g state.Getter) uint64 {
	id, _ := newest.Get(g, nothing{})
	return id
}

// Open returns the proposals that are open, or have expired since the last one was made, in order of id.
// There are at most MaxOpen.
func Open(r state.Reader) []*networkv1.Proposal {
	var all []*networkv1.Proposal
	open.Ascend(r, nil, func(_ uint64, p *networkv1.Proposal) bool {
		all = append(all, p)
		return true
	})
	return all
}

// StateOf says whether a proposal is "open", "enacted" or "expired" at a time in unix milliseconds.
func StateOf(p *networkv1.Proposal, now int64) string {
	switch {
	case p.GetEnactedAt() > 0:
		return "enacted"
	case now >= p.GetExpiresAt():
		return "expired"
	}
	return "open"
}

// MemberKey is the raw state key of a member, for state proofs.
func MemberKey(a tx.Address) []byte { return members.Key(a) }
