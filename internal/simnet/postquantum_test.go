package simnet_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/dureledger/dure/client/light"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/proof"
)

// TestPostQuantumValidators: members whose validators sign with ML-DSA-65 run a network; its receipts and checkpoints hold offline and
// nothing in them can be changed; a member that was away comes back; one whose key is Ed25519 is taken in.
func TestPostQuantumValidators(t *testing.T) {
	t.Parallel() // it mostly waits
	net := simnet.StartPostQuantum(t, 4, nil)
	c := net.Client()
	paid := pay(t, c, 0, 1, "5")
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	receipt, v, err := c.Prove(t.Context(), paid.GetId(), anchor)
	if err != nil {
		t.Fatal(err)
	}
	if receipt[4] != 3 || !v.OK() || v.Signatures != 3 || len(receipt) > 16<<10 {
		t.Errorf("a receipt of version %d and %d bytes with %d signatures", receipt[4], len(receipt), v.Signatures)
	}
	refuseChanges(t, anchor, receipt)

	net.StopNode(3)
	for range 3 {
		paid = pay(t, net.Client(0), 0, 1, "5")
	}
	net.StartNode(3)
	sameRoots(t, net, 0, 3)
	if _, _, err := net.Client(3).Prove(t.Context(), paid.GetId(), anchor); err != nil {
		t.Errorf("from the member that was away: %v", err)
	}

	_, card := net.JoinBy(simnet.Signer(4), accountv1.KeyKind_KEY_KIND_ED25519, 10, nil)
	admit(t, net, 4, &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: card}})
	net.Eventually(func() bool {
		last := pay(t, c, 1, 0, "1")
		receipt, v, err = c.Prove(t.Context(), last.GetId(), anchor)
		return err == nil && v.Changes == 1 && v.Validators == 5
	}, "no receipt over the change of validators: %v", err)
	decoded, err := proof.DecodeReceipt(receipt)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[int]int{}
	for _, one := range decoded.Evidence.Changes[0].Next {
		kinds[len(one.Key)]++
	}
	if kinds[32] != 1 || kinds[1952] != 4 {
		t.Errorf("the new set has keys of these lengths: %v", kinds)
	}
	refuseChanges(t, anchor, receipt)
}

// refuseChanges changes bytes all over a receipt, one at a time.
func refuseChanges(t *testing.T, anchor *light.Anchor, receipt []byte) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		bad, i := bytes.Clone(receipt), random.IntN(len(receipt))
		bad[i] ^= 1 << random.IntN(8)
		if _, err := anchor.VerifyReceipt(bad); err == nil {
			t.Errorf("byte %d of %d changed and nobody notices", i, len(bad))
		}
	}
}
