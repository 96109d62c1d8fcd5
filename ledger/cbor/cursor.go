package cbor

import (
	"bytes"
	"fmt"
)

// Refusal makes the error for a part of a message that is not as it has to be: why, at which of the part's bytes.
type Refusal func(part string, at int, why string) error

// Cursor reads a part of a message front to back. The first failure sticks; later reads return zeros, so that a parser reads straight
// down and asks for the error once.
type Cursor struct {
	b      []byte
	at     int
	part   string
	refuse Refusal
	err    error
}

// Read begins to read b, which is called part in refusals.
func Read(b []byte, part string, refuse Refusal) Cursor {
	return Cursor{b: b, part: part, refuse: refuse}
}

// Err is the first failure, as the Refusal made it, or nil.
func (c *Cursor) Err() error { return c.err }

// At is how many bytes are read.
func (c *Cursor) At() int { return c.at }

// Fail refuses the part where the next byte is, unless it is refused already.
func (c *Cursor) Fail(format string, args ...any) { c.FailAt(c.at, format, args...) }

// FailAt is Fail at a byte that is read already.
func (c *Cursor) FailAt(at int, format string, args ...any) {
	if c.err == nil {
		c.err = c.refuse(c.part, at, fmt.Sprintf(format, args...))
	}
}

// Take reads n bytes as they are, sharing the memory of the message.
func (c *Cursor) Take(n int) []byte {
	if c.err != nil || len(c.b)-c.at < n {
		c.Fail("it is cut off")
		return make([]byte, n)
	}
	c.at += n
	return c.b[c.at-n : c.at : c.at]
}

// Literal reads bytes that can only be these.
func (c *Cursor) Literal(want ...byte) {
	at := c.at
	if got := c.Take(len(want)); c.err == nil && !bytes.Equal(got, want) {
		c.FailAt(at, "want %x, not %x", want, got)
	}
}

// End refuses what is left over.
func (c *Cursor) End() {
	if c.err == nil && c.at != len(c.b) {
		c.Fail("%d bytes are left over", len(c.b)-c.at)
	}
}
