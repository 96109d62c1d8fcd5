package reading

import (
	"encoding/binary"
	"fmt"

	"github.com/dureledger/dure/ledger/fault"
)

// Major types of CBOR (RFC 8949, section 3.1), and the one tag of a decimal fraction.
const (
	unsigned = 0
	negative = 1
	bytes    = 2
	text     = 3
	array    = 4
	mapping  = 5
	tagged   = 6

	decimalFraction = 4
)

// cursor reads deterministic CBOR front to back. The first failure sticks; later reads return zeros, so that the parser reads
// straight down and asks for the error once.
type cursor struct {
	b   []byte
	at  int
	in  string // what is being read, for messages
	err *fault.Error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fault.New("reading.malformed", fmt.Sprintf("The reading is not in the format: %s, byte %d: %s. See docs/reading.md.",
			c.in, c.at, fmt.Sprintf(format, args...)), "part", c.in, "byte", c.at)
	}
}

// head reads the first bytes of an item: its major type and its argument, in the shortest form.
func (c *cursor) head() (major byte, argument uint64) {
	if c.err != nil {
		return 0, 0
	}
	if c.at >= len(c.b) {
		c.fail("it is cut off")
		return 0, 0
	}
	first := c.b[c.at]
	major, info := first>>5, first&31
	if info < 24 {
		c.at++
		return major, uint64(info)
	}
	if info > 27 {
		c.fail("%#02x begins nothing that a reading has; lengths are definite", first)
		return 0, 0
	}
	size := 1 << (info - 24)
	if len(c.b)-c.at-1 < size {
		c.fail("it is cut off")
		return 0, 0
	}
	for _, b := range c.b[c.at+1 : c.at+1+size] {
		argument = argument<<8 | uint64(b)
	}
	if size == 1 && argument < 24 || size > 1 && argument>>(4*size) == 0 {
		c.fail("a number or length is not in its shortest form")
		return 0, 0
	}
	c.at += 1 + size
	return major, argument
}

var majors = [...]string{"an unsigned integer", "a negative integer", "a byte string", "a text", "an array", "a map", "a tag", "a simple value"}

// want reads the head of an item of a major type and returns its argument.
func (c *cursor) want(major byte) uint64 {
	at := c.at
	got, argument := c.head()
	if c.err == nil && got != major {
		c.at = at
		c.fail("want %s, not %s", majors[major], majors[got])
	}
	return argument
}

// exactly reads an item that can only be one, such as a map of four.
func (c *cursor) exactly(major byte, argument uint64) {
	at := c.at
	if got := c.want(major); c.err == nil && got != argument {
		c.at = at
		c.fail("want %s of %d, not of %d", majors[major], argument, got)
	}
}

// key reads an integer that can only be one.
func (c *cursor) key(want int64) {
	at := c.at
	if got := c.integer(); c.err == nil && got != want {
		c.at = at
		c.fail("want the key %d, not %d", want, got)
	}
}

// string reads a byte string or text of least to most bytes, sharing the memory of the message.
func (c *cursor) string(major byte, least, most int) []byte {
	at := c.at
	n := c.want(major)
	switch {
	case c.err != nil:
		return nil
	case n < uint64(least) || n > uint64(most):
		c.at = at
		c.fail("want %s of %d to %d bytes, not of %d", majors[major], least, most, n)
		return nil
	case n > uint64(len(c.b)-c.at):
		c.fail("it is cut off")
		return nil
	}
	s := c.b[c.at : c.at+int(n) : c.at+int(n)]
	c.at += int(n)
	return s
}

// integer reads an integer of 64 bits with a sign.
func (c *cursor) integer() int64 {
	at := c.at
	major, n := c.head()
	switch {
	case c.err != nil:
		return 0
	case major > negative:
		c.at = at
		c.fail("want an integer, not %s", majors[major])
		return 0
	case n > 1<<63-1:
		c.at = at
		c.fail("an integer is below -2^63 or above 2^63 - 1")
		return 0
	case major == negative:
		return -1 - int64(n)
	}
	return int64(n)
}

// end refuses what is left over.
func (c *cursor) end() {
	if c.err == nil && c.at != len(c.b) {
		c.fail("%d bytes are left over", len(c.b)-c.at)
	}
}

// appendHead writes the head of an item in its shortest form.
func appendHead(b []byte, major byte, argument uint64) []byte {
	major <<= 5
	switch {
	case argument < 24:
		return append(b, major|byte(argument))
	case argument < 1<<8:
		return append(b, major|24, byte(argument))
	case argument < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(argument))
	case argument < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(argument))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), argument)
}

func appendInteger(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, negative, uint64(-1-n))
	}
	return appendHead(b, unsigned, uint64(n))
}

func appendString[S ~string | ~[]byte](b []byte, major byte, s S) []byte {
	return append(appendHead(b, major, uint64(len(s))), s...)
}
