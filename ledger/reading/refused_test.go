package reading_test

import (
	"bytes"
	"crypto/elliptic"
	"math/big"
	"strings"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/reading"
)

// parts is a message taken apart, to be put together wrongly. Texts are hex.
type parts struct {
	tag, protected, unprotected, payload, signature, after string
}

const (
	goodProtected = "a301273a00011170043a000111711903f9"                                                 // alg -8, boot 4, sequence 1017
	goodPayload   = "81a4006b73706565642e73656f756c01646b6d2f6802c4822019027106c482221b000001a0c4506cfa" // speed.seoul, km/h, 62.5
)

func good() parts {
	return parts{"d284", goodProtected, "a0", goodPayload, "5840" + strings.Repeat("11", 64), ""}
}

func (p parts) raw(t testing.TB) []byte {
	t.Helper()
	return unhex(t, p.tag+wrap(t, p.protected)+p.unprotected+wrap(t, p.payload)+p.signature+p.after)
}

// wrap puts a byte string's head before hex.
func wrap(t testing.TB, content string) string {
	t.Helper()
	n := len(unhex(t, content))
	const digits = "0123456789abcdef"
	if n < 24 {
		return string([]byte{digits[4+n>>4], digits[n&15]}) + content
	}
	return "58" + string([]byte{digits[n>>4], digits[n&15]}) + content
}

type bad struct {
	name string
	kind accountv1.KeyKind
	code string
	raw  func(t testing.TB) []byte
}

// broken is a good message with something done to its parts.
func broken(name string, change func(p *parts)) bad {
	return bad{name, ed, "reading.malformed", func(t testing.TB) []byte {
		p := good()
		change(&p)
		return p.raw(t)
	}}
}

// inProtected and inPayload replace a piece of hex in a part.
func inProtected(name, old, with string) bad {
	return broken(name, func(p *parts) { p.protected = replace(p.protected, old, with) })
}

func inPayload(name, old, with string) bad {
	return broken(name, func(p *parts) { p.payload = replace(p.payload, old, with) })
}

func replace(s, old, with string) string {
	if strings.Count(s, old) != 1 {
		panic(old + " is not once in " + s)
	}
	return strings.Replace(s, old, with, 1)
}

// spoiled is a good, signed message with something done to its bytes.
func spoiled(name string, kind accountv1.KeyKind, change func(t testing.TB, raw []byte) []byte) bad {
	return bad{name, kind, "reading.bad_signature", func(t testing.TB) []byte { return change(t, sign(t, kind, speed())) }}
}

const (
	value = "02c48220190271"
	taken = "06c482221b000001a0c4506cfa"
)

var bads = []bad{
	{"nothing", ed, "reading.malformed", func(testing.TB) []byte { return nil }},
	{"too many bytes", ed, "reading.too_large", func(testing.TB) []byte { return bytes.Repeat([]byte{0xd2}, reading.MaxBytes+1) }},
	{"cut off", ed, "reading.malformed", func(t testing.TB) []byte { b := good().raw(t); return b[:len(b)-1] }},
	broken("no tag", func(p *parts) { p.tag = "84" }),
	broken("the tag of COSE_Mac0", func(p *parts) { p.tag = "d184" }),
	broken("the tag in two bytes", func(p *parts) { p.tag = "d81284" }),
	broken("an array of five", func(p *parts) { p.tag = "d285" }),
	broken("an array of indefinite length", func(p *parts) { p.tag, p.after = "d29f", "ff" }),
	broken("something in the unprotected header", func(p *parts) { p.unprotected = "a10126" }),
	broken("the unprotected header is no map", func(p *parts) { p.unprotected = "80" }),
	broken("a signature of 63 bytes", func(p *parts) { p.signature = "583f" + strings.Repeat("11", 63) }),
	broken("the signature is a text", func(p *parts) { p.signature = "7840" + strings.Repeat("11", 64) }),
	broken("a byte is left over", func(p *parts) { p.after = "00" }),
	broken("detached payload", func(p *parts) { p.payload = "" }),

	inProtected("another algorithm, ES384", "0127", "013822"),
	inProtected("a header parameter more", "a30127", "a401270280"),
	inProtected("no sequence number", "a301273a00011170043a000111711903f9", "a201273a0001117004"),
	inProtected("the boot twice", "3a000111711903f9", "3a000111701903f9"),
	inProtected("keys not in order", "3a00011170043a000111711903f9", "3a000111711903f93a0001117004"),
	inProtected("a key not in its shortest form", "3a0001117004", "3b000000000001117004"),
	inProtected("boot 0", "3a0001117004", "3a0001117000"),
	inProtected("sequence 0", "1903f9", "00"),
	inProtected("a negative boot", "3a0001117004", "3a0001117020"),
	inProtected("sequence 2^63", "1903f9", "1b8000000000000000"),
	inProtected("a sequence not in its shortest form", "1903f9", "1a000003f9"),
	inProtected("a byte is left over in the protected header", "1903f9", "1903f900"),

	inPayload("two records", "81a4", "82a4"),
	inPayload("a map of three", "a400", "a300"),
	inPayload("a base name", "a4006b", "a4216b"),
	inPayload("the name's key in two bytes", "a4006b", "a418006b"),
	inPayload("a name with capitals", "73706565642e73656f756c", "53706565642e73656f756c"),
	inPayload("a name that begins with a digit", "73706565642e73656f756c", "31706565642e73656f756c"),
	inPayload("an empty name", "6b73706565642e73656f756c", "60"),
	inPayload("a name of 33 bytes", "6b73706565642e73656f756c", "7821"+strings.Repeat("61", 33)),
	inPayload("a name in chunks", "6b73706565642e73656f756c", "7f6573706565642e6573656f756cff"),
	inPayload("no unit", "01646b6d2f68", "0160"),
	inPayload("a unit of 17 bytes", "01646b6d2f68", "0171"+strings.Repeat("6d", 17)),
	inPayload("a unit that is not UTF-8", "01646b6d2f68", "0164ff6d2f68"),
	inPayload("the unit is bytes", "01646b6d2f68", "01446b6d2f68"),
	inPayload("a value in half precision", value, "02f953d0"),
	inPayload("a value in double precision", value, "02fb404f400000000000"),
	inPayload("a value of tag 5, a bigfloat", value, "02c58220190271"),
	inPayload("a value with exponent 0", value, "02c48200190271"),
	inPayload("a value with exponent 1", value, "02c48201190271"),
	inPayload("a value with exponent -10", value, "02c48229190271"),
	inPayload("a mantissa that ends in 0", value, "02c48220190276"),
	inPayload("a mantissa of 0", value, "02c4822000"),
	inPayload("a mantissa that is a bignum", value, "02c48220c2420271"),
	inPayload("a value of 2^63", value, "021b8000000000000000"),
	inPayload("a value of -2^63 - 1", value, "023b8000000000000000"),
	inPayload("the value true", value, "02f5"),
	inPayload("whole seconds as milliseconds", taken, "06c482221b000001a0c4506c00"),
	inPayload("a time with exponent -2", taken, "06c482211b000001a0c4506cfa"),
	inPayload("a time in double precision", taken, "06fb41dac6f8e00a0000"),
	inPayload("a relative time", taken, "0624"),
	inPayload("a time below 2^28 seconds", taken, "061a0fffffff"),
	inPayload("a time beyond 2^63 - 1 milliseconds", taken, "061b0020c49ba5e353f8"),
	inPayload("a byte is left over in the payload", taken, taken+"00"),

	spoiled("another value than was signed", ed, func(t testing.TB, raw []byte) []byte {
		return bytes.Replace(raw, unhex(t, value), unhex(t, "02c48220190273"), 1)
	}),
	spoiled("another sequence number than was signed", p256, func(t testing.TB, raw []byte) []byte {
		return bytes.Replace(raw, unhex(t, "1903f9"), unhex(t, "1903fa"), 1)
	}),
	spoiled("the signature of another message", ed, func(_ testing.TB, raw []byte) []byte { raw[len(raw)-40] ^= 1; return raw }),
	spoiled("the signature of another key kind", p256, func(t testing.TB, _ []byte) []byte { return sign(t, ed, speed()) }),
	spoiled("the higher of the two s", p256, func(_ testing.TB, raw []byte) []byte {
		s := raw[len(raw)-32:]
		new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(s)).FillBytes(s)
		return raw
	}),
	{"signed for another network", ed, "reading.bad_signature", func(t testing.TB) []byte {
		return signFor(t, "test-ff0102030405060708090a0b0c0d0e0f", 1)
	}},
	{"signed for another device", ed, "reading.bad_signature", func(t testing.TB) []byte { return signFor(t, "", 2) }},
}
