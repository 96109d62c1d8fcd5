package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dureledger/dure/client/keystore"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/genesis"
)

// A demonstration has cars when it was made with them; one of an earlier version goes on without.
func TestDemoHasCars(t *testing.T) {
	fresh := demo(filepath.Join(t.TempDir(), "dev"))
	if err := fresh.create(demoPlan{api: 19_000, p2p: 19_100, signin: 19_200, validators: accountv1.KeyKind_KEY_KIND_ED25519}); err != nil {
		t.Fatal(err)
	}
	if !fresh.hasCars() {
		t.Error("a fresh demonstration has no cars")
	}
	old := demo(t.TempDir())
	if err := os.MkdirAll(old.client(), 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := keystore.Open(filepath.Join(old.client(), "keys"), keystore.WorkFactor(demoWorkFactor))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.New("alice", accountv1.KeyKind_KEY_KIND_ED25519, "secret"); err != nil {
		t.Fatal(err)
	}
	if old.hasCars() {
		t.Error("an old demonstration has cars")
	}
}

// Passkeys count at the wallets of the members' nodes, and at the address that dure up names.
func TestDemoTakesPasskeys(t *testing.T) {
	d := demo(filepath.Join(t.TempDir(), "dev"))
	if err := d.create(demoPlan{api: 19_000, p2p: 19_100, validators: accountv1.KeyKind_KEY_KIND_ED25519}); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(string(d), "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := genesis.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	p := g.GetNetwork().GetParameters()
	if p.GetRpId() != "localhost" || len(p.GetOrigins()) != 4 || p.GetOrigins()[3] != "http://localhost:19003" {
		t.Errorf("%s, %v", p.GetRpId(), p.GetOrigins())
	}
	if got := walletAt("127.0.0.1:19003"); got != p.GetOrigins()[3] {
		t.Errorf("dure up names %s", got)
	}
}

func TestPercent(t *testing.T) {
	for text, want := range map[string]float64{"0%": 0, "1%": 0.01, "2.5%": 0.025, "100%": 1} {
		if got, err := percent("--liars", text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "%", "-1%", "101%", "NaN%", "x%"} {
		if _, err := percent("--liars", text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
