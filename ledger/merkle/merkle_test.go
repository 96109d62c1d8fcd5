package merkle_test

import (
	"bytes"
	"testing"

	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/dureledger/dure/ledger/merkle"
)

// The library's hashes are these, of data shorter and longer than the buffer.
func TestAsTheLibraryHashes(t *testing.T) {
	for _, n := range []int{0, 1, 766, 767, 768, 5000} {
		data := bytes.Repeat([]byte{7}, n)
		if got := merkle.LeafHash(data); !bytes.Equal(got[:], rfc6962.DefaultHasher.HashLeaf(data)) {
			t.Errorf("a leaf of %d bytes: %x", n, got)
		}
	}
	left, right := merkle.LeafHash([]byte("left")), merkle.LeafHash([]byte("right"))
	if got := merkle.HashChildren(left[:], right[:]); !bytes.Equal(got, rfc6962.DefaultHasher.HashChildren(left[:], right[:])) {
		t.Errorf("children: %x", got)
	}
	for _, pair := range [][2][]byte{{nil, nil}, {left[:], nil}, {left[:31], right[:]}, {left[:], append(right[:], 0)}} {
		if got := merkle.HashChildren(pair[0], pair[1]); !bytes.Equal(got, rfc6962.DefaultHasher.HashChildren(pair[0], pair[1])) {
			t.Errorf("children of %d and %d bytes: %x", len(pair[0]), len(pair[1]), got)
		}
	}
}

func TestLeavesNoGarbage(t *testing.T) {
	data := make([]byte, 500)
	if n := testing.AllocsPerRun(100, func() { merkle.LeafHash(data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
