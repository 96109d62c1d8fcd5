package evidence

import (
	"bytes"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// MaxToken is the most bytes that a token may have.
const MaxToken = 512

// COSE algorithms (RFC 9053, section 2) in CBOR, as they stand in a header.
const (
	algEdDSA = 0x27 // -8, with Ed25519
	algES256 = 0x26 // -7, ECDSA P-256 with SHA-256
)

// The parts of a token that are the same in each, in deterministic CBOR (RFC 8949, section 4.2.1): integers and lengths in their shortest
// form, keys in the order of their bytes. The claims' numbers are those of the registry that RFC 9711 and RFC 8392 fill.
var (
	openMessage  = []byte{0xd2, 0x84, 0x58}             // tag 18, COSE_Sign1: an array of four; a string of a length below 256
	openHeader   = []byte{0xa2, 0x01}                   // a map of two: 1, alg
	openKey      = []byte{0x04, 0x58}                   // 4, kid: a string
	openPayload  = []byte{0xa0, 0x58}                   // no unprotected header; a string
	openNonce    = []byte{0xa4, 0x0a, 0x58, 0x20}       // a map of four: 10, eat_nonce: a string of 32
	openUEID     = []byte{0x19, 0x01, 0x00, 0x58, 0x19} // 256, ueid: a string of 25
	openDevice   = []byte{0x01}                         // a UEID of type RAND
	padding      = []byte{0, 0, 0, 0}                   // which has 24 bytes
	openBoot     = []byte{0x19, 0x01, 0x0b}             // 267, bootcount
	openFirmware = []byte{0x19, 0x01, 0x11, 0x81, 0x82, // 273, measurements: an array of one, which is of two:
		0x18, 0x2a, 0x58, 0x20} // CoAP content format 42, application/octet-stream, and a string of 32
	openSignature = []byte{0x58, 0x40}
)

// Token is what a device says of itself when it is challenged.
type Token struct {
	// Key signed it: Ed25519 or P-256, in the form of a witness's key. Whether it may speak for the device the ledger knows.
	Key tx.Key
	// Device is the address of its account.
	Device tx.Address
	// Nonce is the challenge.
	Nonce [32]byte
	// Boot counts the starts of the device.
	Boot uint64
	// Firmware is the SHA-256 of what runs, as measured.
	Firmware [32]byte
	// Signature is over SignedBytes: of Ed25519, or r and s of ECDSA, s at most half the order.
	Signature [64]byte
}

// ParseToken reads a token and checks everything but the signature. Codes evidence.malformed, evidence.too_large.
func ParseToken(raw []byte) (*Token, error) {
	if len(raw) > MaxToken {
		return nil, tooLarge("token", len(raw), MaxToken)
	}
	t := &Token{}
	c := read(raw, "token")
	c.Literal(openMessage...)
	c.Take(1) // lengths that follow from the rest are compared below
	t.parseHeader(c)
	c.Literal(openPayload...)
	c.Take(1)
	c.Literal(openNonce...)
	t.Nonce = [32]byte(c.Take(32))
	c.Literal(openUEID...)
	c.Literal(openDevice...)
	t.Device = tx.Address(c.Take(20))
	c.Literal(padding...)
	c.Literal(openBoot...)
	t.Boot = parseCount(c)
	c.Literal(openFirmware...)
	t.Firmware = [32]byte(c.Take(32))
	c.Literal(openSignature...)
	t.Signature = [64]byte(c.Take(64))
	c.End()
	if c.Err() == nil && !bytes.Equal(t.Encode(), raw) {
		c.Fail("a number or length is not what it has to be")
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Token) parseHeader(c *cursor) {
	c.Literal(openHeader...)
	switch alg := c.uint8(); {
	case alg == algEdDSA:
		t.Key.Kind = accountv1.KeyKind_KEY_KIND_ED25519
	case alg == algES256:
		t.Key.Kind = accountv1.KeyKind_KEY_KIND_P256
	default:
		c.Fail("the algorithm begins with %#02x; it may be -8 (EdDSA) or -7 (ES256)", alg)
	}
	c.Literal(openKey...)
	c.Literal(byte(keySize(t.Key.Kind)))
	t.Key.Public = bytes.Clone(c.Take(keySize(t.Key.Kind)))
}

func keySize(kind accountv1.KeyKind) int {
	if kind == accountv1.KeyKind_KEY_KIND_ED25519 {
		return 32
	}
	return 33
}

// parseCount reads an unsigned integer. That it is in its shortest form shows when the token is written again.
func parseCount(c *cursor) uint64 {
	switch first := c.uint8(); {
	case first < 24:
		return uint64(first)
	case first == 24:
		return uint64(c.uint8())
	case first == 25:
		return uint64(c.uint16())
	case first == 26:
		return uint64(c.uint32())
	case first == 27:
		return c.uint64()
	default:
		c.Fail("the bootcount begins with %#02x; it is an unsigned integer", first)
		return 0
	}
}

// VerifyToken checks the signature of a token by the key that it carries, by the rules of witnesses: Ed25519 by ZIP-215, P-256 with low s.
// Whether the key is the device's is for the ledger to say. Code evidence.bad_signature.
func VerifyToken(networkID string, t *Token) error {
	if !tx.VerifyMessage(t.Key, t.SignedBytes(networkID), t.Signature[:]) {
		return fault.New("evidence.bad_signature", fmt.Sprintf("The evidence of %s is not signed by the key that it names for this network and device.", t.Device),
			"device", t.Device, "key", t.Key.Address())
	}
	return nil
}
