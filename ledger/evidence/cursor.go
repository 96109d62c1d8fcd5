package evidence

import (
	"encoding/binary"
	"fmt"

	"github.com/dureledger/dure/ledger/cbor"
	"github.com/dureledger/dure/ledger/fault"
)

// cursor reads a token, or what a TPM writes: fields of a fixed size, big-endian.
type cursor struct{ cbor.Cursor }

func read(b []byte, part string) *cursor { return &cursor{cbor.Read(b, part, malformed)} }

func malformed(part string, at int, why string) error {
	return fault.New("evidence.malformed", fmt.Sprintf("The %s is not in the format: byte %d: %s. See docs/evidence.md.", part, at, why),
		"part", part, "byte", at)
}

func (c *cursor) uint8() uint8   { return c.Take(1)[0] }
func (c *cursor) uint16() uint16 { return binary.BigEndian.Uint16(c.Take(2)) }
func (c *cursor) uint32() uint32 { return binary.BigEndian.Uint32(c.Take(4)) }
func (c *cursor) uint64() uint64 { return binary.BigEndian.Uint64(c.Take(8)) }

// sized reads a TPM2B: two bytes of length, least to most, then as many bytes.
func (c *cursor) sized(what string, least, most int) []byte {
	at := c.At()
	n := int(c.uint16())
	if n < least || n > most {
		c.FailAt(at, "the %s has %d bytes; it may have %d to %d", what, n, least, most)
	}
	if c.Err() != nil {
		return nil
	}
	return c.Take(n)
}

func tooLarge(what string, n, limit int) error {
	return fault.New("evidence.too_large", fmt.Sprintf("The %s has %d bytes; at most %d are taken.", what, n, limit), "bytes", n, "limit", limit)
}
