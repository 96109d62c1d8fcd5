package consensus

import (
	"bytes"
	stded25519 "crypto/ed25519"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/mldsa65"
	"github.com/cometbft/cometbft/crypto/tmhash"
	"github.com/cometbft/cometbft/types"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/exec"
)

// ValidatorKeyTypes are the kinds of keys that validators may sign with, as CometBFT names them. Every network takes both, each member
// its own, so that a network can go from one to the other member by member.
var ValidatorKeyTypes = []string{ed25519.KeyType, mldsa65.KeyType}

// ValidatorKey is a private key that signs votes. The zero ValidatorKey is none.
type ValidatorKey struct{ private crypto.PrivKey }

// NewValidatorKey makes a key from a seed of 32 bytes: Ed25519 (RFC 8032) or ML-DSA-65 (FIPS 204).
func NewValidatorKey(kind accountv1.KeyKind, seed []byte) (ValidatorKey, error) {
	if len(seed) != 32 {
		return ValidatorKey{}, fmt.Errorf("a validator's key is made from 32 bytes, not %d", len(seed))
	}
	switch kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		return ValidatorKey{ed25519.PrivKey(stded25519.NewKeyFromSeed(seed))}, nil
	case accountv1.KeyKind_KEY_KIND_ML_DSA_65:
		private, err := mldsa65.GenPrivKeyFromSeed(seed)
		return ValidatorKey{private}, err
	}
	return ValidatorKey{}, fmt.Errorf("validators sign with Ed25519 or ML-DSA-65, not with key kind %d", kind)
}

// Public is the public key: 32 bytes of Ed25519 or 1,952 of ML-DSA-65.
func (k ValidatorKey) Public() []byte { return k.private.PubKey().Bytes() }

// String shows nothing of the key.
func (k ValidatorKey) String() string { return "validator key" }

// GoString is String.
func (k ValidatorKey) GoString() string { return k.String() }

// CheckValidatorKey says whether bytes can be the public key of a validator.
func CheckValidatorKey(public []byte) error {
	_, err := validatorPublic(public)
	return err
}

// validatorPublic is a public key as CometBFT has it; its length says which kind it is.
func validatorPublic(raw []byte) (crypto.PubKey, error) {
	switch len(raw) {
	case ed25519.PubKeySize:
		return ed25519.PubKey(bytes.Clone(raw)), nil
	case mldsa65.PubKeySize:
		return mldsa65.NewPubKeyFromBytes(raw)
	}
	return nil, fmt.Errorf("a validator's public key has 32 bytes (Ed25519) or 1952 (ML-DSA-65), not %d", len(raw))
}

// validatorUpdate is a change of a validator's power as CometBFT takes it. Its own abci.UpdateValidator knows no ML-DSA-65.
func validatorUpdate(v exec.ValidatorUpdate) (abci.ValidatorUpdate, error) {
	public, err := validatorPublic(v.Key)
	if err != nil {
		return abci.ValidatorUpdate{}, err
	}
	return types.TM2PB.NewValidatorUpdate(public, v.Power), nil
}

// validatorAddress is the 20-byte address CometBFT gives a validator key, whatever its kind.
func validatorAddress(key []byte) []byte { return tmhash.SumTruncated(key) }
