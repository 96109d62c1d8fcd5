package state

// fan is the most children of a bundle. With 15, a bundle's bits end its first cache line and a bundle fills its ten.
const fan = 15

// A bundle is the top of a subtree: several of its inner nodes in one piece, the hashes of these, and the subtrees under them, its
// children. Like a page it says its shape by the bits at which neighbours differ. It never changes.
//
// One inner node apiece would be smaller to copy, but there would be ten times as many, each a wait for memory at every look-up and a pointer for
// the garbage collector to follow.
type bundle struct {
	node
	bits [fan - 1]uint16
	kids [fan]*node
	sums [fan - 1][32]byte // of the inner node between child i and i+1
}

// newBundle makes a bundle of at least two children.
func newBundle(kids []*node, bits []uint16) *bundle {
	b := &bundle{node: node{count: uint16(len(kids))}}
	copy(b.kids[:], kids)
	copy(b.bits[:], bits)
	b.bit = bits[split(bits, 0, len(kids))]
	b.hash = *rehash(b, b.gaps(), ^uint32(0), 0, len(kids))
	return b
}

// with is the bundle with other children, that differ at the same bits.
func (b *bundle) with(kids []*node) *bundle {
	stale := uint32(0)
	for i, kid := range kids {
		if kid != b.kids[i] {
			stale |= 1 << i
		}
	}
	if stale == 0 {
		return b
	}
	out := *b
	copy(out.kids[:], kids)
	out.hash = *rehash(&out, out.gaps(), stale, 0, len(kids))
	return &out
}

// gaps is the bits at which neighbours differ.
func (b *bundle) gaps() []uint16 { return b.bits[:b.len()-1] }

func (b *bundle) leafHash(i int) *[32]byte  { return &b.kids[i].hash }
func (b *bundle) innerHash(i int) *[32]byte { return &b.sums[i] }

// toward is the child that following key's bits leads to.
func (b *bundle) toward(key []byte) *node { return b.kids[toward(b.gaps(), key)] }

// within narrows the children down to those that share key's bits before bit d: one, or several that first differ at d or later.
func (b *bundle) within(key []byte, d uint16) (lo, hi int) {
	lo, hi = 0, b.len()
	for hi-lo > 1 {
		s := split(b.bits[:], lo, hi)
		switch {
		case b.bits[s] >= d:
			return lo, hi
		case bitAt(key, b.bits[s]) == 0:
			hi = s + 1
		default:
			lo = s + 1
		}
	}
	return lo, hi
}
