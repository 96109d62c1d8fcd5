package evidence

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"slices"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/cbor"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Encode writes the signed message. The key must be Ed25519 or P-256.
func (t *Token) Encode() []byte {
	b := cbor.AppendBytes(slices.Clone(openMessage[:2]), t.header())
	b = cbor.AppendBytes(append(b, openPayload[0]), t.payload())
	return append(append(b, openSignature...), t.Signature[:]...)
}

func (t *Token) header() []byte {
	alg := byte(algEdDSA)
	if t.Key.Kind == accountv1.KeyKind_KEY_KIND_P256 {
		alg = algES256
	}
	b := append(slices.Clone(openHeader), alg, openKey[0])
	return cbor.AppendBytes(b, t.Key.Public)
}

func (t *Token) payload() []byte {
	b := slices.Concat(openNonce, t.Nonce[:], openUEID, openDevice, t.Device[:], padding)
	b = cbor.AppendHead(append(b, openBoot...), cbor.Unsigned, t.Boot)
	return slices.Concat(b, openFirmware, t.Firmware[:])
}

// SignedBytes is what a device signs: the Sig_structure of RFC 9052, section 4.4, with the network and the device as external data.
// Ed25519 signs these bytes, ES256 their SHA-256.
func (t *Token) SignedBytes(networkID string) []byte {
	b := append([]byte{0x84, 0x6a}, "Signature1"...)
	b = cbor.AppendBytes(b, t.header())
	b = cbor.AppendBytes(b, External(networkID, t.Device))
	return cbor.AppendBytes(b, t.payload())
}

// External is the external data of a token's signature.
func External(networkID string, device tx.Address) []byte {
	return append([]byte("dure/evidence/v1\n"+networkID+"\n"), device[:]...)
}

// Sign fills in t's Key and Signature and returns the message. key's public key is an ed25519.PublicKey or an *ecdsa.PublicKey on P-256; a
// key in software signs by RFC 8032 or RFC 6979, the same every time. Code evidence.bad_key.
func Sign(networkID string, t *Token, key crypto.Signer) ([]byte, error) {
	public, err := tx.KeyOf(key.Public())
	if err != nil {
		return nil, badKey()
	}
	t.Key = public
	signature, err := sign(t.SignedBytes(networkID), t.Key.Kind, key)
	if err != nil {
		return nil, fmt.Errorf("signing evidence: %w", err)
	}
	if len(signature) != len(t.Signature) {
		return nil, fmt.Errorf("signing evidence: the key made a signature of %d bytes", len(signature))
	}
	t.Signature = [64]byte(signature)
	return t.Encode(), nil
}

func sign(message []byte, kind accountv1.KeyKind, key crypto.Signer) ([]byte, error) {
	if kind == accountv1.KeyKind_KEY_KIND_ED25519 {
		return key.Sign(nil, message, crypto.Hash(0))
	}
	digest := sha256.Sum256(message)
	der, err := key.Sign(nil, digest[:], crypto.SHA256) // without chance the standard library signs by RFC 6979
	if err != nil {
		return nil, err
	}
	return tx.CompactP256(der)
}

func badKey() error {
	return fault.New("evidence.bad_key", "Evidence is signed with an Ed25519 or a P-256 key, and this is neither.")
}
