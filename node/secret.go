package node

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/dureledger/dure/consensus"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Secret is a private key of a node or signer: a seed of 32 bytes and what kind of key it makes, Ed25519 or, for validators, ML-DSA-65.
type Secret struct {
	kind accountv1.KeyKind
	seed []byte
}

// NewSecret draws a key.
func NewSecret(kind accountv1.KeyKind) (Secret, error) {
	seed, err := tx.NewSecret(kind, rand.Reader)
	if err != nil {
		return Secret{}, err
	}
	_, err = consensus.NewValidatorKey(kind, seed)
	return Secret{kind, seed}, err
}

// ParseSecret reads a key as its file has it: 64 hex digits for Ed25519, ml-dsa-65: before them for ML-DSA-65.
func ParseSecret(text string) (Secret, error) {
	text = strings.TrimSpace(text)
	s := Secret{kind: accountv1.KeyKind_KEY_KIND_ED25519}
	digits, other := strings.CutPrefix(text, tx.KindName(accountv1.KeyKind_KEY_KIND_ML_DSA_65)+":")
	if other {
		s.kind = accountv1.KeyKind_KEY_KIND_ML_DSA_65
	}
	var err error
	if s.seed, err = hex.DecodeString(digits); err != nil || len(s.seed) != tx.SecretSize {
		return Secret{}, errors.New("not a key: want 64 hex digits, after ml-dsa-65: if it is of that kind")
	}
	return s, nil
}

// Text is what ParseSecret reads.
func (s Secret) Text() string {
	if s.kind == accountv1.KeyKind_KEY_KIND_ED25519 {
		return hex.EncodeToString(s.seed)
	}
	return tx.KindName(s.kind) + ":" + hex.EncodeToString(s.seed)
}

// Equal says whether two are the same.
func (s Secret) Equal(other Secret) bool {
	return s.kind == other.kind && bytes.Equal(s.seed, other.seed)
}

// Ed25519 is the key for the node's own connections and batches, which are always of this kind.
func (s Secret) Ed25519() (ed25519.PrivateKey, error) {
	if s.kind != accountv1.KeyKind_KEY_KIND_ED25519 {
		return nil, errors.New("it is an ML-DSA-65 key; only a validator's may be")
	}
	return ed25519.NewKeyFromSeed(s.seed), nil
}

// Validator is the key that signs votes.
func (s Secret) Validator() (consensus.ValidatorKey, error) {
	return consensus.NewValidatorKey(s.kind, s.seed)
}

// Public is the public key.
func (s Secret) Public() ([]byte, error) {
	k, err := s.Validator()
	if err != nil {
		return nil, err
	}
	return k.Public(), nil
}

// String shows nothing of the key.
func (s Secret) String() string { return tx.KindName(s.kind) + " key" }

// GoString is String.
func (s Secret) GoString() string { return s.String() }
