package reading

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/dureledger/dure/ledger/cbor"
	"github.com/dureledger/dure/ledger/fault"
)

// Limits, in bytes, counts and milliseconds.
const (
	MaxBytes = 1024 // of a whole message
	MaxFeed  = 32
	MaxUnit  = 16
	// MinTime is the first time that SenML takes for an absolute one: 2^28 seconds (RFC 8428, section 4.5.3).
	MinTime       = 1 << 28 * 1000
	SignatureSize = 64

	maxCount = math.MaxInt64 // boots and sequence numbers are below 2^63
)

// Alg is a COSE algorithm (RFC 9053, section 2).
type Alg int64

// The algorithms that devices sign with.
const (
	EdDSA Alg = -8 // Ed25519
	ES256 Alg = -7 // ECDSA P-256 with SHA-256
)

// The keys of the protected header and of the SenML record.
const (
	keyAlg      = 1
	keyBoot     = -70001
	keySequence = -70002

	keyName  = 0
	keyUnit  = 1
	keyValue = 2
	keyTime  = 6
)

// decimalFraction is the tag of a decimal fraction (RFC 8949, section 3.4.4).
const decimalFraction = 4

// Reading is one value that a device measured.
type Reading struct {
	// Alg says what kind of key signed it.
	Alg Alg
	// Boot counts the starts of the device, Sequence its readings since that start; both from 1, below 2^63.
	Boot, Sequence uint64
	// Feed is the id of the feed that it is for, 1 to 32 bytes as ValidFeed has it.
	Feed string
	// Unit as SenML writes it, 1 to 16 bytes of UTF-8.
	Unit string
	// Value is exact.
	Value Decimal
	// Time is when it was measured, unix milliseconds, from MinTime on.
	Time int64
	// Signature is over SignedBytes: of Ed25519, or r and s of ECDSA, s at most half the order.
	Signature [SignatureSize]byte
}

// Parse reads one signed reading and checks everything but the signature. Codes reading.malformed, reading.too_large.
func Parse(raw []byte) (*Reading, error) {
	if len(raw) > MaxBytes {
		return nil, fault.New("reading.too_large", fmt.Sprintf("The reading has %d bytes; at most %d are taken.", len(raw), MaxBytes),
			"bytes", len(raw), "limit", MaxBytes)
	}
	r := &Reading{}
	c := cbor.Read(raw, "message", malformed)
	c.Exactly(cbor.Tag, 18)
	c.Exactly(cbor.Array, 4)
	protected := c.Bytes(0, MaxBytes)
	c.Exactly(cbor.Map, 0)
	payload := c.Bytes(0, MaxBytes)
	copy(r.Signature[:], c.Bytes(SignatureSize, SignatureSize))
	c.End()
	if c.Err() == nil {
		c = cbor.Read(protected, "protected header", malformed)
		r.parseProtected(&c)
	}
	if c.Err() == nil {
		c = cbor.Read(payload, "payload", malformed)
		r.parsePayload(&c)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	return r, nil
}

func malformed(part string, at int, why string) error {
	return fault.New("reading.malformed", fmt.Sprintf("The reading is not in the format: %s, byte %d: %s. See docs/reading.md.", part, at, why),
		"part", part, "byte", at)
}

func (r *Reading) parseProtected(c *cbor.Cursor) {
	c.Exactly(cbor.Map, 3)
	c.Key(keyAlg)
	if r.Alg = Alg(c.Integer()); r.Alg != EdDSA && r.Alg != ES256 {
		c.Fail("the algorithm is %d; it may be -8 (EdDSA) or -7 (ES256)", r.Alg)
	}
	c.Key(keyBoot)
	r.Boot = parseCount(c, "boot")
	c.Key(keySequence)
	r.Sequence = parseCount(c, "sequence")
	c.End()
}

func parseCount(c *cbor.Cursor, what string) uint64 {
	n := c.Head(cbor.Unsigned)
	if n == 0 || n > maxCount {
		c.Fail("the %s is %d; it counts from 1 and is below 2^63", what, n)
	}
	return n
}

func (r *Reading) parsePayload(c *cbor.Cursor) {
	c.Exactly(cbor.Array, 1)
	c.Exactly(cbor.Map, 4)
	c.Key(keyName)
	if r.Feed = c.Text(1, MaxFeed); !ValidFeed(r.Feed) {
		c.Fail("the name %q is no feed's: a lower-case letter, then a-z, 0-9, '.' and '-'", r.Feed)
	}
	c.Key(keyUnit)
	if r.Unit = c.Text(1, MaxUnit); !utf8.ValidString(r.Unit) {
		c.Fail("the unit is not UTF-8")
	}
	c.Key(keyValue)
	r.Value = parseValue(c)
	c.Key(keyTime)
	r.Time = parseTime(c)
	c.End()
}

// parseValue reads an integer or a decimal fraction.
func parseValue(c *cbor.Cursor) Decimal {
	d, fraction := parseNumber(c)
	switch {
	case !fraction:
	case d.Exponent > -1 || d.Exponent < -MaxDecimals:
		c.Fail("the value has the exponent %d; it may be -%d to -1", d.Exponent, MaxDecimals)
	case d.Mantissa%10 == 0:
		c.Fail("the value's mantissa %d ends in 0; drop the zeros", d.Mantissa)
	}
	return d
}

// parseTime reads whole seconds, or milliseconds that are none.
func parseTime(c *cbor.Cursor) int64 {
	d, fraction := parseNumber(c)
	ms := d.Mantissa
	switch {
	case fraction && d.Exponent != -3:
		c.Fail("the time has the exponent %d; it may only be -3", d.Exponent)
	case fraction && ms%1000 == 0:
		c.Fail("the time is whole seconds; write it as an integer")
	case !fraction && ms > math.MaxInt64/1000:
		c.Fail("the time is beyond 2^63 - 1 milliseconds")
	case !fraction && ms > 0:
		ms *= 1000
	}
	if ms < MinTime {
		c.Fail("the time is below 2^28 seconds, so not an absolute one")
	}
	return ms
}

// parseNumber reads an integer or a decimal fraction, and says which.
func parseNumber(c *cbor.Cursor) (d Decimal, fraction bool) {
	if c.Is(cbor.Tag) {
		c.Exactly(cbor.Tag, decimalFraction)
		c.Exactly(cbor.Array, 2)
		exponent := c.Integer()
		if exponent < -MaxDecimals || exponent > 0 {
			c.Fail("the exponent is %d; it may be -%d to -1", exponent, MaxDecimals)
			return Decimal{}, true
		}
		return Decimal{c.Integer(), int(exponent)}, true
	}
	return Decimal{Mantissa: c.Integer()}, false
}

// ValidFeed says whether s may name a feed: 1 to 32 of a-z, 0-9, '.' and '-', first a letter.
func ValidFeed(s string) bool {
	if len(s) == 0 || len(s) > MaxFeed || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-') {
			return false
		}
	}
	return true
}
