package simnet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/simnet"
)

func draft(t *testing.T, c *client.Client) *client.Draft {
	t.Helper()
	network, err := c.Network(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return client.NewTransaction(network)
}

// pay moves won between two people and returns the outcome, which must be ok.
func pay(t *testing.T, c *client.Client, from, to int, amount string) *apiv1.Outcome {
	t.Helper()
	d := draft(t, c).Transfer(simnet.Address(simnet.Person(from)), simnet.Address(simnet.Person(to)), "krw", amount)
	o, err := c.Do(simnet.Within(t), d, simnet.Person(from))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Check(o); err != nil {
		t.Fatal(err)
	}
	return o
}

func balance(t *testing.T, c *client.Client, person int) string {
	t.Helper()
	b, _, err := c.Balance(t.Context(), "krw", simnet.Address(simnet.Person(person)), 0)
	if err != nil {
		t.Fatal(err)
	}
	return b.GetAmount()
}

// sameRoots waits until the given members have one height and one state.
func sameRoots(t *testing.T, net *simnet.Network, members ...int) {
	t.Helper()
	net.Eventually(func() bool {
		seen := map[string]bool{}
		for _, i := range members {
			s, err := net.Client(i).Status(context.Background())
			if err != nil {
				return false
			}
			seen[fmt.Sprint(s.GetHeight(), s.GetStateRoot(), s.GetHistoryRoot())] = true
		}
		return len(seen) == 1
	}, "the members do not agree")
}

func TestFourMembers(t *testing.T) {
	net := simnet.Start(t, 4)
	c := net.Client()

	paid := pay(t, c, 0, 1, "250")
	if got := balance(t, c, 1); got != "1000250" {
		t.Errorf("the payee has %s", got)
	}
	sameRoots(t, net, 0, 1, 2, 3)

	t.Run("every member proves it", func(t *testing.T) {
		anchor, err := light.FromGenesis(net.Genesis)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			file, verified, err := net.Client(i).Prove(t.Context(), paid.GetId(), anchor)
			if err != nil {
				t.Fatalf("member %d: %v", i, err)
			}
			if len(file) >= 4096 {
				t.Errorf("the receipt has %d bytes", len(file))
			}
			if verified == nil {
				t.Error("nothing verified")
			}
		}
	})
	t.Run("the same transaction at every member", func(t *testing.T) { sameAtEveryMember(t, net) })
	t.Run("an idle network is silent", func(t *testing.T) { silent(t, net) })
	t.Run("a refused payment", func(t *testing.T) { overdraw(t, net) })
	t.Run("a member stops and comes back", func(t *testing.T) { comesBack(t, net) })
	t.Run("all stop and come back", func(t *testing.T) { allComeBack(t, net) })
	t.Run("validators change by vote", func(t *testing.T) { vote(t, net) })
}

// sameAtEveryMember sends one transaction to all members at once: one outcome, one payment.
func sameAtEveryMember(t *testing.T, net *simnet.Network) {
	c := net.Client(0)
	before := balance(t, c, 3)
	s, err := draft(t, c).Transfer(simnet.Address(simnet.Person(2)), simnet.Address(simnet.Person(3)), "krw", "7").
		Sign(time.Now(), simnet.Person(2))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan *apiv1.Outcome, 8)
	for round := range 8 {
		go func() {
			o, err := net.Client(round%4).Submit(simnet.Within(t), s)
			if err != nil {
				t.Error(err)
			}
			answers <- o
		}()
	}
	first := <-answers
	for range 7 {
		if o := <-answers; o.GetSeq() != first.GetSeq() || o.GetStatus() != "ok" {
			t.Errorf("outcomes differ: %v and %v", o, first)
		}
	}
	if got := balance(t, c, 3); got != "1000007" || before != "1000000" {
		t.Errorf("the payee has %s", got)
	}
}

// silent watches that no block comes while nothing happens.
func silent(t *testing.T, net *simnet.Network) {
	c := net.Client(0)
	height := func() int64 {
		s, err := c.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.GetHeight()
	}
	at, since := height(), time.Now()
	net.Eventually(func() bool {
		if h := height(); h != at {
			at, since = h, time.Now()
		}
		return time.Since(since) > 3*time.Second
	}, "blocks keep coming")
	pay(t, c, 0, 1, "1")
}

func overdraw(t *testing.T, net *simnet.Network) {
	c := net.Client(1)
	d := draft(t, c).Transfer(simnet.Address(simnet.Person(4)), simnet.Address(simnet.Person(5)), "krw", "1000001")
	o, err := c.Do(simnet.Within(t), d, simnet.Person(4))
	if o.GetStatus() != "failed" || o.GetCode() != "asset.insufficient_balance" {
		t.Errorf("outcome %v, %v", o, err)
	}
	if balance(t, c, 4) != "1000000" || balance(t, c, 5) != "1000000" {
		t.Error("a failed payment moved money")
	}
}

func comesBack(t *testing.T, net *simnet.Network) {
	net.StopNode(3)
	for range 5 {
		pay(t, net.Client(0, 1, 2), 0, 1, "1")
	}
	net.StartNode(3)
	sameRoots(t, net, 0, 1, 2, 3)
	pay(t, net.Client(3), 0, 1, "1")
}

func allComeBack(t *testing.T, net *simnet.Network) {
	c := net.Client()
	s, err := draft(t, c).Transfer(simnet.Address(simnet.Person(6)), simnet.Address(simnet.Person(7)), "krw", "5").Sign(time.Now(), simnet.Person(6))
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Submit(simnet.Within(t), s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		net.StopNode(i)
	}
	for i := range 4 {
		net.StartNode(i)
	}
	net.Ready()
	again, err := net.Client(2).Submit(simnet.Within(t), s)
	if err != nil || again.GetSeq() != first.GetSeq() {
		t.Errorf("sent again after a restart: %v, first %v, %v", again, first, err)
	}
	if got := balance(t, net.Client(1), 7); got != "1000005" {
		t.Errorf("the payee has %s", got)
	}
	sameRoots(t, net, 0, 1, 2, 3)
}

// vote takes member 3 off the validators and proves a payment after it from genesis.
func vote(t *testing.T, net *simnet.Network) {
	c := net.Client()
	proposer := simnet.Address(simnet.Signer(0))
	leaving := simnet.Address(simnet.Signer(3))
	change := &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: leaving[:], Power: 0}}}
	o, err := c.Do(simnet.Within(t), draft(t, c).Propose(proposer, change), simnet.Signer(0))
	if err != nil || client.Check(o) != nil {
		t.Fatal(o, err)
	}
	id := uint64(o.GetEvents()[0].GetFields().AsMap()["proposal"].(float64))
	for _, i := range []int{1, 2} {
		member := simnet.Signer(i)
		if o, err := c.Do(simnet.Within(t), draft(t, c).Vote(simnet.Address(member), id), member); err != nil || client.Check(o) != nil {
			t.Fatal(o, err)
		}
	}
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 { // across the heights at which the change takes effect
		paid := pay(t, c, 0, 1, "1")
		if _, _, err := c.Prove(t.Context(), paid.GetId(), anchor); err != nil {
			t.Fatal(err)
		}
	}
	info, err := c.NetworkInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.GetMembers() {
		if m.GetAddress() == leaving.String() && m.GetPower() != 0 {
			t.Errorf("member 3 still has power %d", m.GetPower())
		}
	}
	sameRoots(t, net, 0, 1, 2, 3)
}
