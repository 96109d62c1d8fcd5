package tx_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"io"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// A key used through the standard library's interface makes the witnesses that the same secret makes otherwise.
func TestSignerOf(t *testing.T) {
	for _, kind := range []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_P256} {
		key, err := reading.Key(kind, txtest.Secret(1))
		if err != nil {
			t.Fatal(err)
		}
		signer, err := tx.SignerOf(key)
		if err != nil {
			t.Fatal(err)
		}
		want := txtest.Signer(kind, 1)
		got, err := signer.Sign([32]byte{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		if same, err := want.Sign([32]byte{1, 2}); err != nil || !signer.Key().Equal(want.Key()) || string(same.GetSignature()) != string(got.GetSignature()) {
			t.Errorf("%s: another witness: %v", tx.KindName(kind), err)
		}
	}
}

// shortSigner signs too little.
type shortSigner struct{ public crypto.PublicKey }

func (s shortSigner) Public() crypto.PublicKey { return s.public }

func (shortSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return []byte{1}, nil }

func TestSignerOfRefuses(t *testing.T) {
	p384, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), append(make([]byte, 47), 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, public := range []crypto.PublicKey{&p384.PublicKey, &rsa.PublicKey{}, nil, ed25519.PublicKey(make([]byte, 32)), ed25519.PublicKey{1}} {
		if _, err := tx.SignerOf(shortSigner{public}); fault.Code(err) != "key.malformed" {
			t.Errorf("%T: %v", public, err)
		}
	}
	for _, kind := range []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_P256} {
		key, err := reading.Key(kind, txtest.Secret(1))
		if err != nil {
			t.Fatal(err)
		}
		signer, err := tx.SignerOf(shortSigner{key.Public()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signer.Sign([32]byte{}); err == nil {
			t.Errorf("%s: took a short signature", tx.KindName(kind))
		}
	}
}
