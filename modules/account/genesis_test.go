package account_test

import (
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/modules/account"
	"github.com/dureledger/dure/modules/all"
)

func entry(name, sponsor string, kind accountv1.KeyKind) *accountv1.GenesisAccount {
	a, s := moduletest.Address(name), moduletest.Address(sponsor)
	return &accountv1.GenesisAccount{Address: a[:], Sponsor: s[:], Kind: kind}
}

func TestGenesis(t *testing.T) {
	const kind = accountv1.KeyKind_KEY_KIND_P256
	for _, tc := range []struct {
		name    string
		entries []*accountv1.GenesisAccount
		ok      bool
	}{
		{"none", nil, true},
		{"a member and a customer", []*accountv1.GenesisAccount{entry("seoul", "seoul", kind), entry("alice", "seoul", kind)}, true},
		{"a sponsor that gets its account as member", []*accountv1.GenesisAccount{entry("alice", "jeju", kind)}, true},
		{"a sponsor that is no member", []*accountv1.GenesisAccount{entry("alice", "alice", kind)}, false},
		{"a member of another's", []*accountv1.GenesisAccount{entry("seoul", "busan", kind)}, false},
		{"twice", []*accountv1.GenesisAccount{entry("alice", "jeju", kind), entry("alice", "jeju", kind)}, false},
		{"a kind of tomorrow", []*accountv1.GenesisAccount{entry("alice", "jeju", 77)}, false},
		{"no address", []*accountv1.GenesisAccount{{Sponsor: entry("seoul", "seoul", kind).Address}}, false},
		{"no sponsor", []*accountv1.GenesisAccount{{Address: entry("alice", "seoul", kind).Address}}, false},
	} {
		g := moduletest.Genesis()
		g.Account = &accountv1.Genesis{Accounts: tc.entries}
		view, err := genesis(g)
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil {
			continue
		}
		if err := all.CheckAll(view); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		for _, e := range tc.entries {
			if a, ok := account.Get(view, [20]byte(e.Address)); !ok || a.GetKind() != kind || a.GetOpenedAt() != moduletest.Start {
				t.Errorf("%s: stored %v", tc.name, a)
			}
		}
	}
}

func genesis(g *ledgerv1.Genesis) (*state.View, error) {
	view := state.NewView(state.NewTree())
	for _, m := range all.All() {
		if err := m.Genesis(view, g); err != nil {
			return nil, err
		}
	}
	return view, nil
}
