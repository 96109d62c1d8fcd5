package node_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/internal/simnet"
)

// A node without an index still tells its status, finds what was committed lately with its receipt, and says clearly
// what it cannot.
func TestNodeWithoutIndex(t *testing.T) {
	net := simnet.Start(t, 1)
	net.StopNode(0)
	f, err := os.OpenFile(net.Home(0).Config(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("\nindex: false\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	net.StartNode(0)
	net.Ready()
	c := net.Client(0)
	alice, bob := simnet.Person(0), simnet.Person(1)
	network, err := c.Network(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := c.Do(t.Context(), client.NewTransaction(network).Transfer(simnet.Address(alice), simnet.Address(bob), "krw", "5"), alice)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := c.Status(t.Context()); err != nil || st.GetIndexHeight() != 0 || st.GetHeight() == 0 || st.GetStateKeys() == 0 {
		t.Errorf("status %v, %v", st, err)
	}
	if found, err := c.Find(t.Context(), outcome.GetId()); err != nil || found.GetOutcome().GetSeq() != outcome.GetSeq() {
		t.Errorf("found %v, %v", found, err)
	}
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if _, v, err := c.Prove(t.Context(), outcome.GetId(), anchor); err != nil || !v.OK() {
		t.Errorf("receipt: %v", err)
	}
	impatient, err := client.Dial(client.Config{Addresses: []string{net.URL(0)}, Patience: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range impatient.Accounts(t.Context(), simnet.Address(simnet.Signer(0))) {
		if refusal := (*client.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != "index.off" {
			t.Errorf("a list without an index: %v", err)
		}
		break
	}
}
