package simnet_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/consensus"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/tx"
)

// A member joins from a snapshot: it has the others' state, pays, proves what is new, and says what it does not have. One
// of the peers that offer the snapshot lies.
func TestJoinFromASnapshot(t *testing.T) {
	t.Parallel() // it mostly waits
	net := simnet.StartWith(t, 4, map[string]string{"snapshot.interval": "10"})
	c := net.Client(0, 1, 2, 3)
	first := pay(t, c, 0, 1, "1")
	five, card := net.Join(0, map[string]string{"sync.servers": net.URL(0) + "," + net.URL(1)})
	admit(t, net, 4, &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: card}})
	// A change of validators before the snapshot, which the new node has to prove without having its header.
	one := simnet.Address(simnet.Signer(1))
	admit(t, net, 5, &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: one[:], Power: 9}}})
	for n := range 10 {
		pay(t, c, n%simnet.People, (n+1)%simnet.People, strconv.Itoa(n+1))
	}
	for i := range 4 {
		net.Eventually(func() bool { return strings.Contains(net.Log(i), "snapshot made") }, "member %d makes no snapshot", i)
	}
	falsify(t, filepath.Join(string(net.Home(2)), "data", "snapshots"))

	net.StartNode(five)
	pay(t, c, 0, 1, "5")
	sameRoots(t, net, 0, 1, 2, 3, five)
	if !strings.Contains(net.Log(five), "the snapshot is verified and stored") {
		t.Error("the new node did not begin with a snapshot")
	}
	own := net.Client(five)
	paid := pay(t, own, 0, 1, "6")
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if _, v, err := own.Prove(t.Context(), paid.GetId(), anchor); err != nil || v.Changes == 0 {
		t.Errorf("the receipt of a new payment: %+v, %v", v, err)
	}
	if _, _, err := own.Prove(t.Context(), first.GetId(), anchor); err != nil {
		t.Errorf("the receipt of a payment that the snapshot carries: %v", err)
	}
	var accounts int
	for _, err := range own.Accounts(t.Context(), tx.Address{}) {
		if err != nil {
			t.Fatal(err)
		}
		accounts++
	}
	if want := simnet.People + 5; accounts != want {
		t.Errorf("%d accounts are listed, not %d", accounts, want)
	}
	net.StopNode(five)
	// As if it had been killed before consensus took over.
	if err := consensus.Forget(filepath.Join(string(net.Home(five)), "data", "consensus")); err != nil {
		t.Fatal(err)
	}
	net.StartNode(five)
	if !strings.Contains(net.Log(five), "it begins anew") {
		t.Error("it did not begin anew")
	}
	pay(t, own, 0, 1, "7")
	sameRoots(t, net, 0, 1, 2, 3, five)
}

// falsify flips a byte in a piece of every snapshot in a folder that is made; one may be being made.
func falsify(t *testing.T, dir string) {
	t.Helper()
	pieces, err := filepath.Glob(filepath.Join(dir, "[0-9]*", "00000001"))
	if err != nil || len(pieces) == 0 {
		t.Fatalf("no snapshot in %s: %v", dir, err)
	}
	for _, piece := range pieces {
		raw, err := os.ReadFile(piece)
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)-1] ^= 1
		if err := os.WriteFile(piece, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
