package light

import (
	"bytes"
	"encoding/hex"

	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/mldsa65"
	"github.com/cometbft/cometbft/crypto/tmhash"

	"github.com/dureledger/dure/ledger/fault"
)

// publicKey is a validator's key as CometBFT has it. Its length says which kind it is.
func publicKey(raw []byte) (crypto.PubKey, error) {
	switch len(raw) {
	case ed25519.PubKeySize:
		return ed25519.PubKey(bytes.Clone(raw)), nil
	case mldsa65.PubKeySize:
		if key, err := mldsa65.NewPubKeyFromBytes(raw); err == nil {
			return key, nil
		}
	}
	return nil, fault.New("proof.bad_validators", "a validator's key is neither one of Ed25519 (32 bytes) nor one of ML-DSA-65 (1952 bytes)",
		"key", hex.EncodeToString(raw[:min(len(raw), 32)]), "bytes", len(raw))
}

// address is what CometBFT names a validator by, whatever the kind of its key: the first 20 bytes of the SHA-256 of it.
func address(key []byte) crypto.Address { return tmhash.SumTruncated(key) }
