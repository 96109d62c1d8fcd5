package simnet_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/exec"
	ledgerstate "github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/network"
)

// tomorrow is a module of app version 2 that changes what is stored: it counts its upgrades on the ledger.
type tomorrow struct{ runs atomic.Int64 }

func (*tomorrow) Name() string                                       { return "tomorrow" }
func (*tomorrow) Handlers() []exec.Handler                           { return nil }
func (*tomorrow) Genesis(*ledgerstate.View, *ledgerv1.Genesis) error { return nil }
func (*tomorrow) Check(ledgerstate.Reader) error                     { return nil }

func (m *tomorrow) Upgrade(v *ledgerstate.View, to uint64) {
	m.runs.Add(1)
	before, _ := v.Get([]byte("Qtomorrow"))
	v.Set([]byte("Qtomorrow"), append(append([]byte(nil), before...), byte(to)))
}

// binary is a binary that knows app version 2, with the module that needs it.
func binary() (exec.Rules, *tomorrow) {
	rules, m := all.NewUpTo(2), &tomorrow{}
	rules.Modules = append(rules.Modules, m)
	return rules, m
}

// Members get a new binary one after the other and agree with those that have the old one. The vote for the new app
// version changes the state in the same block everywhere; the member that was not upgraded stops and says why, and goes
// on with the new binary.
func TestUpgrade(t *testing.T) {
	n := simnet.Start(t, 4)
	raise := &networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: network.DefaultParameters()}}
	raise.GetSetParameters().AppVersion = 2
	err := try(t, n, 0, raise)
	if refusal := (*client.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != "network.unknown_version" {
		t.Fatalf("a node took a proposal for a version it does not know: %v", err)
	}

	modules := make([]*tomorrow, 4)
	roll := func(i int) {
		t.Helper()
		n.StopNode(i)
		var rules exec.Rules
		rules, modules[i] = binary()
		n.SetRules(i, rules)
		n.StartNode(i)
		n.Eventually(func() bool { s, err := n.Client(i).Status(t.Context()); return err == nil && !s.GetCatchingUp() }, "member %d does not catch up", i)
	}
	for i := range 3 {
		pay(t, n.Client(3), 0, 1, "1")
		roll(i)
	}
	pay(t, n.Client(0), 1, 0, "2")
	sameRoots(t, n, 0, 1, 2, 3)

	must(t, n, 0, raise)
	must(t, n, 1, nil)
	err = try(t, n, 3, nil)
	if refusal := (*client.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != "network.unknown_version" {
		t.Errorf("the old binary's node took a vote that would stop it: %v", err)
	}
	must(t, n, 2, nil)
	pay(t, n.Client(0, 1, 2), 0, 1, "3")
	sameRoots(t, n, 0, 1, 2)

	const says = "knows versions up to 1; upgrade the binary and start the node again"
	select {
	case <-n.Node(3).Done():
	case <-time.After(time.Minute):
		t.Fatal("the old binary goes on")
	}
	if err := n.Node(3).Err(); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("it stopped with %v", err)
	}
	n.StopNode(3)
	if err := n.TryNode(3); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("the old binary started again: %v", err)
	}
	roll(3)
	sameRoots(t, n, 0, 1, 2, 3)
	pay(t, n.Client(3), 0, 1, "4")
	for i, m := range modules {
		if m.runs.Load() != 1 {
			t.Errorf("member %d upgraded %d times", i, m.runs.Load())
		}
	}
	n.StopNode(0)
	n.SetRules(0, all.New())
	if err := n.TryNode(0); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("an old binary on a new state: %v", err)
	}
}

// try has member i propose a change, or vote for proposal 1 when there is none, through its own node.
func try(t *testing.T, n *simnet.Network, i int, change *networkv1.Change) error {
	t.Helper()
	c, address := n.Client(i), simnet.Address(simnet.Signer(i))
	d := draft(t, c).Vote(address, 1)
	if change != nil {
		d = draft(t, c).Propose(address, change)
	}
	o, err := c.Do(simnet.Within(t), d, simnet.Signer(i))
	if err != nil {
		return err
	}
	return client.Check(o)
}

func must(t *testing.T, n *simnet.Network, i int, change *networkv1.Change) {
	t.Helper()
	if err := try(t, n, i, change); err != nil {
		t.Fatalf("member %d: %v", i, err)
	}
}
