package network

import (
	"bytes"
	"encoding/hex"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// checkMember checks a member by itself.
func checkMember(member *networkv1.Member) (tx.Address, error) {
	a, err := toAddress(member.GetAddress())
	if err != nil {
		return a, err
	}
	if err := text.Check("network.bad_text", "name", member.GetName(), 1, MaxName); err != nil {
		return a, err
	}
	if err := checkPower(member.GetPower()); err != nil {
		return a, err
	}
	if tx.CheckKey(tx.Key{Kind: accountv1.KeyKind_KEY_KIND_ED25519, Public: member.GetNodeKey()}) != nil {
		return a, fault.New("network.bad_key", "The node_key is not a usable Ed25519 public key of 32 bytes.",
			"member", a, "field", "node_key", "key", hex.EncodeToString(member.GetNodeKey()))
	}
	if key := member.GetValidatorKey(); tx.CheckKey(tx.Key{Kind: validatorKind(key), Public: key}) != nil {
		return a, fault.New("network.bad_key", "The validator_key is neither a usable Ed25519 public key of 32 bytes nor an ML-DSA-65 public key of 1952.",
			"member", a, "field", "validator_key", "bytes", len(key), "key", hex.EncodeToString(key[:min(len(key), 32)]))
	}
	// A key with two uses could be made to sign for one what counts for the other.
	if bytes.Equal(member.GetNodeKey(), member.GetValidatorKey()) {
		return a, fault.New("network.key_in_use", "The node key and the validator key are the same. Make a key for each use.",
			"member", a, "key", hex.EncodeToString(member.GetNodeKey()))
	}
	return a, nil
}

// validatorKind is the kind of a validator's key, which its length tells.
func validatorKind(key []byte) accountv1.KeyKind {
	if len(key) == mlDSASize {
		return accountv1.KeyKind_KEY_KIND_ML_DSA_65
	}
	return accountv1.KeyKind_KEY_KIND_ED25519
}

// mlDSASize is the length of an ML-DSA-65 public key, bytes (FIPS 204).
const mlDSASize = 1952

// checkKeysDiffer refuses a member that shares a key with another.
func checkKeysDiffer(member, other *networkv1.Member) error {
	for _, mine := range [][]byte{member.GetNodeKey(), member.GetValidatorKey()} {
		for _, theirs := range [][]byte{other.GetNodeKey(), other.GetValidatorKey()} {
			if bytes.Equal(mine, theirs) {
				return keyInUse(mine, other.GetName())
			}
		}
	}
	return nil
}

func keyInUse(key []byte, name string) error {
	short := hex.EncodeToString(key[:min(len(key), 32)])
	return fault.New("network.key_in_use", fmt.Sprintf("The key %s is in use by %s already. Every node and validator key is used once.", short, name),
		"key", short, "member", name)
}

func checkPower(power int64) error {
	if power < 0 || power > MaxPower {
		return fault.New("network.bad_power", fmt.Sprintf("Power must be 0 to %d, not %d.", MaxPower, power), "power", power, "most", MaxPower)
	}
	return nil
}

func toAddress(b []byte) (tx.Address, error) {
	a, err := tx.ToAddress(b)
	if err != nil {
		return a, fault.New("network.bad_address", "The member's address is not 20 bytes.", "bytes", len(b))
	}
	return a, nil
}
