package all_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
)

// BenchmarkExecute is blocks of 1,000 transfers between random pairs of accounts, from verified transactions to the app
// hash. With many accounts hardly any of what a block touches is in the processor's caches.
func BenchmarkExecute(b *testing.B) {
	for _, accounts := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(accounts), func(b *testing.B) { benchmarkExecute(b, accounts) })
	}
}

func benchmarkExecute(b *testing.B, accounts int) {
	const transfers, blocks = 1000, 32
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
	var next [blocks]exec.Block
	for i := range next {
		txs := make([]*tx.Tx, transfers)
		for j := range txs {
			from := random.IntN(accounts)
			to := (from + 1 + random.IntN(accounts-1)) % accounts
			txs[j] = c.pay(name(from), name(to), "12345")
		}
		next[i] = c.next("daegu", txs...)
	}
	var r *exec.Result
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if r != nil { // as a node would have by now: its memory is used again
			b.StopTimer()
			state.Release(r.Tree.Version())
			b.StartTimer()
		}
		r = c.ledger.Execute(next[i%blocks])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/transfers/1000, "µs/tx")
	if len(r.Applied) != transfers || r.Applied[0].Outcome.GetStatus() != ok {
		b.Fatalf("%d applied", len(r.Applied))
	}
}
