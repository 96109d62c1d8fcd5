package network_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/modules/network"
)

// witness is the verifier key of a name and a seed.
func witness(name, seed string) string {
	sum := sha256.Sum256([]byte(seed))
	return proof.Witness{Name: name, Key: ed25519.NewKeyFromSeed(sum[:]).Public().(ed25519.PublicKey)}.String()
}

func withWitnesses(least uint32, list ...string) *networkv1.Parameters {
	p := network.DefaultParameters()
	p.Witnesses, p.LeastWitnesses = list, least
	return p
}

// Witnesses are chosen by vote like every parameter, and none is what a genesis file without them means.
func TestWitnessesByVote(t *testing.T) {
	l := moduletest.New()
	if list, least := network.Witnesses(l.View); len(list) != 0 || least != 0 {
		t.Fatalf("a network begins with %v, %d", list, least)
	}
	var many []string
	for i := range network.MaxWitnesses {
		name := strings.Repeat("w", network.MaxWitnessName-2) + fmt.Sprintf("%02d", i)
		many = append(many, witness(name, name))
	}
	change := &networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: withWitnesses(3, many...)}}
	if r := moduletest.Do(l, "seoul", &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: change}}); r.Err != nil {
		t.Fatal(r.Err)
	}
	for _, member := range []string{"busan", "jeju"} {
		if r := moduletest.Do(l, member, &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: network.NewestProposal(l.View)}}); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	list, least := network.Witnesses(l.View)
	if len(list) != network.MaxWitnesses || least != 3 || list[7].String() != many[7] {
		t.Errorf("%d witnesses, least %d", len(list), least)
	}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

func TestWitnessesRefused(t *testing.T) {
	good := witness("auditor.example", "a")
	zero := proof.Witness{Name: "zero.example", Key: make([]byte, 32)} // a point of small order
	var many []string
	for i := range network.MaxWitnesses + 1 {
		many = append(many, witness(fmt.Sprint("w", i), fmt.Sprint(i)))
	}
	for name, p := range map[string]*networkv1.Parameters{
		"no key":        withWitnesses(0, "auditor.example"),
		"a typing slip": withWitnesses(0, strings.Replace(good, "auditor", "auditer", 1)),
		"same name":     withWitnesses(0, good, witness("auditor.example", "b")),
		"same key":      withWitnesses(0, good, witness("other.example", "a")),
		"long name":     withWitnesses(0, witness(strings.Repeat("n", network.MaxWitnessName+1), "c")),
		"weak key":      withWitnesses(0, zero.String()),
		"too many":      withWitnesses(0, many...),
		"least":         withWitnesses(2, good),
		"least of none": withWitnesses(1),
	} {
		g := moduletest.Genesis()
		g.Network.Parameters = p
		if _, err := moduletest.From(g); fault.Code(err) != "network.bad_parameter" || len(err.Error()) > 500 {
			t.Errorf("%s: %v", name, err)
		}
	}
	g := moduletest.Genesis()
	g.Network.Parameters = withWitnesses(1, good)
	if _, err := moduletest.From(g); err != nil {
		t.Error(err)
	}
}
