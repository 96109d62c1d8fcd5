package simnet_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/light"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/modules/network"
	"github.com/dureledger/dure/node"
)

// What a network goes through beside its blocks holds where all validators sign with ML-DSA-65: a member joins by a snapshot, its vote
// counts, and it leaves; one is restored from a backup; outside witnesses cosign.
func TestPostQuantumLife(t *testing.T) {
	t.Parallel() // it mostly waits
	net := simnet.StartPostQuantum(t, 4, map[string]string{"snapshot.interval": "8", "witness.period": "1"})
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	first := pay(t, net.Client(0), 0, 1, "1")
	auditor := newWitness(t, net, "auditor.example", 0, 1)
	parameters := network.DefaultParameters()
	parameters.Witnesses, parameters.LeastWitnesses = []string{auditor.Verifier().String()}, 1
	admit(t, net, 4, &networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: parameters}})

	five := joinBySnapshot(t, net)
	for _, id := range []string{first.GetId(), pay(t, net.Client(five), 0, 1, "6").GetId()} {
		if _, _, err := net.Client(five).Prove(t.Context(), id, anchor); err != nil {
			t.Errorf("from the member that joined: %v", err)
		}
	}
	joined := simnet.Address(simnet.Signer(five))
	admit(t, net, 5, &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: joined[:], Power: 10}}})
	for n := range 3 { // the change of power takes effect two blocks later
		pay(t, net.Client(1), n, n+1, "7")
	}
	restoreFromBackup(t, net, 3, five)
	if _, _, err := net.Client(3).Prove(t.Context(), first.GetId(), anchor); err != nil {
		t.Errorf("from the restored member: %v", err)
	}

	paid := pay(t, net.Client(1), 0, 1, "8")
	var receipt []byte
	net.Eventually(func() bool {
		if _, err := auditor.Once(t.Context()); err != nil {
			t.Logf("the witness: %v", err) // no block may be old enough yet
		}
		receipt, err = net.Client(1).WitnessedReceipt(t.Context(), paid.GetId(), 0, 0)
		return err == nil
	}, "no receipt is witnessed")
	v, err := anchor.VerifyWitnessed(receipt, proof.Policy{Witnesses: []proof.Witness{auditor.Verifier()}, Threshold: 1})
	if err != nil || len(v.Cosignatures) != 1 || receipt[4] != 3 || v.Changes == 0 {
		t.Fatalf("version %d: %+v, %v", receipt[4], v, err)
	}
	refuseChanges(t, anchor, receipt)

	admit(t, net, 5, &networkv1.Change{Kind: &networkv1.Change_RemoveMember{RemoveMember: joined[:]}})
	for n := range 3 { // it votes until two blocks later
		pay(t, net.Client(1), n, n+1, "9")
	}
	net.StopNode(five)
	pay(t, net.Client(1), 0, 1, "10")
	sameRoots(t, net, 0, 1, 2, 3)
}

// joinBySnapshot takes a fifth member in, which begins with a snapshot of the others.
func joinBySnapshot(t *testing.T, net *simnet.Network) int {
	t.Helper()
	five, card := net.Join(0, map[string]string{"sync.servers": net.URL(0) + "," + net.URL(1)})
	if len(card.GetValidatorKey()) != 1952 {
		t.Fatalf("a key of %d bytes", len(card.GetValidatorKey()))
	}
	admit(t, net, 4, &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: card}})
	// A change of validators before the snapshot, which the new node has to prove without having its header.
	one := simnet.Address(simnet.Signer(1))
	admit(t, net, 5, &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: one[:], Power: 9}}})
	for i := range 4 {
		net.Eventually(func() bool {
			pay(t, net.Client(0), 2, 3, "1")
			return strings.Contains(net.Log(i), "snapshot made")
		}, "member %d makes no snapshot", i)
	}
	net.StartNode(five)
	pay(t, net.Client(0), 0, 1, "5")
	sameRoots(t, net, 0, 1, 2, 3, five)
	if !strings.Contains(net.Log(five), "the snapshot is verified and stored") {
		t.Error("the new node did not begin with a snapshot")
	}
	return five
}

// restoreFromBackup makes a member's node anew from a backup that was written while it ran. The others go on meanwhile, which takes the
// vote of the one that joined.
func restoreFromBackup(t *testing.T, net *simnet.Network, i, joined int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "b.tar")
	writeBackup(t, net.Home(i), file)
	net.StopNode(i)
	pay(t, net.Client(joined), 0, 1, "2")
	home := node.Home(filepath.Join(t.TempDir(), "again"))
	for _, name := range []string{"node", "validator"} {
		key, err := net.Home(i).Key(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := home.SetKey(name, key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := node.Restore(home, file, nil, nil); err != nil {
		t.Fatal(err)
	}
	net.Move(i, home)
	net.StartNode(i)
	pay(t, net.Client(joined), 0, 1, "3")
	sameRoots(t, net, 0, 1, 2, i, joined)
}

// The way to ML-DSA-65 of a network that runs, as docs/post-quantum.md has it: a member leaves and comes back with another key and its account.
func TestMovingToPostQuantum(t *testing.T) {
	t.Parallel() // it mostly waits
	net := simnet.Start(t, 4)
	c, mover := net.Client(0), simnet.Signer(3)
	first := pay(t, c, 0, 1, "1")
	account := simnet.Address(mover)
	admit(t, net, 4, &networkv1.Change{Kind: &networkv1.Change_RemoveMember{RemoveMember: account[:]}})
	for n := range 3 { // it votes until two blocks later
		pay(t, c, n, n+1, "2")
	}
	net.StopNode(3)
	again, card := net.JoinBy(mover, accountv1.KeyKind_KEY_KIND_ML_DSA_65, 0, nil)
	admit(t, net, 3, &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: card}})
	net.StartNode(again)
	pay(t, c, 0, 1, "3")
	sameRoots(t, net, 0, 1, 2, again)
	admit(t, net, 4, &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: account[:], Power: 10}}})
	for n := range 3 {
		pay(t, c, n, n+1, "4")
	}
	net.StopNode(2) // now every block takes its vote
	last := pay(t, net.Client(again), 0, 1, "5")
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{first.GetId(), last.GetId()} {
		receipt, v, err := net.Client(again).Prove(t.Context(), id, anchor)
		if err != nil {
			t.Fatal(err)
		}
		if id == last.GetId() && (v.Changes != 2 || receipt[4] != 3) {
			t.Errorf("a receipt of version %d over %d changes of validators", receipt[4], v.Changes)
		}
	}
}
