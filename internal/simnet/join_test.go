package simnet_test

import (
	"strconv"
	"testing"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/simnet"
)

// admit makes the members that there are vote for a change.
func admit(t *testing.T, net *simnet.Network, members int, change *networkv1.Change) {
	t.Helper()
	c := net.Client(0)
	o, err := c.Do(simnet.Within(t), draft(t, c).Propose(simnet.Address(simnet.Signer(0)), change), simnet.Signer(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Check(o); err != nil {
		t.Fatal(err)
	}
	id := uint64(0)
	for _, e := range o.GetEvents() {
		if e.GetName() == "network.proposed" {
			n, _ := e.GetFields().AsMap()["proposal"].(float64)
			id = uint64(n)
		}
	}
	for i := 1; 3*i <= 2*members; i++ {
		o, err := c.Do(simnet.Within(t), draft(t, c).Vote(simnet.Address(simnet.Signer(i)), id), simnet.Signer(i))
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Check(o); err != nil {
			t.Fatalf("member %d: %v", i, err)
		}
	}
}

// A fifth member joins a network that has run, executes all its blocks, proves the first of them, and then votes.
func TestAFifthMemberJoins(t *testing.T) {
	t.Parallel() // it mostly waits
	net := simnet.Start(t, 4)
	c := net.Client(0, 1, 2, 3)
	first := pay(t, c, 0, 1, "1")
	for n := range 8 {
		pay(t, c, n%simnet.People, (n+1)%simnet.People, strconv.Itoa(n+1))
	}
	five, card := net.Join(0, nil)
	admit(t, net, 4, &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: card}})
	net.StartNode(five)
	pay(t, c, 0, 1, "5")
	sameRoots(t, net, 0, 1, 2, 3, five)
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := net.Client(five).Prove(t.Context(), first.GetId(), anchor); err != nil {
		t.Errorf("the first payment's receipt: %v", err)
	}
	pay(t, net.Client(five), 0, 1, "6")

	five5 := simnet.Address(simnet.Signer(five))
	admit(t, net, 5, &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: five5[:], Power: 10}}})
	for n := range 3 { // the change of power takes effect two blocks later
		pay(t, c, n, n+1, "7")
	}
	net.StopNode(0) // five of power 10: the other four carry on, and only with the fifth
	pay(t, net.Client(five), 0, 1, "8")
	sameRoots(t, net, 1, 2, 3, five)
}
