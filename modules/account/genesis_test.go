package account_test

import (
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/modules/account"
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
		l, err := moduletest.From(g)
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil {
			continue
		}
		for _, e := range tc.entries {
			if a, ok := account.Get(l.View, [20]byte(e.Address)); !ok || a.GetKind() != kind || a.GetOpenedAt() != moduletest.Start {
				t.Errorf("%s: stored %v", tc.name, a)
			}
		}
	}
}
