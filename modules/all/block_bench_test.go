package all_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
)

// BenchmarkExecute is a block of 1,000 transfers between random pairs of 10,000 accounts, from verified transactions to
// the app hash.
func BenchmarkExecute(b *testing.B) {
	const accounts, transfers = 10_000, 1000
	g := chainGenesis()
	seoul := moduletest.Address("seoul")
	name := func(i int) string { return fmt.Sprintf("account %d", i) }
	for i := range accounts {
		a := moduletest.Address(name(i))
		g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{
			Address: a[:], Sponsor: seoul[:], Kind: accountv1.KeyKind_KEY_KIND_ED25519,
		})
		g.Asset.Balances = append(g.Asset.Balances, &assetv1.GenesisBalance{Asset: "krw", Account: a[:], Amount: "1000000"})
	}
	c := chainFrom(b, all.New(), g)
	random := rand.New(rand.NewPCG(1, 2))
	txs := make([]*tx.Tx, transfers)
	for i := range txs {
		from := random.IntN(accounts)
		to := (from + 1 + random.IntN(accounts-1)) % accounts
		txs[i] = c.pay(name(from), name(to), "12345")
	}
	block := c.next("daegu", txs...)
	var r *exec.Result
	b.ReportAllocs()
	for b.Loop() {
		r = c.ledger.Execute(block)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/transfers/1000, "µs/tx")
	if len(r.Applied) != transfers || r.Applied[0].Outcome.GetStatus() != ok {
		b.Fatalf("%d applied", len(r.Applied))
	}
}
