package tx

import (
	"crypto/sha256"

	"golang.org/x/crypto/sha3"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// Key is a public key that signed a transaction, or may.
type Key struct {
	Kind   accountv1.KeyKind
	Public []byte
}

// Address is the key's address: for secp256k1 Ethereum's, the last 20 bytes of Keccak-256 of the
// uncompressed point; for every other kind the last 20 bytes of SHA-256("dure/key/v1\n" || kind byte || public key).
// The key must have passed CheckKey.
func (k Key) Address() Address {
	if k.Kind == accountv1.KeyKind_KEY_KIND_SECP256K1 {
		return ethereumAddress(k.Public)
	}
	h := sha256.New()
	h.Write([]byte("dure/key/v1\n"))
	h.Write([]byte{byte(k.Kind)})
	h.Write(k.Public)
	return Address(h.Sum(nil)[12:])
}

func keccak256(b []byte) []byte {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	return h.Sum(nil)
}
