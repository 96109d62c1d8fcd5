package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// seal is AES-256-GCM with a random nonce before it. Each key seals far fewer than 2^32 times, the bound for random nonces.
func seal(key, plain, bound []byte) []byte {
	aead := gcm(key)
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, bound)
}

func open(key, sealed, bound []byte) ([]byte, error) {
	aead := gcm(key)
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("a sealed row is too short: the file is damaged")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], bound)
	if err != nil {
		return nil, errors.New("a sealed row does not open: the file is damaged, or belongs to another master key")
	}
	return plain, nil
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err == nil {
		var aead cipher.AEAD
		if aead, err = cipher.NewGCM(block); err == nil {
			return aead
		}
	}
	panic(err) // keys are 32 bytes
}
