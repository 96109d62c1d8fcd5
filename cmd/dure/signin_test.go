package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/passkey"
)

// The address that a provider makes of a passkey is the ledger's.
func TestPasskeyAddress(t *testing.T) {
	for range 8 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		public := passkey.Public(append([]byte{2 | point[64]&1}, point[1:33]...))
		want := tx.Key{Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, Public: public[:]}
		if err := tx.CheckKey(want); err != nil {
			t.Fatal(err)
		}
		if got := public.Address(); tx.Address(got) != want.Address() {
			t.Errorf("%x, the ledger says %s", got, want.Address())
		}
	}
}

// A fresh demonstration can be signed in to: its settings are such as a provider takes.
func TestDemoSignin(t *testing.T) {
	d := demo(filepath.Join(t.TempDir(), "dev"))
	if err := d.create(demoPlan{validators: accountv1.KeyKind_KEY_KIND_ED25519, api: 19_000, p2p: 19_100, signin: 19_200}); err != nil {
		t.Fatal(err)
	}
	if d.signinPort() != 19_200 || demo(t.TempDir()).signinPort() != 0 {
		t.Errorf("the port is %d", d.signinPort())
	}
	for i, member := range demoProviders {
		raw, err := os.ReadFile(d.signin(member + ".json"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := id.ReadSettings(raw)
		if err != nil || s.Issuer != issuer(19_200+i) || len(s.Services) != 1 {
			t.Errorf("%s: %+v, %v", member, s, err)
		}
	}
	var genesis struct {
		Network struct {
			Parameters struct {
				RpID    string   `json:"rpId"`
				Origins []string `json:"origins"`
			} `json:"parameters"`
		} `json:"network"`
	}
	raw, err := os.ReadFile(filepath.Join(string(d), "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &genesis); err != nil || genesis.Network.Parameters.RpID != "localhost" || len(genesis.Network.Parameters.Origins) != len(demoMembers) || slices.Contains(genesis.Network.Parameters.Origins, issuer(19_200)) {
		t.Errorf("%+v, %v", genesis, err)
	}
}
