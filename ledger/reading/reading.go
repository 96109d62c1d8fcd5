package reading

import (
	"fmt"
	"math"
	"unicode/utf8"

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
	c := cursor{b: raw, in: "message"}
	c.exactly(tagged, 18)
	c.exactly(array, 4)
	protected := c.string(bytes, 0, MaxBytes)
	c.exactly(mapping, 0)
	payload := c.string(bytes, 0, MaxBytes)
	copy(r.Signature[:], c.string(bytes, SignatureSize, SignatureSize))
	c.end()
	if c.err == nil {
		c = cursor{b: protected, in: "protected header"}
		r.parseProtected(&c)
	}
	if c.err == nil {
		c = cursor{b: payload, in: "payload"}
		r.parsePayload(&c)
	}
	if c.err != nil {
		return nil, c.err
	}
	return r, nil
}

func (r *Reading) parseProtected(c *cursor) {
	c.exactly(mapping, 3)
	c.key(keyAlg)
	if r.Alg = Alg(c.integer()); r.Alg != EdDSA && r.Alg != ES256 {
		c.fail("the algorithm is %d; it may be -8 (EdDSA) or -7 (ES256)", r.Alg)
	}
	c.key(keyBoot)
	r.Boot = parseCount(c, "boot")
	c.key(keySequence)
	r.Sequence = parseCount(c, "sequence")
	c.end()
}

func parseCount(c *cursor, what string) uint64 {
	n := c.want(unsigned)
	if n == 0 || n > maxCount {
		c.fail("the %s is %d; it counts from 1 and is below 2^63", what, n)
	}
	return n
}

func (r *Reading) parsePayload(c *cursor) {
	c.exactly(array, 1)
	c.exactly(mapping, 4)
	c.key(keyName)
	if r.Feed = string(c.string(text, 1, MaxFeed)); !ValidFeed(r.Feed) {
		c.fail("the name %q is no feed's: a lower-case letter, then a-z, 0-9, '.' and '-'", r.Feed)
	}
	c.key(keyUnit)
	if r.Unit = string(c.string(text, 1, MaxUnit)); !utf8.ValidString(r.Unit) {
		c.fail("the unit is not UTF-8")
	}
	c.key(keyValue)
	r.Value = parseValue(c)
	c.key(keyTime)
	r.Time = parseTime(c)
	c.end()
}

// parseValue reads an integer or a decimal fraction.
func parseValue(c *cursor) Decimal {
	d, fraction := parseNumber(c)
	switch {
	case !fraction:
	case d.Exponent > -1 || d.Exponent < -MaxDecimals:
		c.fail("the value has the exponent %d; it may be -%d to -1", d.Exponent, MaxDecimals)
	case d.Mantissa%10 == 0:
		c.fail("the value's mantissa %d ends in 0; drop the zeros", d.Mantissa)
	}
	return d
}

// parseTime reads whole seconds, or milliseconds that are none.
func parseTime(c *cursor) int64 {
	d, fraction := parseNumber(c)
	ms := d.Mantissa
	switch {
	case fraction && d.Exponent != -3:
		c.fail("the time has the exponent %d; it may only be -3", d.Exponent)
	case fraction && ms%1000 == 0:
		c.fail("the time is whole seconds; write it as an integer")
	case !fraction && ms > math.MaxInt64/1000:
		c.fail("the time is beyond 2^63 - 1 milliseconds")
	case !fraction && ms > 0:
		ms *= 1000
	}
	if ms < MinTime {
		c.fail("the time is below 2^28 seconds, so not an absolute one")
	}
	return ms
}

// parseNumber reads an integer or a decimal fraction, and says which.
func parseNumber(c *cursor) (d Decimal, fraction bool) {
	if c.err == nil && c.at < len(c.b) && c.b[c.at]>>5 == tagged {
		c.exactly(tagged, decimalFraction)
		c.exactly(array, 2)
		exponent := c.integer()
		if exponent < -MaxDecimals || exponent > 0 {
			c.fail("the exponent is %d; it may be -%d to -1", exponent, MaxDecimals)
			return Decimal{}, true
		}
		return Decimal{c.integer(), int(exponent)}, true
	}
	return Decimal{Mantissa: c.integer()}, false
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
