package tx_test

import (
	"fmt"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

func BenchmarkDecode(b *testing.B) {
	raw := mustSign(b, transferBody(txtest.Ed25519(1)), txtest.Ed25519(1))
	n, err := tx.NewNetwork(txtest.NetworkID)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Decode(raw, maxBytes); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyAll reports microseconds per transaction with one Ed25519 signature.
func BenchmarkVerifyAll(b *testing.B) {
	for _, size := range []int{1, 16, 64, 256, 1000} {
		txs := signedTransfers(b, size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				for _, err := range tx.VerifyAll(txs) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(size), "µs/tx")
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, kind := range txtest.Kinds {
		d := mustDecode(b, mustSign(b, transferBody(), txtest.Signer(kind, 1)))
		b.Run(tx.KindName(kind), func(b *testing.B) {
			for b.Loop() {
				if err := d.Verify(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// kept has what unpacking keys gave before.
type kept struct {
	ed25519 map[[32]byte]tx.X
	mldsa65 *tx.PreparedMLDSA65
}

func (k kept) Ed25519(public *[32]byte, _ int) [2]tx.X { return [2]tx.X{k.ed25519[*public]} }
func (k kept) KeepEd25519(public *[32]byte, x tx.X)    { k.ed25519[*public] = x }
func (k kept) MLDSA65([]byte) *tx.PreparedMLDSA65      { return k.mldsa65 }

// BenchmarkVerifyMLDSA65 checks one signature by a key that is unpacked each time, and by one that is kept.
func BenchmarkVerifyMLDSA65(b *testing.B) {
	signer := txtest.Signer(accountv1.KeyKind_KEY_KIND_ML_DSA_65, 1)
	txs := []*tx.Tx{mustDecode(b, mustSign(b, transferBody(), signer))}
	run := func(b *testing.B, keys kept) {
		b.ReportAllocs()
		for b.Loop() {
			if err := tx.VerifyPrepared(txs, keys)[0]; err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("unpacked each time", func(b *testing.B) { run(b, kept{}) })
	b.Run("kept", func(b *testing.B) { run(b, kept{mldsa65: tx.PrepareMLDSA65(signer.Key().Public)}) })
}

// signedTransfers makes different transfers, each signed by a different key.
func signedTransfers(t testing.TB, n int) []*tx.Tx {
	t.Helper()
	txs := make([]*tx.Tx, n)
	for i := range txs {
		s := txtest.Ed25519(uint64(i))
		body := transferBody(s)
		body.Salt = uint64(i + 1)
		txs[i] = mustDecode(t, mustSign(t, body, s))
	}
	return txs
}
