package state

import (
	"encoding/binary"
	"math/bits"
	"unsafe" //dure:unsafe a node is always made as the inner or page that its bit says

	"github.com/dureledger/dure/ledger/sha2"
)

// pageBit marks a page; it is above the position of every bit of a key.
const pageBit = 0xffff

// node is what an inner node and a page have in common. A *node always points to the start of an inner or of a
// page, which bit tells apart.
type node struct {
	hash [32]byte
	born uint32 // number of the version that made it
	bit  uint16
}

// inner splits its keys by the first bit in which they differ.
type inner struct {
	node
	kids  [2]ref
	first ref // the page that its first key is in
}

func (n *node) inner() *inner { return (*inner)(unsafe.Pointer(n)) }
func (n *node) page() *page   { return (*page)(unsafe.Pointer(n)) }

// class is that of the node's place in memory.
func (n *node) class() uint8 {
	if n.bit != pageBit {
		return classOf(int(unsafe.Sizeof(inner{})))
	}
	return n.page().class()
}

// toward follows key's bits from n to a leaf. If key is in the tree it is that leaf; if not, the leaf shares as many of
// key's leading bits as any under n.
func (s space) toward(n *node, key []byte) leaf {
	for n.bit != pageBit {
		n = s.node(n.inner().kids[bitAt(key, n.bit)])
	}
	p := n.page()
	return leaf{p, p.toward(key)}
}

// end is the first leaf under n (side 0) or the last (side 1).
func (s space) end(n *node, side int) leaf {
	for n.bit != pageBit {
		n = s.node(n.inner().kids[side])
	}
	p := n.page()
	return leaf{p, side * (p.len() - 1)}
}

// A bit's position is byte<<4 | r: r 0 is 1 if the key has that byte and 0 if it has ended; r 1 to 8 are the byte's
// bits from the highest. So positions order like the bits of the tree's definition, without a division by 9.

// bitAt is the bit of key at pos; past the end every bit is 0.
func bitAt(key []byte, pos uint16) int {
	i := int(pos >> 4)
	if i >= len(key) {
		return 0
	}
	return int((uint(key[i]) | 0x100) >> (8 - pos&15) & 1)
}

// diffBit is the first position at which a and b differ, pageBit if they are equal. They are known to be equal
// in their first skip bytes.
func diffBit(a, b []byte, skip int) uint16 {
	n := min(len(a), len(b))
	i := skip
	for ; i+8 <= n; i += 8 {
		if x := binary.BigEndian.Uint64(a[i:]) ^ binary.BigEndian.Uint64(b[i:]); x != 0 {
			z := bits.LeadingZeros64(x)
			return uint16((i+z/8)<<4 | (1 + z%8))
		}
	}
	for ; i < n; i++ {
		if x := a[i] ^ b[i]; x != 0 {
			return uint16(i<<4 | (1 + bits.LeadingZeros8(x)))
		}
	}
	if len(a) == len(b) {
		return pageBit
	}
	return uint16(n << 4)
}

// Prefixes that keep leaves and inner nodes apart, as in RFC 6962.
const (
	leafPrefix  = 0x00
	innerPrefix = 0x01
)

// usualLeaf is what the message of most leaves fits in, bytes; that of a longer key is put together on the heap.
const usualLeaf = 128

// hashLeaf is SHA-256(0x00 || varint(len(key)) || key || 0x20 || SHA-256(value)).
func hashLeaf(key, value []byte) (out [32]byte) {
	var buf [usualLeaf]byte
	b := append(buf[:0], leafPrefix)
	b = binary.AppendUvarint(b, uint64(len(key)))
	b = append(b, key...)
	b = append(b, 32)
	sha2.Sum(&out, value)
	sha2.Sum(&out, append(b, out[:]...))
	return out
}
