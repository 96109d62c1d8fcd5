package asset_test

import (
	"strings"
	"testing"

	"github.com/holiman/uint256"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/asset"
)

func TestGenesis(t *testing.T) {
	seoul, nobody := moduletest.Address("seoul"), moduletest.Address("nobody")
	krw := &assetv1.GenesisClass{Asset: "krw", Issuer: seoul[:], Cap: "100"}
	has := func(a tx.Address, amount string) *assetv1.GenesisBalance {
		return &assetv1.GenesisBalance{Asset: "krw", Account: a[:], Amount: amount}
	}
	for _, tc := range []struct {
		name     string
		classes  []*assetv1.GenesisClass
		balances []*assetv1.GenesisBalance
		want     string // part of the error; "": accepted
	}{
		{"nothing", nil, nil, ""},
		{"up to the cap", []*assetv1.GenesisClass{krw}, []*assetv1.GenesisBalance{has(seoul, "99"), has(moduletest.Address("jeju"), "1")}, ""},
		{"over the cap", []*assetv1.GenesisClass{krw}, []*assetv1.GenesisBalance{has(seoul, "101")}, "asset.cap_exceeded"},
		{"twice the same balance", []*assetv1.GenesisClass{krw}, []*assetv1.GenesisBalance{has(seoul, "1"), has(seoul, "1")}, "listed twice"},
		{"twice the same class", []*assetv1.GenesisClass{krw, krw}, nil, "asset.exists"},
		{"no such class", nil, []*assetv1.GenesisBalance{has(seoul, "1")}, "asset.unknown"},
		{"no such account", []*assetv1.GenesisClass{krw}, []*assetv1.GenesisBalance{has(nobody, "1")}, "asset.unknown_receiver"},
		{"no such issuer", []*assetv1.GenesisClass{{Asset: "usd", Issuer: nobody[:]}}, nil, "asset.unknown_receiver"},
		{"nothing of it", []*assetv1.GenesisClass{krw}, []*assetv1.GenesisBalance{has(seoul, "0")}, "amount.zero"},
		{"bad id", []*assetv1.GenesisClass{{Asset: "KRW", Issuer: seoul[:]}}, nil, "asset.bad_name"},
	} {
		g := moduletest.Genesis()
		g.Asset = &assetv1.Genesis{Classes: tc.classes, Balances: tc.balances}
		_, err := moduletest.From(g)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// A refusal carries the values that failed, for programs.
func TestRefusalNamesValues(t *testing.T) {
	l, err := moduletest.Play("seoul asset.create asset=usd decimals=2", "seoul asset.issue asset=usd to=busan amount=120000")
	if err != nil {
		t.Fatal(err)
	}
	busan, jeju := moduletest.Address("busan"), moduletest.Address("jeju")
	r := moduletest.Do(l, "busan", &txv1.Action_AssetTransfer{AssetTransfer: &assetv1.Transfer{Asset: "usd", To: jeju[:], Amount: "500000"}})
	got := fault.As(r.Err)
	if want := busan.String() + " has 1,200.00 usd but 5,000.00 are needed."; got.Message != want {
		t.Errorf("message %q, want %q", got.Message, want)
	}
	want := []fault.Field{
		{Name: "asset", Value: "usd"}, {Name: "account", Value: busan.String()}, {Name: "balance", Value: "120000"}, {Name: "amount", Value: "500000"},
	}
	for i, f := range want {
		if i >= len(got.Fields) || got.Fields[i] != f {
			t.Errorf("fields %v, want %v", got.Fields, want)
			break
		}
	}
}

// Ids that begin alike do not mix in the key space.
func TestIDsDoNotMix(t *testing.T) {
	l, err := moduletest.Play("seoul asset.create asset=k", "seoul asset.create asset=kr", "seoul asset.issue asset=kr to=busan amount=7",
		"seoul asset.issue asset=k to=jeju amount=9")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	asset.AscendBalances(l.View, "k", func(a tx.Address, amount uint256.Int) bool {
		n++
		if a != moduletest.Address("jeju") || amount.Dec() != "9" {
			t.Errorf("%s has %s", a, amount.Dec())
		}
		return true
	})
	if n != 1 {
		t.Errorf("%d holders of k, want 1", n)
	}
}
