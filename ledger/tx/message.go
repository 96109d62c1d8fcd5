package tx

import (
	"crypto/sha256"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// NetworkID is the id of the network that the transaction was made for.
func (t *Tx) NetworkID() string { return t.network }

// VerifyMessage says whether a signature over bytes that are no transaction is good, by the rules of witnesses: Ed25519 of the message by
// ZIP-215, or P-256 of its SHA-256, r||s with low s. No other kind of key signs such messages.
func VerifyMessage(key Key, message, signature []byte) bool {
	switch key.Kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		return len(key.Public) == 32 && ed25519.VerifyWithOptions(key.Public, message, signature, zip215)
	case accountv1.KeyKind_KEY_KIND_P256:
		return verifyP256(key.Public, sha256.Sum256(message), signature)
	}
	return false
}
