package network_test

import (
	"fmt"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/modules/network"
)

// Three of four members take the fourth's power in consensus away.
func Example() {
	l, daegu := moduletest.New(), moduletest.Address("daegu")
	change := &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: daegu[:], Power: 0}}}
	moduletest.Do(l, "seoul", &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: change}})
	id := network.NewestProposal(l.View)
	for _, member := range []string{"busan", "jeju"} {
		moduletest.Do(l, member, &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: id}})
	}

	p, _ := network.Proposal(l.View, id)
	fmt.Println("proposal", id, network.StateOf(p, l.Now))
	fmt.Println("members", len(network.Members(l.View)), "validators", len(network.Validators(l.View)))
	// Output:
	// proposal 1 enacted
	// members 4 validators 3
}
