package tx_test

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// prime is that of the field, 2^255 - 19.
var prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// number reads a number, little endian; coordinate writes one.
func number(x tx.X) *big.Int {
	slices.Reverse(x[:])
	return new(big.Int).SetBytes(x[:])
}

func coordinate(n *big.Int) (x tx.X) {
	n.FillBytes(x[:])
	slices.Reverse(x[:])
	return x
}

// somePublicKeys are ordinary ones, every one that verifiers disagree about, and bytes of which half are no point.
func somePublicKeys(t testing.TB) (keys [][32]byte) {
	for i := range uint64(200) {
		keys = append(keys, [32]byte(txtest.Ed25519(i).Key().Public))
	}
	edges, _ := edgeCases(t)
	for _, d := range edges {
		keys = append(keys, [32]byte(d.Witnesses[0].PublicKey))
	}
	chance := rand.NewChaCha8([32]byte{})
	for i := range byte(250) {
		var some [32]byte
		chance.Read(some[:])
		keys = append(keys, some)
		// Not below the prime with either sign, and 0 and some numbers above it.
		keys = append(keys, [32]byte(bytes.Repeat([]byte{0xff}, 32)), [32]byte{i})
		keys[len(keys)-2][0], keys[len(keys)-2][31] = i, i|0x7f
	}
	return keys
}

// TestNoCandidateButTheRightOneIsTaken: and the right one always, except zero.
func TestNoCandidateButTheRightOneIsTaken(t *testing.T) {
	if fast := runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"; fast && !tx.KnownLayout {
		t.Fatal("points are not kept as coordinates says")
	}
	keys := somePublicKeys(t)
	for i, public := range keys {
		right, other := xOf(public[:]), xOf(keys[(i+1)%len(keys)][:])
		negative := coordinate(new(big.Int).Mod(new(big.Int).Neg(number(right)), prime))
		torn := right
		copy(torn[8:], other[8:16])
		candidates := []tx.X{
			right, {}, {1}, other, negative, torn, tx.X(public), tx.X(bytes.Repeat([]byte{0xff}, 32)), coordinate(prime), coordinate(new(big.Int).Sub(prime, big.NewInt(1))),
		}
		for bit := range 256 {
			flipped := right
			flipped[bit/8] ^= 1 << (bit % 8)
			candidates = append(candidates, flipped)
		}
		for _, x := range candidates {
			taken, same := tx.Takes(public, x)
			if want := tx.KnownLayout && x == right && right != (tx.X{}); taken != want || taken && !same {
				t.Errorf("key %x, candidate %x: taken %v, the same point %v, want %v", public, x, taken, same, want)
			}
		}
	}
}

// FuzzCandidate: what is taken for the x-coordinate of a key gives the same point as unpacking the key.
func FuzzCandidate(f *testing.F) {
	for _, public := range somePublicKeys(f)[195:230] {
		x := xOf(public[:])
		f.Add(public[:], x[:])
		f.Add(public[:], public[:])
	}
	f.Fuzz(func(t *testing.T, public, x []byte) {
		if len(public) != 32 || len(x) != 32 {
			return
		}
		right := xOf(public)
		if taken, same := tx.Takes([32]byte(public), tx.X(x)); taken && (!same || right != tx.X(x)) {
			t.Fatalf("key %x, candidate %x", public, x)
		}
		if taken, _ := tx.Takes([32]byte(public), right); taken != (tx.KnownLayout && right != tx.X{}) {
			t.Fatalf("key %x, its own coordinate %x: %v", public, right, taken)
		}
	})
}

// candidates are what a table says, right or not.
type candidates func(public *[32]byte, which int) [2]tx.X

func (c candidates) Ed25519(public *[32]byte, which int) [2]tx.X { return c(public, which) }
func (c candidates) KeepEd25519(*[32]byte, tx.X)                 {}
func (c candidates) MLDSA65([]byte) *tx.PreparedMLDSA65          { return nil }

// TestCandidatesChangeNoAnswer: batches of ordinary and odd keys get the same answers whatever a table says of them.
func TestCandidatesChangeNoAnswer(t *testing.T) {
	edges, good := edgeCases(t)
	batch := signedTransfers(t, 120)
	for i, d := range edges {
		if good[i] {
			batch = append(batch, d)
		}
	}
	chance := rand.NewChaCha8([32]byte{1})
	for name, says := range map[string]candidates{
		"nothing": func(*[32]byte, int) (none [2]tx.X) { return none },
		"first":   func(public *[32]byte, _ int) [2]tx.X { return [2]tx.X{xOf(public[:])} },
		"second":  func(public *[32]byte, _ int) [2]tx.X { return [2]tx.X{{7}, xOf(public[:])} },
		"later": func(public *[32]byte, which int) (x [2]tx.X) {
			x[which] = xOf(public[:])
			x[0][1] ^= byte(1 - which)
			return x
		},
		"the other's": func(public *[32]byte, _ int) [2]tx.X { x := xOf(public[:]); x[0] ^= 1; return [2]tx.X{x, x} },
		"bytes":       func(*[32]byte, int) (x [2]tx.X) { chance.Read(x[0][:]); chance.Read(x[1][:]); return x },
		"half of them": func(public *[32]byte, _ int) (x [2]tx.X) {
			x[public[2]&1] = xOf(public[:])
			x[1][public[3]&31] ^= 4
			return x
		},
		"the same ones": func(*[32]byte, int) [2]tx.X {
			return [2]tx.X{xOf(batch[0].Witnesses[0].PublicKey), xOf(batch[1].Witnesses[0].PublicKey)}
		},
	} {
		for _, n := range []int{4, 90, 120, len(batch)} {
			if !tx.Together(batch[:n], says) {
				t.Errorf("%s: %d good ones do not pass together", name, n)
			}
		}
		for _, bad := range []int{0, 60, 119} {
			txs := slices.Clone(batch)
			d := *txs[bad]
			w := proto.Clone(d.Witnesses[0]).(*txv1.Witness)
			w.Signature[2] ^= 1
			d.Witnesses, txs[bad] = []*txv1.Witness{w}, &d
			if tx.Together(txs, says) {
				t.Errorf("%s: passes with a bad one", name)
			}
			for i, err := range tx.VerifyPrepared(txs, says) {
				if (err != nil) != (i == bad) {
					t.Errorf("%s: %d is bad, and of %d it says %v", name, bad, i, err)
				}
			}
		}
		for i, err := range tx.VerifyPrepared(edges, says) {
			if (err == nil) != good[i] {
				t.Errorf("%s, case %d: %v, want good %v", name, i, err, good[i])
			}
		}
	}
}
