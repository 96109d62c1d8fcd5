package consensus

import (
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// mixed are transactions by keys of all kinds in turn, n of each.
func mixed(t testing.TB, n int) []*tx.Tx {
	t.Helper()
	var txs []*tx.Tx
	for i := range uint64(n) {
		for _, kind := range txtest.Kinds {
			txs = append(txs, testTxBy(t, i, txtest.Signer(kind, i%8)))
		}
	}
	return txs
}

// TestMixedSignatures: whatever order mixed transactions are checked in, each gets its own answer.
func TestMixedSignatures(t *testing.T) {
	txs := mixed(t, 30)
	bad := map[int]bool{0: true, 1: true, 4: true, 73: true, 100: true, 149: true}
	for i := range bad {
		txs[i].Witnesses[0].Signature[20] ^= 1
	}
	for i, err := range NewVerifier(testNetwork).Signatures(txs) {
		if (err != nil) != bad[i] {
			t.Errorf("transaction %d, %s: %v", i, tx.KindName(txs[i].Witnesses[0].Kind), err)
		}
	}
}

// TestEd25519GoesTogether: those with Ed25519 signatures alone stand together behind the others, each kept in its order.
func TestEd25519GoesTogether(t *testing.T) {
	txs := mixed(t, 3)
	both := testTxBy(t, 9, txtest.Ed25519(1), txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 1))
	order := byKind(append(txs, both))
	if len(order) != 16 || order[12] != 15 || order[13] != 0 || order[14] != 5 || order[15] != 10 {
		t.Errorf("%v", order)
	}
	if byKind(txs[:1]) != nil || byKind(txs[1:5]) != nil || byKind(nil) != nil {
		t.Error("transactions of one sort are put in another order")
	}
}

// BenchmarkMixed compares checking a batch of mixed signatures with checking as many of each kind by themselves: the metrics are microseconds of a core for
// each transaction.
func BenchmarkMixed(b *testing.B) {
	v, txs := NewVerifier(testNetwork), mixed(b, 48)
	run := func(b *testing.B, check func([]*tx.Tx) []error, parts ...[]*tx.Tx) {
		for b.Loop() {
			for _, part := range parts {
				for _, err := range check(part) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(txs)), "µs/tx")
	}
	parts := make([][]*tx.Tx, len(txtest.Kinds))
	for i, t := range txs {
		parts[i%len(parts)] = append(parts[i%len(parts)], t)
	}
	b.Run("together", func(b *testing.B) { run(b, v.Signatures, txs) })
	b.Run("as they come", func(b *testing.B) { run(b, v.signatures, txs) })
	b.Run("apart", func(b *testing.B) { run(b, v.Signatures, parts...) })
}

// BenchmarkFrequentSigners checks a batch of payments by eight accounts with ML-DSA-65 keys, again and again; the metric is microseconds of a core for each.
func BenchmarkFrequentSigners(b *testing.B) {
	var txs []*tx.Tx
	for i := range uint64(96) {
		txs = append(txs, testTxBy(b, i, txtest.Signer(accountv1.KeyKind_KEY_KIND_ML_DSA_65, i%8)))
	}
	v := NewVerifier(testNetwork)
	for b.Loop() {
		for _, err := range v.signatures(txs) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(txs)), "µs/tx")
}
