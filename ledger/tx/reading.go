package tx

import (
	"crypto/sha256"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
)

// VerifyReading checks the signature of one reading, by the rules of witnesses: Ed25519 by ZIP-215, P-256 with low s. Whether the key is
// the device's is for the ledger to say. Code reading.bad_signature.
func VerifyReading(networkID string, device Address, key Key, r *reading.Reading) error {
	good := false
	switch {
	case key.Kind != readingKind(r.Alg):
	case r.Alg == reading.EdDSA:
		good = verifyEd25519(key.Public, r.SignedBytes(networkID, device), r.Signature[:])
	default:
		good = verifyP256(key.Public, sha256.Sum256(r.SignedBytes(networkID, device)), r.Signature[:])
	}
	if good {
		return nil
	}
	return fault.New("reading.bad_signature", fmt.Sprintf("Reading %d of start %d of %s is not signed by this key for this network and device.",
		r.Sequence, r.Boot, device), "device", device, "boot", r.Boot, "sequence", r.Sequence)
}

// readingKind is the kind of key of a reading's algorithm.
func readingKind(alg reading.Alg) accountv1.KeyKind {
	if alg == reading.EdDSA {
		return accountv1.KeyKind_KEY_KIND_ED25519
	}
	return accountv1.KeyKind_KEY_KIND_P256
}
