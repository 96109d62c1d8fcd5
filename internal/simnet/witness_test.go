package simnet_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/client/witness"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/modules/network"
)

// newWitness is a witness of a network that asks the given members.
func newWitness(t *testing.T, net *simnet.Network, name string, members ...int) *witness.Witness {
	t.Helper()
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	seed := sha256.Sum256([]byte(name))
	w := &witness.Witness{
		Name: name, Key: ed25519.NewKeyFromSeed(seed[:]), File: filepath.Join(t.TempDir(), "last.txt"), Anchor: anchor, Now: time.Now,
	}
	for _, i := range members {
		w.Nodes = append(w.Nodes, net.Client(i))
	}
	return w
}

func refusedWith(err error, code string) bool {
	refusal := (*client.Refusal)(nil)
	return errors.As(err, &refusal) && refusal.Code == code
}

// Two witnesses that the members voted for sign; every member collects their cosignatures, keeps them over a restart, and
// gives receipts that carry them.
func TestWitnessesTakePart(t *testing.T) {
	t.Parallel() // it mostly waits
	net := simnet.StartWith(t, 4, map[string]string{"witness.period": "1"})
	auditor, archive, stranger := newWitness(t, net, "auditor.example", 0, 1, 2, 3), newWitness(t, net, "archive.example", 3, 2, 1, 0), newWitness(t, net, "stranger.example", 1)
	parameters := network.DefaultParameters()
	parameters.Witnesses, parameters.LeastWitnesses = []string{auditor.Verifier().String(), archive.Verifier().String()}, 2
	admit(t, net, 4, &networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: parameters}})

	c := net.Client(2)
	paid := pay(t, net.Client(0), 0, 1, "5")
	if _, err := net.Client(0).WitnessedReceipt(t.Context(), paid.GetId(), 0, 0); !refusedWith(err, "checkpoint.not_witnessed") {
		t.Fatalf("nobody has signed: %v", err)
	}
	round := func(w *witness.Witness) {
		if _, err := w.Once(t.Context()); err != nil {
			t.Logf("%s: %v", w.Name, err) // no block may be old enough yet
		}
	}
	anchor, policy := auditor.Anchor, proof.Policy{Witnesses: []proof.Witness{auditor.Verifier(), archive.Verifier()}, Threshold: 2}
	var receipt []byte
	net.Eventually(func() (done bool) {
		round(auditor)
		round(archive)
		round(stranger)
		var err error
		receipt, err = c.WitnessedReceipt(t.Context(), paid.GetId(), 0, 0)
		return err == nil
	}, "no receipt is witnessed")
	v, err := anchor.VerifyWitnessed(receipt, policy)
	if err != nil || len(v.Cosignatures) != 2 || receipt[4] != 2 {
		t.Fatalf("version %d: %+v, %v", receipt[4], v, err)
	}
	plain, err := c.Receipt(t.Context(), paid.GetId(), 0)
	if err != nil || plain[4] != 1 {
		t.Errorf("a receipt that was not asked to be witnessed: %v", err)
	}
	if status, err := c.Status(t.Context()); err != nil || status.GetWitnessed().GetKnown() != 2 || status.GetWitnessed().GetHeight() < v.Height {
		t.Errorf("status %v, %v", status, err)
	}
	net.Eventually(func() bool { // the stranger gave its signature to one member, and it is outside the least
		round(stranger)
		r, err := net.Client(1).WitnessedReceipt(t.Context(), paid.GetId(), 0, 3)
		if err != nil {
			return false
		}
		v, err := anchor.VerifyWitnessed(r, policy)
		return err == nil && len(v.Cosignatures) == 2 && v.Others == 1
	}, "the stranger's cosignature is not kept")

	net.StopNode(2)
	net.StartNode(2)
	net.Eventually(func() bool {
		again, err := c.WitnessedReceipt(t.Context(), paid.GetId(), 0, 0)
		return err == nil && bytes.Equal(again, receipt)
	}, "cosignatures do not survive a restart")

	signature := make([]byte, 72)
	if err := c.AddCosignature(t.Context(), v.Height, auditor.Verifier(), signature); !refusedWith(err, "checkpoint.bad_cosignature") {
		t.Errorf("a signature of zeros: %v", err)
	}
	if err := c.AddCosignature(t.Context(), 1_000_000, auditor.Verifier(), signature); !refusedWith(err, "checkpoint.unknown") {
		t.Errorf("of a height that is not there: %v", err)
	}
	turnedAway := false
	for height := v.Height; height >= 2 && !turnedAway; height-- { // witnesses have skipped some
		turnedAway = refusedWith(c.AddCosignature(t.Context(), height, stranger.Verifier(), signature), "checkpoint.not_offered")
	}
	if !turnedAway {
		t.Error("a stranger may cosign any checkpoint")
	}
}
