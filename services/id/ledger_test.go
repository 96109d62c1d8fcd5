package id_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

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
	n := id.Node{Client: c, Member: simnet.Address(signer), Do: func(ctx context.Context, d *client.Draft) (*apiv1.Outcome, error) { return c.Do(ctx, d, signer) },
		Sign: func(d *client.Draft) (*client.Signed, error) { return c.Sign(d, signer) }}
	ctx, lost := t.Context(), passkeytest.New(t, "localhost", "http://localhost")
	key := lost.Public(t)
	if rpID, origins, err := n.Rules(ctx); err != nil || rpID != "localhost" || len(origins) != 1 || origins[0] != "http://localhost" {
		t.Errorf("rules %q %q, %v", rpID, origins, err)
	}
	if _, err := n.Account(ctx, key.Address()); !errors.Is(err, id.ErrNoAccount) {
		t.Errorf("before it is opened: %v", err)
	}
	if err := n.Open(ctx, key); err != nil {
		t.Fatal(err)
	}
	if a, err := n.Account(ctx, key.Address()); err != nil || a.Frozen || a.Locked || !a.Ours || a.Wait != 72*time.Hour || len(a.Keys) != 1 || a.Keys[0] != (id.Key{Address: a.Address, Kind: "webauthn", Weight: 1}) {
		t.Errorf("%+v, %v", a, err)
	}
	if err := n.Open(ctx, key); !errors.Is(err, id.ErrOpen) {
		t.Errorf("a second time: %v", err)
	}
	if err := n.Open(ctx, passkey.Public{5}); err == nil || errors.Is(err, id.ErrOpen) {
		t.Errorf("no point of the curve: %v", err)
	}
	if a, err := n.Account(ctx, simnet.Address(simnet.Person(0))); err != nil || a.Keys[0].Kind == "webauthn" {
		t.Errorf("an account without a passkey: %+v, %v", a, err)
	}
	recoverAt(t, n, lost.Public(t))
	s, err := id.ReadSettings([]byte(`{"name": "Member", "issuer": "http://localhost", "operator": {"url": "http://localhost:2"}, "bank": {"url": "http://localhost:3"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := id.New(ctx, id.Config{Settings: s, Dir: t.TempDir(), Ledger: n}); err == nil || !strings.Contains(err.Error(), "sign transactions") {
		t.Errorf("a provider where people sign transactions: %v", err)
	}
}

// recoverAt begins a recovery as the wallet does, by the signature of the new passkey beside the member's.
func recoverAt(t *testing.T, n id.Node, lost passkey.Public) {
	t.Helper()
	ctx, fresh := t.Context(), passkeytest.New(t, "localhost", "http://localhost")
	to := fresh.Public(t)
	network, err := n.Client.Network(ctx)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := n.Recover(ctx, lost.Address(), to)
	if err != nil {
		t.Fatal(err)
	}
	half, err := client.ReadSigned(network, raw)
	if err != nil || time.Until(half.NotAfter) > id.RecoverWithin {
		t.Fatal(half, err)
	}
	if o, err := n.Client.Submit(ctx, half); err == nil && o.GetStatus() == client.StatusOK {
		t.Fatal("a recovery began without its key")
	}
	if raw, err = n.Recover(ctx, lost.Address(), to); err != nil {
		t.Fatal(err)
	}
	signed, err := client.ReadSigned(network, fresh.Sign(t, raw, network))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := n.Client.Submit(ctx, signed); err != nil || client.Check(o) != nil {
		t.Fatal(o, err)
	}
	a, err := n.Account(ctx, lost.Address())
	own := to.Address()
	if err != nil || a.Recovery == nil || !strings.EqualFold(a.Recovery.Key, "0x"+hex.EncodeToString(own[:])) || time.Until(time.UnixMilli(a.Recovery.ReadyAt)) < 71*time.Hour {
		t.Errorf("%+v, %v", a.Recovery, err)
	}
	if err := n.Finish(ctx, lost.Address(), own); !errors.Is(err, id.ErrTooEarly) {
		t.Errorf("finished at once: %v", err)
	}
	if err := n.Finish(ctx, lost.Address(), [20]byte{1}); err != nil {
		t.Errorf("no recovery to finish: %v", err)
	}
}
