package tx_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// RFC 8032 section 7.1, tests 1 to 3.
func TestEd25519KeysOfRFC8032(t *testing.T) {
	for seed, public := range map[string]string{
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb": "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7": "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
	} {
		s, err := tx.NewEd25519Signer(unhex(t, seed))
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(s.Key().Public); got != public {
			t.Errorf("seed %s: key %s", seed, got)
		}
	}
}

// RFC 6979 section A.2.5, with SHA-256. The s of the first is high, so ours is its negative.
func TestP256SignaturesOfRFC6979(t *testing.T) {
	s, err := tx.NewP256Signer(unhex(t, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(s.Key().Public); got != "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" {
		t.Errorf("key %s", got)
	}
	n, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	for _, c := range []struct {
		message, r, s string
		high          bool
	}{
		{"sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716", "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8", true},
		{"test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367", "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083", false},
	} {
		w, err := s.Sign(sha256.Sum256([]byte(c.message)))
		if err != nil {
			t.Fatal(err)
		}
		want, _ := new(big.Int).SetString(c.s, 16)
		if c.high {
			want.Sub(n, want)
		}
		if got := hex.EncodeToString(w.Signature); got != c.r+fmt.Sprintf("%064x", want) {
			t.Errorf("%s: %s", c.message, got)
		}
	}
}

// The widely published RFC 6979 signature of secret 1, and its Ethereum address.
func TestSecp256k1Signature(t *testing.T) {
	s, err := tx.NewSecp256k1Signer(append(make([]byte, 31), 1))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(s.Key().Public); got != "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" {
		t.Errorf("key %s", got)
	}
	if got := s.Key().Address().String(); got != "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf" {
		t.Errorf("address %s", got)
	}
	w, err := s.Sign(sha256.Sum256([]byte("Satoshi Nakamoto")))
	if err != nil {
		t.Fatal(err)
	}
	want := "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8" +
		"2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
	if got := hex.EncodeToString(w.Signature); got != want {
		t.Errorf("signature %s", got)
	}
}

// NIST ACVP, ML-DSA-65 key generation (FIPS 204), cases 26 to 28: seed and SHA-256 of the public key.
func TestMLDSA65KeysOfFIPS204(t *testing.T) {
	for seed, want := range map[string]string{
		"70cefb9aed5b68e018b079da8284b9d5cad5499ed9c265ff73588005d85c225c": "646b26b8d09dbc9e865b6a006c693a3127b065e62fab5fbe8b159c416462feb6",
		"4b4b71c5a1bc1074f2167a1d68729cdb9e16aba3651ff02a0a0f4c883caac827": "5fef74046438638b54fb828d4ae59fea8eb26de94905664c2c7d76da82672057",
		"fb27dbbb4ed8f4f7d2700283c2b092866694246932eeacee72db730efd172576": "a3c9bcc0bed93fe0b8d651b1844dc708ebafecbb30d221c5a608d5579479c39d",
	} {
		s, err := tx.NewMLDSA65Signer(unhex(t, seed))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(s.Key().Public); hex.EncodeToString(got[:]) != want {
			t.Errorf("seed %s: key with hash %x", seed, got)
		}
	}
}

func TestSigningIsDeterministicAndDiscreet(t *testing.T) {
	for _, kind := range txtest.Kinds {
		a, err := txtest.Signer(kind, 3).Sign([32]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		b, err := txtest.Signer(kind, 3).Sign([32]byte{1})
		if err != nil || !bytes.Equal(a.Signature, b.Signature) {
			t.Errorf("%s: two signatures of one digest differ: %v", tx.KindName(kind), err)
		}
		secret := txtest.Secret(3)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			shown := fmt.Sprintf(verb, txtest.Signer(kind, 3))
			if strings.Contains(shown, hex.EncodeToString(secret)) || strings.Contains(shown, fmt.Sprint(secret)) {
				t.Errorf("%s shows its secret by %s", tx.KindName(kind), verb)
			}
		}
	}
}

func TestSignersRefuse(t *testing.T) {
	zero, full := make([]byte, 32), bytes.Repeat([]byte{0xff}, 32)
	for _, kind := range txtest.Kinds {
		if _, err := tx.NewSigner(kind, zero[:31]); fault.Code(err) != "key.malformed" {
			t.Errorf("%s, 31 bytes: %v", tx.KindName(kind), err)
		}
	}
	for _, kind := range []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_P256, accountv1.KeyKind_KEY_KIND_SECP256K1} {
		for _, scalar := range [][]byte{zero, full} {
			if _, err := tx.NewSigner(kind, scalar); fault.Code(err) != "key.malformed" {
				t.Errorf("%s %x: %v", tx.KindName(kind), scalar, err)
			}
		}
		if _, err := tx.NewSecret(kind, bytes.NewReader(make([]byte, 1000))); fault.Code(err) != "key.malformed" {
			t.Errorf("%s from zeros: %v", tx.KindName(kind), err)
		}
		secret, err := tx.NewSecret(kind, bytes.NewReader(append(full, txtest.Secret(1)...)))
		if err != nil || !bytes.Equal(secret, txtest.Secret(1)) {
			t.Errorf("%s must draw again: %v", tx.KindName(kind), err)
		}
	}
	if _, err := tx.NewSecret(accountv1.KeyKind_KEY_KIND_ED25519, bytes.NewReader(nil)); err == nil {
		t.Error("no randomness, but a secret")
	}
	if _, err := tx.CompactP256([]byte{0x30, 6, 2, 1, 0, 2, 1, 1}); fault.Code(err) != "tx.malformed" {
		t.Errorf("r = 0: %v", err)
	}
}

func TestKindNames(t *testing.T) {
	for _, kind := range txtest.Kinds {
		if got, err := tx.ParseKind(tx.KindName(kind)); err != nil || got != kind {
			t.Errorf("%v: %v %v", kind, got, err)
		}
	}
	for _, name := range []string{"", "unknown", "rsa"} {
		if _, err := tx.ParseKind(name); fault.Code(err) != "key.malformed" {
			t.Errorf("%q: %v", name, err)
		}
	}
}
