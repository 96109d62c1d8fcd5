package index

import (
	"math"

	"github.com/holiman/uint256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
)

// ReadRule is the rule over keys that acts for an account, and whether one does.
func ReadRule(r state.Reader, address tx.Address) (*accountv1.Rule, bool) {
	return account.GetRule(r, address)
}

// ReadSpent is what counts at a time, in unix milliseconds, against a limit per window of an account's rule, in smallest units.
func ReadSpent(r state.Reader, address tx.Address, limit *accountv1.Limit, now int64) uint256.Int {
	return account.SpentInWindow(r, address, limit, now)
}

// AccountProposal is an open proposal of an account.
type AccountProposal struct {
	*accountv1.Proposal
	Number uint64
	// Weight is what the keys that approve it weigh, Needed what it takes.
	Weight, Needed uint32
}

// ReadAccountProposals is a page of the open proposals of an account, expired ones too, newest first. Codes page.bad_token, page.too_large.
func ReadAccountProposals(r state.Reader, address tx.Address, p Page) ([]AccountProposal, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	query := "account proposals" + string(address[:])
	below, err := p.afterSeq(query, math.MaxInt64)
	if err != nil {
		return nil, "", err
	}
	rule, _ := account.GetRule(r, address)
	var all []AccountProposal // a rule has few keys, and a key few proposals
	account.AscendProposals(r, address, func(number uint64, found *accountv1.Proposal) bool {
		if number < below {
			weight, needed := account.Weights(rule, found)
			all = append(all, AccountProposal{found, number, weight, needed})
		}
		return true
	})
	var out []AccountProposal
	for i := len(all) - 1; i >= 0; i-- {
		if len(out) == size {
			return out, seqToken(query, out[size-1].Number), nil
		}
		out = append(out, all[i])
	}
	return out, "", nil
}
