package tx

import (
	stdcrypto "crypto"
	"crypto/ecdsa"
	stded25519 "crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// KeyOf is the key of a public key of the standard library: an ed25519.PublicKey, or an *ecdsa.PublicKey on P-256. Code key.malformed.
func KeyOf(public stdcrypto.PublicKey) (Key, error) {
	switch p := public.(type) {
	case stded25519.PublicKey:
		key := Key{accountv1.KeyKind_KEY_KIND_ED25519, p}
		return key, CheckKey(key)
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return Key{}, fault.New("key.malformed", "The key is on the curve "+p.Params().Name+". Of ECDSA, accounts take P-256 alone.")
		}
		point, err := compressP256(p)
		if err != nil {
			return Key{}, fault.New("key.malformed", "The public key is no point of P-256. Check that it was copied whole.")
		}
		return Key{accountv1.KeyKind_KEY_KIND_P256, point}, nil
	}
	return Key{}, fault.New("key.malformed", fmt.Sprintf("A %T is no key for an account. Use an Ed25519 or a P-256 key.", public))
}

// SignerOf makes witnesses with a key that is used through the standard library's interface, such as one that never leaves a chip. Its
// public key is as KeyOf wants it; it signs messages when it is Ed25519, SHA-256 digests in DER when it is P-256. Code key.malformed.
func SignerOf(key stdcrypto.Signer) (Signer, error) {
	public, err := KeyOf(key.Public())
	if err != nil {
		return nil, err
	}
	return &softSigner{public, func(digest [32]byte) ([]byte, error) {
		if public.Kind == accountv1.KeyKind_KEY_KIND_ED25519 {
			signature, err := key.Sign(nil, digest[:], stdcrypto.Hash(0))
			if err == nil && len(signature) != stded25519.SignatureSize {
				return nil, errors.New("the key made a signature of another length")
			}
			return signature, err
		}
		der, err := key.Sign(nil, digest[:], stdcrypto.SHA256)
		if err != nil {
			return nil, err
		}
		return CompactP256(der)
	}}, nil
}
