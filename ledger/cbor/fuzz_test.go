package cbor_test

import (
	"bytes"
	"testing"

	reference "github.com/fxamacker/cbor/v2"

	"github.com/dureledger/dure/ledger/cbor"
)

// FuzzCursor: what is read as a row of items is written as the same bytes, and a CBOR library finds as many items there.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"00", "3a00011170", "d28443a1012740a10418640340", "8263c3bc61613903e7", "1817", "5f40ff", "a2010243", "c48221190222"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 1024 {
			return
		}
		c := read(raw)
		again, items := []byte{}, uint64(0)
		for ; c.Err() == nil && c.At() < len(raw); items++ {
			again = item(c, again, 8)
		}
		if c.Err() != nil {
			return
		}
		if !bytes.Equal(again, raw) {
			t.Fatalf("%x is written as %x", raw, again)
		}
		if err := reference.Wellformed(append(cbor.AppendHead(nil, cbor.Array, items), raw...)); err != nil {
			t.Fatalf("%x, %d items: %v", raw, items, err)
		}
	})
}

// item reads an item with all that is in it, depth levels at most, and writes it behind b.
func item(c *cbor.Cursor, b []byte, depth int) []byte {
	const most = 1024
	switch {
	case depth == 0:
		c.Fail("it is too deep")
	case c.Is(cbor.Bytes):
		return cbor.AppendBytes(b, c.Bytes(0, most))
	case c.Is(cbor.Text):
		return cbor.AppendText(b, c.Text(0, most))
	case c.Is(cbor.Tag):
		return item(c, cbor.AppendHead(b, cbor.Tag, c.Head(cbor.Tag)), depth-1)
	case c.Is(cbor.Array):
		n := c.Head(cbor.Array)
		b = cbor.AppendHead(b, cbor.Array, n)
		for ; n > 0 && c.Err() == nil; n-- {
			b = item(c, b, depth-1)
		}
	case c.Is(cbor.Map):
		n := c.Head(cbor.Map)
		b = cbor.AppendHead(b, cbor.Map, n)
		for ; n > 0 && c.Err() == nil; n-- {
			b = item(c, item(c, b, depth-1), depth-1)
		}
	default:
		return cbor.AppendInteger(b, c.Integer())
	}
	return b
}
