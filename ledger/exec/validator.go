package exec

import (
	"slices"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
)

// ValidatorUpdate is a key whose voting power changed.
type ValidatorUpdate struct {
	Key   []byte
	Power int64
}

// validatorUpdates compares the validators before and after, in order of the new members, then of those gone.
func validatorUpdates(before, after []*networkv1.Member) []ValidatorUpdate {
	var out []ValidatorUpdate
	power := func(members []*networkv1.Member, key []byte) int64 {
		for _, m := range members {
			if string(m.GetValidatorKey()) == string(key) {
				return m.GetPower()
			}
		}
		return 0
	}
	for _, m := range after {
		if m.GetPower() != power(before, m.GetValidatorKey()) {
			out = append(out, ValidatorUpdate{m.GetValidatorKey(), m.GetPower()})
		}
	}
	for _, m := range before {
		if m.GetPower() > 0 && !slices.ContainsFunc(after, func(n *networkv1.Member) bool {
			return string(n.GetValidatorKey()) == string(m.GetValidatorKey())
		}) {
			out = append(out, ValidatorUpdate{m.GetValidatorKey(), 0})
		}
	}
	return out
}
