package id_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/passkey/passkeytest"
)

// On a real ledger the account of a passkey is where the provider looks for it, and is opened once.
func TestNode(t *testing.T) {
	net := simnet.Start(t, 1)
	c, signer := net.Client(0), simnet.Signer(0)
	n := id.Node{Client: c, Member: simnet.Address(signer), Do: func(ctx context.Context, d *client.Draft) (*apiv1.Outcome, error) { return c.Do(ctx, d, signer) }}
	ctx, key := t.Context(), passkeytest.New(t, "localhost", "http://localhost").Public(t)
	if rpID, origins, err := n.Rules(ctx); err != nil || rpID != "localhost" || len(origins) != 1 || origins[0] != "http://localhost" {
		t.Errorf("rules %q %q, %v", rpID, origins, err)
	}
	if _, err := n.Account(ctx, key.Address()); !errors.Is(err, id.ErrNoAccount) {
		t.Errorf("before it is opened: %v", err)
	}
	if err := n.Open(ctx, key); err != nil {
		t.Fatal(err)
	}
	if a, err := n.Account(ctx, key.Address()); err != nil || !a.Passkey || a.Frozen || a.Key != a.Address {
		t.Errorf("%+v, %v", a, err)
	}
	if err := n.Open(ctx, key); !errors.Is(err, id.ErrOpen) {
		t.Errorf("a second time: %v", err)
	}
	if err := n.Open(ctx, passkey.Public{5}); err == nil || errors.Is(err, id.ErrOpen) {
		t.Errorf("no point of the curve: %v", err)
	}
	if a, err := n.Account(ctx, simnet.Address(simnet.Person(0))); err != nil || a.Passkey {
		t.Errorf("an account without a passkey: %+v, %v", a, err)
	}
	s, err := id.ReadSettings([]byte(`{"name": "Member", "issuer": "http://localhost", "operator": {"url": "http://localhost:2"}, "bank": {"url": "http://localhost:3"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := id.New(ctx, id.Config{Settings: s, Dir: t.TempDir(), Ledger: n}); err == nil || !strings.Contains(err.Error(), "sign transactions") {
		t.Errorf("a provider where people sign transactions: %v", err)
	}
}
