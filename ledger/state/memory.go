package state

import (
	"math/bits"
	"unsafe" //dure:unsafe nodes lie in slabs of words, at places that only alloc gives out
)

// Nodes lie in slabs, large pieces without pointers, and name each other by number. To the garbage collector a tree of millions of nodes is some
// hundred objects that it need not look into; as objects of their own it spent more time on them than all execution took. The price is that
// memory comes back only when somebody says so: see Version.

// ref names a node by its place: the slab in the upper bits, the unit in it in the lower ones. 0 is no node.
type ref uint32

const (
	unit     = 64 // bytes, a cache line; an inner node takes one
	slabBits = 16
	slabMax  = 1 << slabBits // units of a slab
	slabMin  = 64            // units of the first slab; each is twice as large as the one before
)

// space is where the nodes of trees that came from each other lie. A copy of it reads all that were made before it was copied.
type space []unsafe.Pointer

func (s space) node(r ref) *node {
	return (*node)(unsafe.Add(s[r>>slabBits], uintptr(r&(slabMax-1))*unit))
}

// memory gives out places in slabs.
type memory struct {
	space
	units      int            // of the last slab
	next, last ref            // what is left of the last slab: from next to before last
	free       [classes][]ref // places to be used again, by class
	versions   uint32         // made so far
	spare      [][]stale      // lists to be used again
	desk       [deskSize / 8]uint64
}

// farKeys is how many keys a tree has, at least, whose pages are far more than the processor's caches hold: one that a block changes is not read again
// before others have taken its place there. So a page of it is changed on a desk, which the caches do hold, and written to its place past them.
const farKeys = 1 << 17

// deskSize has room for any page of many leaves.
const deskSize = (pageHead + maxLeaves*perLeaf + maxPageData + (2*maxLeaves-1)*32 + unit - 1) / unit * unit

// alloc is a place for so many bytes, at most MaxValue and the rest of a page. What is there is garbage.
func (m *memory) alloc(size int) ref {
	c := classOf(size)
	if n := len(m.free[c]); n > 0 {
		r := m.free[c][n-1]
		m.free[c] = m.free[c][:n-1]
		return r
	}
	n := ref(unitsOf(c))
	if m.last-m.next < n {
		m.grow(int(n))
	}
	r := m.next
	m.next += n
	return r
}

// grow begins another slab, of at least so many units.
func (m *memory) grow(units int) {
	m.units = min(max(slabMin, 2*m.units), slabMax)
	for m.units < units+1 {
		m.units *= 2
	}
	slab := make([]uint64, m.units*unit/8)
	m.next = ref(len(m.space)) << slabBits
	m.last = m.next + ref(m.units)
	if m.next == 0 {
		m.next = 1 // 0 is no node
	}
	if len(m.space) == 1<<(32-slabBits) {
		panic("state: a tree of more than 256 GiB")
	}
	// Copies of space end before what is appended.
	m.space = append(m.space, unsafe.Pointer(unsafe.SliceData(slab)))
}

// release makes the place of a node one to be used again.
func (m *memory) release(r ref, class uint8) { m.free[class] = append(m.free[class], r) }

// Places come in sizes that are at most an eighth apart: 1 to 16 units, then 18, 20 … 32, 36, 40 … and so on.
const (
	classes = 16 + 8*12
)

// classOf is the smallest class with room for so many bytes.
func classOf(size int) uint8 {
	n := uint((size + unit - 1) / unit)
	if n <= 16 {
		return uint8(n - 1)
	}
	shift := bits.Len(n-1) - 4 // n-1 has four bits above it, the highest of which is 1
	return uint8(8*shift + int((n-1)>>shift))
}

// unitsOf is what a place of the class takes.
func unitsOf(class uint8) int {
	if class < 16 {
		return int(class) + 1
	}
	shift := int(class)/8 - 1
	return (int(class) - 8*shift + 1) << shift
}
