package consensus

import (
	"crypto/sha512"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// BenchmarkManyKeys reports nanoseconds of a core for each Ed25519 signature, in chunks by keys drawn at random, when all keys have signed before.
func BenchmarkManyKeys(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			signers, chance := newSigners(n), rand.New(rand.NewPCG(1, 1))
			v := NewVerifier(testNetwork)
			for range 1 + 50_000/n {
				var wg sync.WaitGroup
				for half := range 2 {
					wg.Go(func() { signers.all(v, half*n/2, (half+1)*n/2) })
				}
				wg.Wait()
			}
			numbers := make([]int, chunk)
			for b.Loop() {
				b.StopTimer()
				for i := range numbers {
					numbers[i] = chance.IntN(n)
				}
				txs := signers.txs(numbers)
				b.StartTimer()
				mustBeGood(v, txs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunk, "ns/signature")
		})
	}
}

// signers are many keys that have signed one digest each, all with one nonce, which no signer but a benchmark's may do.
type signers []struct{ public, digest, r, s [32]byte }

func newSigners(n int) signers {
	made := make(signers, n)
	var compressed curve.CompressedEdwardsY
	var secret, k, s scalar.Scalar
	nonce, one := scalar.New().SetUint64(12345), scalar.New().SetUint64(1)
	var r, point curve.EdwardsPoint
	r.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, nonce)
	point.Identity()
	for i := range made {
		m := &made[i]
		secret.Add(&secret, one)
		point.Add(&point, curve.ED25519_BASEPOINT_POINT)
		m.public = *compressed.SetEdwardsPoint(&point)
		m.r = *compressed.SetEdwardsPoint(&r)
		m.digest = [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		hash := sha512.New()
		hash.Write(m.r[:])
		hash.Write(m.public[:])
		hash.Write(m.digest[:])
		if _, err := k.SetBytesModOrderWide(hash.Sum(nil)); err != nil {
			panic(err)
		}
		s.Mul(&k, &secret)
		s.Add(&s, nonce)
		if err := s.ToBytes(m.s[:]); err != nil {
			panic(err)
		}
	}
	return made
}

// txs are the transactions of some of them.
func (s signers) txs(numbers []int) []*tx.Tx {
	txs := make([]*tx.Tx, len(numbers))
	for i, n := range numbers {
		m := &s[n]
		txs[i] = &tx.Tx{ID: m.digest, Witnesses: []*txv1.Witness{{
			Kind: accountv1.KeyKind_KEY_KIND_ED25519, PublicKey: m.public[:], Signature: append(m.r[:], m.s[:]...),
		}}}
	}
	return txs
}

// all has each of the signers from one to another verified once.
func (s signers) all(v *Verifier, from, to int) {
	for from < to {
		var numbers []int
		for ; from < to && len(numbers) < chunk; from++ {
			numbers = append(numbers, from)
		}
		mustBeGood(v, s.txs(numbers))
	}
}

func mustBeGood(v *Verifier, txs []*tx.Tx) {
	for _, err := range v.Signatures(txs) {
		if err != nil {
			panic(err)
		}
	}
}
