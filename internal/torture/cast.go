package torture

import "github.com/dureledger/dure/ledger/tx/txtest"

// The cast: groups whose balances are checked for linearizability, and tills for the rest of the load.
const (
	groups    = 2
	groupSize = 3
	tills     = 16

	groupMoney = 1_000
	tillMoney  = 1_000_000_000
)

// cast are the accounts of a run: those of group 0, of group 1 and so on, then the tills.
func cast() []Holder {
	var out []Holder
	for i := range groups * groupSize {
		out = append(out, Holder{txtest.Ed25519(uint64(3000 + i)), groupMoney})
	}
	for i := range tills {
		out = append(out, Holder{txtest.Ed25519(uint64(5000 + i)), tillMoney})
	}
	return out
}

// member of a group, and a till, by their place in the cast.
func inGroup(group, i int) int { return group*groupSize + i }
func till(i int) int           { return groups*groupSize + i }
