package evidence

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/dureledger/dure/ledger/fault"
)

// cursor reads bytes front to back. The first failure sticks; later reads return zeros, so that a parser reads straight down and asks for
// the error once.
type cursor struct {
	b   []byte
	at  int
	in  string // what is being read, for messages
	err *fault.Error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fault.New("evidence.malformed", fmt.Sprintf("The %s is not in the format: byte %d: %s. See docs/evidence.md.",
			c.in, c.at, fmt.Sprintf(format, args...)), "part", c.in, "byte", c.at)
	}
}

// take reads n bytes, sharing their memory.
func (c *cursor) take(n int) []byte {
	if c.err == nil && len(c.b)-c.at < n {
		c.fail("it is cut off")
	}
	if c.err != nil {
		return make([]byte, n)
	}
	c.at += n
	return c.b[c.at-n : c.at : c.at]
}

// literal reads bytes that can only be these.
func (c *cursor) literal(want ...byte) {
	at := c.at
	if got := c.take(len(want)); c.err == nil && !bytes.Equal(got, want) {
		c.at = at
		c.fail("want %x, not %x", want, got)
	}
}

func (c *cursor) uint8() uint8   { return c.take(1)[0] }
func (c *cursor) uint16() uint16 { return binary.BigEndian.Uint16(c.take(2)) }
func (c *cursor) uint32() uint32 { return binary.BigEndian.Uint32(c.take(4)) }
func (c *cursor) uint64() uint64 { return binary.BigEndian.Uint64(c.take(8)) }

// sized reads a TPM2B: two bytes of length, least to most, then as many bytes.
func (c *cursor) sized(what string, least, most int) []byte {
	at := c.at
	n := int(c.uint16())
	if c.err == nil && (n < least || n > most) {
		c.at = at
		c.fail("the %s has %d bytes; it may have %d to %d", what, n, least, most)
	}
	if c.err != nil {
		return nil
	}
	return c.take(n)
}

// end refuses what is left over.
func (c *cursor) end() {
	if c.err == nil && c.at != len(c.b) {
		c.fail("%d bytes are left over", len(c.b)-c.at)
	}
}

func tooLarge(what string, n, limit int) error {
	return fault.New("evidence.too_large", fmt.Sprintf("The %s has %d bytes; at most %d are taken.", what, n, limit), "bytes", n, "limit", limit)
}
