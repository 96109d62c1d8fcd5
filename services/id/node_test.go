package id_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/passkey/passkeytest"
	"github.com/dureledger/dure/services/id/vault"
)

// On a real ledger a provider finds the services of organisations, and its member's records of consents.
func TestNodeServicesAndReceipts(t *testing.T) {
	net := simnet.Start(t, 1)
	c, signer := net.Client(0), simnet.Signer(0)
	sent := 0
	n := id.Node{Client: c, Member: simnet.Address(signer), Do: func(ctx context.Context, d *client.Draft) (*apiv1.Outcome, error) {
		sent++
		return c.Do(ctx, d, signer)
	}}
	ctx := t.Context()
	do := func(d *client.Draft) {
		t.Helper()
		outcome, err := c.Do(ctx, d, signer)
		if err := errors.Join(err, client.Check(outcome)); err != nil {
			t.Fatal(err)
		}
	}
	network, err := c.Network(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Service(ctx, n.Member); !errors.Is(err, id.ErrNoService) {
		t.Errorf("before it is set: %v", err)
	}
	key := point(t, passkeytest.New(t, "", "").Key)
	do(client.NewTransaction(network).SetService(n.Member, &identityv1.Service{NameKo: "의원", NameEn: "Clinic", RedirectUris: []string{"https://clinic.example/cb"}, Keys: [][]byte{key},
		MayAsk: []string{"phone", "shoe_size", "account"}, Pairwise: true}))
	p, err := n.Service(ctx, n.Member)
	if err != nil || p.Name != "의원 Clinic" || p.Organisation == "" || !p.OnLedger || len(p.Keys) != 1 || len(p.MayAsk) != 1 || p.MayAsk[0] != id.ItemPhone || p.Subject != "pairwise" {
		t.Errorf("%+v, %v", p, err)
	}
	if err := p.Check(); err == nil { // an account is no client id of the settings
		t.Error("the settings could take the place of a service on the ledger")
	}
	do(client.NewTransaction(network).RemoveService(n.Member, n.Member, identityv1.Reason_REASON_ENDED))
	if _, err := n.Service(ctx, n.Member); !errors.Is(err, id.ErrNoService) {
		t.Errorf("after it was removed: %v", err)
	}

	document := vault.Consent{Service: "shop", Name: "Shop", Asked: []string{"phone"}, Agreed: []string{"phone"}, At: 1, Salt: make([]byte, 16)}.Document([20]byte{1})
	first := vault.Receipt{Digest: sha256.Sum256(document), Size: len(document)}
	second := vault.Receipt{Digest: [32]byte{2}, Size: len(document), Withdrawn: true} // withdrawn before it was recorded
	if _, err := n.Receipt(ctx, first.Digest); !errors.Is(err, id.ErrNoReceipt) {
		t.Errorf("before it is recorded: %v", err)
	}
	for range 2 { // the second time, as after a crash, nothing is missing
		if err := n.Record(ctx, []vault.Receipt{first, second}); err != nil {
			t.Fatal(err)
		}
	}
	if sent != 1 {
		t.Errorf("%d transactions were sent", sent)
	}
	r, err := n.Receipt(ctx, first.Digest)
	if raw, bad := hex.DecodeString(r.Transaction); err != nil || bad != nil || len(raw) != 32 || r.At == 0 || r.Withdrawn {
		t.Errorf("%+v, %v", r, err)
	}
	until(t, "the node has no block of it", func() bool { r, err := n.Receipt(ctx, first.Digest); return err == nil && r.Height > 0 })
	first.Withdrawn = true
	if err := n.Record(ctx, []vault.Receipt{first}); err != nil {
		t.Fatal(err)
	}
	for _, digest := range [][32]byte{first.Digest, second.Digest} {
		if r, err := n.Receipt(ctx, digest); err != nil || !r.Withdrawn {
			t.Errorf("%+v, %v", r, err)
		}
	}
}
