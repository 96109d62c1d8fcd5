package cbor_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/dureledger/dure/ledger/cbor"
)

func refuse(part string, at int, why string) error {
	return fmt.Errorf("%s, byte %d: %s", part, at, why)
}

func read(b []byte) *cbor.Cursor {
	c := cbor.Read(b, "part", refuse)
	return &c
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The integers of RFC 8949, appendix A, that fit in 64 bits with a sign, and the ends of every size.
func TestIntegers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "00", 1: "01", 10: "0a", 23: "17", 24: "1818", 25: "1819", 100: "1864", 255: "18ff", 256: "190100", 1000: "1903e8", 65535: "19ffff",
		65536: "1a00010000", 1000000: "1a000f4240", math.MaxUint32: "1affffffff", math.MaxUint32 + 1: "1b0000000100000000",
		1000000000000: "1b000000e8d4a51000", math.MaxInt64: "1b7fffffffffffffff",
		-1: "20", -10: "29", -24: "37", -25: "3818", -100: "3863", -1000: "3903e7", math.MinInt64: "3b7fffffffffffffff",
	} {
		b := cbor.AppendInteger(nil, n)
		if got := hex.EncodeToString(b); got != want {
			t.Errorf("%d is written as %s, want %s", n, got, want)
		}
		c := read(b)
		if got := c.Integer(); got != n || c.At() != len(b) {
			t.Errorf("%s is read as %d up to byte %d, want %d", want, got, c.At(), n)
		}
		c.End()
		if c.Err() != nil {
			t.Errorf("%s: %v", want, c.Err())
		}
	}
}

// A message with one of everything is read as it is written, and refused wherever it is cut off.
func TestMessage(t *testing.T) {
	b := cbor.AppendHead(cbor.AppendHead(nil, cbor.Tag, 18), cbor.Array, 4)
	b = cbor.AppendBytes(b, []byte{1, 2, 3})
	b = cbor.AppendText(b, "ü")
	b = cbor.AppendInteger(cbor.AppendInteger(cbor.AppendHead(b, cbor.Map, 1), -70001), 7)
	b = append(cbor.AppendHead(b, cbor.Unsigned, math.MaxUint64), 0xca, 0xfe)
	if want := "d28443010203" + "62c3bc" + "a13a0001117007" + "1bffffffffffffffff" + "cafe"; hex.EncodeToString(b) != want {
		t.Fatalf("written as %x, want %s", b, want)
	}
	for n := range len(b) + 1 {
		c := read(b[:n])
		c.Exactly(cbor.Tag, 18)
		c.Exactly(cbor.Array, 4)
		s, text := c.Bytes(3, 3), c.Text(1, 2)
		c.Exactly(cbor.Map, 1)
		c.Key(-70001)
		number, most := c.Integer(), c.Head(cbor.Unsigned)
		c.Literal(0xca)
		rest := c.Take(1)
		c.End()
		if n < len(b) {
			if c.Err() == nil {
				t.Errorf("%x is read though it is cut off", b[:n])
			}
			continue
		}
		if c.Err() != nil || !bytes.Equal(s, []byte{1, 2, 3}) || text != "ü" || number != 7 || most != math.MaxUint64 || rest[0] != 0xfe {
			t.Errorf("read as %x, %q, %d, %d, %x: %v", s, text, number, most, rest, c.Err())
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		raw  string
		read func(c *cbor.Cursor)
		want string
	}{
		{"", func(c *cbor.Cursor) { c.Integer() }, "byte 0: it is cut off"},
		{"1901", func(c *cbor.Cursor) { c.Integer() }, "byte 0: it is cut off"},
		{"1817", func(c *cbor.Cursor) { c.Integer() }, "byte 0: a number or length is not in its shortest form"},
		{"1900ff", func(c *cbor.Cursor) { c.Integer() }, "byte 0: a number or length is not in its shortest form"},
		{"1a0000ffff", func(c *cbor.Cursor) { c.Integer() }, "byte 0: a number or length is not in its shortest form"},
		{"1b00000000ffffffff", func(c *cbor.Cursor) { c.Integer() }, "byte 0: a number or length is not in its shortest form"},
		{"1b8000000000000000", func(c *cbor.Cursor) { c.Integer() }, "byte 0: an integer is below -2^63 or above 2^63 - 1"},
		{"3b8000000000000000", func(c *cbor.Cursor) { c.Integer() }, "byte 0: an integer is below -2^63 or above 2^63 - 1"},
		{"40", func(c *cbor.Cursor) { c.Integer() }, "byte 0: want an integer, not a byte string"},
		{"f4", func(c *cbor.Cursor) { c.Integer() }, "byte 0: want an integer, not a simple value"},
		{"5f", func(c *cbor.Cursor) { c.Bytes(0, 9) }, "byte 0: 0x5f is of indefinite length, or its end; every length is given"},
		{"ff", func(c *cbor.Cursor) { c.Integer() }, "byte 0: 0xff is of indefinite length, or its end; every length is given"},
		{"1c", func(c *cbor.Cursor) { c.Integer() }, "byte 0: 0x1c begins nothing in CBOR"},
		{"0001", func(c *cbor.Cursor) { c.Key(0); c.Key(2) }, "byte 1: want the key 2, not 1"},
		{"a2", func(c *cbor.Cursor) { c.Exactly(cbor.Map, 3) }, "byte 0: want a map of 3, not of 2"},
		{"a2", func(c *cbor.Cursor) { c.Exactly(cbor.Array, 2) }, "byte 0: want an array, not a map"},
		{"60", func(c *cbor.Cursor) { c.Text(1, 2) }, "byte 0: want a text of 1 to 2 bytes, not of 0"},
		{"63616263", func(c *cbor.Cursor) { c.Text(1, 2) }, "byte 0: want a text of 1 to 2 bytes, not of 3"},
		{"5bffffffffffffffff", func(c *cbor.Cursor) { c.Bytes(0, math.MaxInt) }, "byte 0: want a byte string of 0 to 9223372036854775807 bytes, not of 18446744073709551615"},
		{"4201", func(c *cbor.Cursor) { c.Bytes(0, 2) }, "byte 1: it is cut off"},
		{"0102", func(c *cbor.Cursor) { c.Take(1); c.Literal(3) }, "byte 1: want 03, not 02"},
		{"0102", func(c *cbor.Cursor) { c.Integer(); c.End() }, "byte 1: 1 bytes are left over"},
		{"0102", func(c *cbor.Cursor) { c.Integer(); c.Fail("no %s", "more"); c.FailAt(0, "later"); c.Key(9); c.End() }, "byte 1: no more"},
	} {
		c := read(unhex(t, tc.raw))
		tc.read(c)
		if c.Err() == nil || c.Err().Error() != "part, "+tc.want {
			t.Errorf("%s: %v, want %s", tc.raw, c.Err(), tc.want)
		}
	}
}

// After a failure every read gives zeros, and nothing is there.
func TestFailureSticks(t *testing.T) {
	c := read(unhex(t, "0101410161610101"))
	c.Fail("broken")
	if c.Is(cbor.Unsigned) || c.Integer() != 0 || c.Head(cbor.Unsigned) != 0 || len(c.Text(0, 9)) != 0 || !bytes.Equal(c.Take(2), []byte{0, 0}) || c.At() != 0 {
		t.Error("something was read after a failure")
	}
}
