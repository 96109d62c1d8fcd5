package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// StandardKey is a key of the ledger in the standard library's form: Ed25519 and P-256 keys have one that credentials can be bound to. Code key.malformed.
func StandardKey(key tx.Key) (crypto.PublicKey, error) {
	if err := tx.CheckKey(key); err != nil {
		return nil, err
	}
	switch key.Kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		return ed25519.PublicKey(key.Public), nil
	case accountv1.KeyKind_KEY_KIND_P256:
		x, y := elliptic.UnmarshalCompressed(elliptic.P256(), key.Public)
		return &ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}, nil
	}
	return nil, fault.New("key.malformed", "Credentials are bound to Ed25519 and P-256 keys. A "+tx.KindName(key.Kind)+" key is neither: make one with dure key new.")
}
