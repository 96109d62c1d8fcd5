package tx_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// smallOrder is every encoding of the eight points of small order that ZIP-215 accepts, the canonical and others.
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// signed is a transaction of one witness, not necessarily good, over any digest.
func signed(kind accountv1.KeyKind, public, digest, signature []byte) *tx.Tx {
	return &tx.Tx{ID: [32]byte(digest), Witnesses: []*txv1.Witness{{Kind: kind, PublicKey: public, Signature: signature}}}
}

// edgeCases are Ed25519 signatures about which verifiers disagree, and whether ZIP-215 accepts them.
func edgeCases(t testing.TB) (txs []*tx.Tx, good []bool) {
	t.Helper()
	ed := accountv1.KeyKind_KEY_KIND_ED25519
	digest := bytes.Repeat([]byte{0x5a}, 32)
	for _, a := range smallOrder {
		for _, r := range smallOrder {
			// With s = 0 the cofactored equation [8]R + [8][k]A = 0 holds for every message.
			txs, good = append(txs, signed(ed, unhex(t, a), digest, append(unhex(t, r), make([]byte, 32)...))), append(good, true)
		}
	}
	var cases []struct {
		PublicKey string `json:"public_key"`
		Digest    string `json:"digest"`
		Signature string `json:"signature"`
		Good      bool   `json:"good"`
	}
	file, err := os.ReadFile("testdata/ed25519_speccheck.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		txs = append(txs, signed(ed, unhex(t, c.PublicKey), unhex(t, c.Digest), unhex(t, c.Signature)))
		good = append(good, c.Good)
	}
	// No point of the curve (y = 2), as key and as R.
	off := append([]byte{2}, make([]byte, 31)...)
	txs, good = append(txs, signed(ed, off, digest, make([]byte, 64))), append(good, false)
	txs, good = append(txs, signed(ed, unhex(t, smallOrder[0]), digest, append(off, make([]byte, 32)...))), append(good, false)
	return txs, good
}

// prepared has what unpacking gives of the keys for which it is true.
type prepared func(public []byte) bool

func (p prepared) Ed25519(public *[32]byte, _ int) (candidates [2]tx.X) {
	if p(public[:]) {
		candidates[public[1]&1] = xOf(public[:])
	}
	return candidates
}

func (p prepared) KeepEd25519(*[32]byte, tx.X) {}

// xOf is the x-coordinate of a public key by another implementation of the curve, zero if it is no point.
func xOf(public []byte) (x tx.X) {
	p, err := new(edwards25519.Point).SetBytes(public)
	if err != nil {
		return x
	}
	byZ, _, z, _ := p.ExtendedCoordinates()
	return tx.X(byZ.Multiply(byZ, z.Invert(z)).Bytes())
}

func (p prepared) MLDSA65(public []byte) *tx.PreparedMLDSA65 {
	if !p(public) {
		return nil
	}
	return tx.PrepareMLDSA65(public)
}

var allKeys = prepared(func([]byte) bool { return true })

func TestEd25519EdgeCasesAgreeAloneAndTogether(t *testing.T) {
	txs, good := edgeCases(t)
	for i, d := range txs {
		if err := d.Verify(); (err == nil) != good[i] {
			t.Errorf("alone, case %d: %v, want good %v", i, err, good[i])
		}
	}
	var accepted []*tx.Tx
	prepared := tx.VerifyPrepared(txs, allKeys)
	for i, err := range tx.VerifyAll(txs) {
		if (err == nil) != good[i] {
			t.Errorf("together, case %d: %v, want good %v", i, err, good[i])
		}
		if (prepared[i] == nil) != good[i] {
			t.Errorf("together with prepared keys, case %d: %v, want good %v", i, prepared[i], good[i])
		}
		if good[i] {
			accepted = append(accepted, txs[i])
		}
	}
	// The accepted ones alone make a batch that passes as a whole, at every size and with ordinary signatures among them.
	ordinary := signedTransfers(t, 8)
	for n := range len(accepted) {
		batch := append(slices.Clone(ordinary[:n%8]), accepted[:n+1]...)
		for _, err := range append(tx.VerifyAll(batch), tx.VerifyPrepared(batch, allKeys)...) {
			if err != nil {
				t.Fatalf("batch of %d: %v", n+1, err)
			}
		}
	}
}

func TestVerifyAllFindsExactlyTheBad(t *testing.T) {
	for _, n := range []int{1, 3, 4, 40, 150} {
		good := signedTransfers(t, n)
		for _, bad := range [][]int{{0}, {n - 1}, {0, n / 2, n - 1}} {
			txs := slices.Clone(good)
			for _, i := range bad {
				d := *txs[i]
				w := proto.Clone(d.Witnesses[0]).(*txv1.Witness)
				w.Signature[40] ^= 1
				d.Witnesses = []*txv1.Witness{w}
				txs[i] = &d
			}
			some := prepared(func(public []byte) bool { return public[0]&1 != 0 })
			for i, err := range append(tx.VerifyAll(txs), tx.VerifyPrepared(txs, some)...) {
				i %= n
				want := ""
				if slices.Contains(bad, i) {
					want = "tx.bad_signature"
				}
				if fault.Code(err) != want {
					t.Fatalf("of %d, %d: %v", n, i, err)
				}
			}
		}
	}
}

func TestVerifyRefusesEverySpoiledWitness(t *testing.T) {
	for _, kind := range txtest.Kinds {
		d := mustDecode(t, mustSign(t, transferBody(), txtest.Ed25519(5), txtest.Signer(kind, 1)))
		spoil := func(name string, change func(w *txv1.Witness, id *[32]byte)) {
			t.Helper()
			c := *d
			w := proto.Clone(d.Witnesses[1]).(*txv1.Witness)
			c.Witnesses = []*txv1.Witness{w}
			change(w, &c.ID)
			if err := c.Verify(); fault.Code(err) != "tx.bad_signature" {
				t.Errorf("%s, %s: %v", tx.KindName(kind), name, err)
			}
		}
		for _, at := range []int{0, 31, 32, 63} {
			spoil("signature", func(w *txv1.Witness, _ *[32]byte) { w.Signature[at] ^= 4 })
		}
		spoil("key", func(w *txv1.Witness, _ *[32]byte) { w.PublicKey[20] ^= 1 })
		spoil("digest", func(_ *txv1.Witness, id *[32]byte) { id[7] ^= 1 })
		spoil("other key", func(w *txv1.Witness, _ *[32]byte) { w.PublicKey = txtest.Signer(kind, 77).Key().Public })
		spoil("no signature", func(w *txv1.Witness, _ *[32]byte) { clear(w.Signature) })
	}
	if err := mustDecode(t, mustSign(t, transferBody())).Verify(); fault.Code(err) != "tx.bad_signature" {
		t.Errorf("a transaction without a witness: %v", err)
	}
}

// The other signature with the same r, (r, n-s), is valid ECDSA but not accepted.
func TestHighSIsRefused(t *testing.T) {
	orders := map[accountv1.KeyKind]*big.Int{
		accountv1.KeyKind_KEY_KIND_P256:     elliptic.P256().Params().N,
		accountv1.KeyKind_KEY_KIND_WEBAUTHN: elliptic.P256().Params().N,
		accountv1.KeyKind_KEY_KIND_SECP256K1: new(big.Int).SetBytes(
			unhex(t, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")),
	}
	for kind, n := range orders {
		d := mustDecode(t, mustSign(t, transferBody(), txtest.Signer(kind, 1)))
		s := d.Witnesses[0].Signature[32:]
		new(big.Int).Sub(n, new(big.Int).SetBytes(s)).FillBytes(s)
		if err := d.Verify(); fault.Code(err) != "tx.bad_signature" {
			t.Errorf("%s: %v", tx.KindName(kind), err)
		}
	}
}

func TestECDSASignatureOutOfRange(t *testing.T) {
	for _, kind := range []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_P256, accountv1.KeyKind_KEY_KIND_SECP256K1} {
		d := mustDecode(t, mustSign(t, transferBody(), txtest.Signer(kind, 1)))
		good := bytes.Clone(d.Witnesses[0].Signature)
		for _, bad := range [][]byte{
			append(make([]byte, 32), good[32:]...), append(bytes.Clone(good[:32]), make([]byte, 32)...),
			append(bytes.Repeat([]byte{0xff}, 32), good[32:]...), bytes.Repeat([]byte{0xff}, 64),
		} {
			d.Witnesses[0].Signature = bad
			if err := d.Verify(); fault.Code(err) != "tx.bad_signature" {
				t.Errorf("%s %x: %v", tx.KindName(kind), bad, err)
			}
		}
	}
}

func TestCheckKeyRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		key  tx.Key
	}{
		{"no kind", tx.Key{Public: make([]byte, 32)}},
		{"unknown kind", tx.Key{Kind: 6, Public: make([]byte, 32)}},
		{"short", tx.Key{Kind: 1, Public: make([]byte, 31)}},
		{"long", tx.Key{Kind: 5, Public: make([]byte, 1953)}},
		{"Ed25519 not on the curve", tx.Key{Kind: 1, Public: append([]byte{2}, make([]byte, 31)...)}},
		{"P-256 x beyond the field", tx.Key{Kind: 2, Public: append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...)}},
		{"WebAuthn not on the curve", tx.Key{Kind: 3, Public: append([]byte{2}, append(make([]byte, 31), 1)...)}},
		{"P-256 infinity", tx.Key{Kind: 2, Public: make([]byte, 33)}},
		{"secp256k1 not on the curve", tx.Key{Kind: 4, Public: append([]byte{2}, append(make([]byte, 31), 5)...)}},
		{"hybrid point", tx.Key{Kind: 4, Public: append([]byte{6}, txtest.Signer(4, 1).Key().Public[1:]...)}},
	} {
		if err := tx.CheckKey(c.key); fault.Code(err) != "key.malformed" {
			t.Errorf("%s: %v", c.name, err)
		}
		c.key.Address() // of no use, but harmless
	}
	for _, p := range smallOrder {
		if err := tx.CheckKey(tx.Key{Kind: 1, Public: unhex(t, p)}); fault.Code(err) != "key.malformed" {
			t.Errorf("small order %s: %v", p, err)
		}
	}
}
