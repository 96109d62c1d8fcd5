package reading

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// Key makes a device's signing key of 32 secret bytes: an Ed25519 seed or a P-256 scalar, as tx.NewSigner takes them. A key that is in a
// secure element is any other crypto.Signer. Code reading.bad_key.
func Key(kind accountv1.KeyKind, secret []byte) (crypto.Signer, error) {
	switch {
	case len(secret) != 32:
		return nil, fault.New("reading.bad_key", fmt.Sprintf("A device's secret key has 32 bytes, not %d.", len(secret)), "bytes", len(secret))
	case kind == accountv1.KeyKind_KEY_KIND_ED25519:
		return ed25519.NewKeyFromSeed(secret), nil
	case kind == accountv1.KeyKind_KEY_KIND_P256:
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
		if err != nil {
			return nil, fault.New("reading.bad_key", "The secret is no P-256 scalar: it is zero or not below the order of the curve.")
		}
		return key, nil
	}
	return nil, badKey()
}

func badKey() error {
	return fault.New("reading.bad_key", "Readings are signed with an Ed25519 or a P-256 key, and this is neither.")
}

// Sign fills in r's Alg and Signature and returns the message. key's public key is an ed25519.PublicKey or an *ecdsa.PublicKey on
// P-256; a key in software signs by RFC 8032 or RFC 6979, the same every time. Codes reading.bad_key, reading.malformed.
func Sign(networkID string, device [20]byte, r *Reading, key crypto.Signer) ([]byte, error) {
	switch public := key.Public().(type) {
	case ed25519.PublicKey:
		r.Alg = EdDSA
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return nil, badKey()
		}
		r.Alg = ES256
	default:
		return nil, badKey()
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	signature, err := sign(r.SignedBytes(networkID, device), r.Alg, key)
	if err != nil {
		return nil, fmt.Errorf("signing a reading: %w", err)
	}
	if len(signature) != SignatureSize {
		return nil, fmt.Errorf("signing a reading: the key made a signature of %d bytes", len(signature))
	}
	r.Signature = [SignatureSize]byte(signature)
	return r.Encode()
}

func sign(message []byte, alg Alg, key crypto.Signer) ([]byte, error) {
	if alg == EdDSA {
		return key.Sign(nil, message, crypto.Hash(0))
	}
	digest := sha256.Sum256(message)
	der, err := key.Sign(nil, digest[:], crypto.SHA256) // without chance the standard library signs by RFC 6979
	if err != nil {
		return nil, err
	}
	return fixed(der)
}

// fixed turns a P-256 signature in DER into r and s of 32 bytes each, s at most half the order.
func fixed(der []byte) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	n := elliptic.P256().Params().N
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) != 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.Cmp(n) >= 0 || sig.S.Cmp(n) >= 0 {
		return nil, fault.New("reading.bad_key", "The key did not make a P-256 signature in DER.")
	}
	if other := new(big.Int).Sub(n, sig.S); other.Cmp(sig.S) < 0 {
		sig.S = other
	}
	out := make([]byte, SignatureSize)
	sig.R.FillBytes(out[:32])
	sig.S.FillBytes(out[32:])
	return out, nil
}
