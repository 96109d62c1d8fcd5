package network_test

import (
	"fmt"
	"math"
	"testing"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/modules/network"
)

func TestCountVoids(t *testing.T) {
	l, m := moduletest.New(), network.New(nil, nil, network.AppVersion)
	seoul := moduletest.Address("seoul")
	count := func() uint64 {
		member, _ := network.Member(l.View, seoul)
		return member.GetVoids()
	}
	for _, step := range []struct{ add, want uint64 }{{3, 3}, {0, 3}, {4, 7}, {math.MaxUint64 - 1, math.MaxUint64}, {9, math.MaxUint64}} {
		m.CountVoids(l.View, seoul, step.add)
		if got := count(); got != step.want {
			t.Errorf("after %d more: %d voids, want %d", step.add, got, step.want)
		}
	}
	before := l.View.Changes()
	m.CountVoids(l.View, moduletest.Address("nobody"), 5)
	if !moduletest.SameChanges(before, l.View.Changes()) {
		t.Error("voids of a sealer that is no member changed the state")
	}
}

// Evidence is kept under the validator's name with the member it was of, each deed once, the latest up to a bound.
func TestMisbehaved(t *testing.T) {
	l, m := moduletest.New(), network.New(nil, nil, network.AppVersion)
	seoul := moduletest.Address("seoul")
	member, _ := network.Member(l.View, seoul)
	validator := network.ValidatorOf(member.GetValidatorKey())
	duplicate := networkv1.MisbehaviourKind_MISBEHAVIOUR_KIND_DUPLICATE_VOTE
	for height := int64(1); height <= network.MaxEvidence+4; height++ {
		for range 2 { // two proofs of one deed
			m.Misbehaved(l.View, exec.Misbehaviour{Validator: validator, Kind: duplicate, Height: height, Time: 100 * height}, height+2)
		}
	}
	e, ok := network.EvidenceAgainst(l.View, validator)
	if !ok || e.GetCount() != network.MaxEvidence+4 || len(e.GetLatest()) != network.MaxEvidence || string(e.GetMember()) != string(seoul[:]) {
		t.Fatalf("evidence %v", e)
	}
	if first := e.GetLatest()[0]; first.GetHeight() != 5 || first.GetTime() != 500 || first.GetRecordedAt() != 7 || first.GetKind() != duplicate {
		t.Errorf("the oldest kept is %v", first)
	}
	if _, still := network.Member(l.View, seoul); !still {
		t.Error("the ledger itself removed the member")
	}
	stranger := network.Validator{1}
	m.Misbehaved(l.View, exec.Misbehaviour{Validator: stranger, Kind: duplicate, Height: 3}, 9)
	if e, ok := network.EvidenceAgainst(l.View, stranger); !ok || len(e.GetMember()) != 0 {
		t.Errorf("of a member that left: %v", e)
	}
	n := 0
	network.AllEvidence(l.View, func(network.Validator, *networkv1.Evidence) bool { n++; return true })
	if err := l.Check(); err != nil || n != 2 {
		t.Errorf("%d validators, %v", n, err)
	}
}

// The list of open proposals is bounded, whoever fills it.
func TestOpenProposalsAreBounded(t *testing.T) {
	g := moduletest.Genesis()
	for i := range 9 {
		name := fmt.Sprintf("m%d", i)
		a := moduletest.Address(name)
		g.Network.Members = append(g.Network.Members, &networkv1.Member{
			Address: a[:], Name: name, NodeKey: moduletest.Key(name + " node").Public, ValidatorKey: moduletest.Key(name + " validator").Public,
		})
	}
	l, err := moduletest.From(g)
	if err != nil {
		t.Fatal(err)
	}
	jeju := moduletest.Address("jeju")
	propose := func(name string) error {
		return moduletest.Do(l, name, &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: &networkv1.Change{
			Kind: &networkv1.Change_RemoveMember{RemoveMember: jeju[:]},
		}}}).Err
	}
	for i := range network.MaxOpen {
		if err := propose(fmt.Sprintf("m%d", i/network.MaxOpenPerProposer)); err != nil {
			t.Fatal(err)
		}
	}
	if err := propose("m8"); fault.Code(err) != "network.too_many_proposals" {
		t.Fatalf("one more: %v", err)
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	l.Now += network.Parameters(l.View).GetProposalMs()
	if err := propose("m8"); err != nil {
		t.Fatalf("when all have expired: %v", err)
	}
	if n := len(network.Open(l.View)); n != 1 {
		t.Errorf("%d proposals are open, want 1", n)
	}
}

func TestGenesisRefused(t *testing.T) {
	for name, spoil := range map[string]func(*networkv1.Genesis){
		"no members":           func(g *networkv1.Genesis) { g.Members = nil },
		"no validator":         func(g *networkv1.Genesis) { setPowers(g, 0) },
		"negative power":       func(g *networkv1.Genesis) { setPowers(g, -1) },
		"a member twice":       func(g *networkv1.Genesis) { g.Members[1].Address = g.Members[0].Address },
		"a key twice":          func(g *networkv1.Genesis) { g.Members[1].NodeKey = g.Members[0].ValidatorKey },
		"no key":               func(g *networkv1.Genesis) { g.Members[2].NodeKey = nil },
		"short address":        func(g *networkv1.Genesis) { g.Members[0].Address = []byte{1} },
		"no name":              func(g *networkv1.Genesis) { g.Members[0].Name = "" },
		"voids":                func(g *networkv1.Genesis) { g.Members[0].Voids = 1 },
		"unlimited parameters": func(g *networkv1.Genesis) { g.Parameters = &networkv1.Parameters{} },
		"version of tomorrow": func(g *networkv1.Genesis) {
			g.Parameters = network.DefaultParameters()
			g.Parameters.AppVersion = network.AppVersion + 1
		},
	} {
		g := moduletest.Genesis()
		spoil(g.Network)
		if _, err := moduletest.From(g); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func setPowers(g *networkv1.Genesis, power int64) {
	for _, m := range g.Members {
		m.Power = power
	}
}
