package state

// small is how many children a bundle may have to be dissolved in the one above it, if that has room: a bundle that grew too large is
// halved, and its halves become children of the one above.
const small = 4

// sequence is neighbouring subtrees, in order, of which a larger one is being made. bits[i] is the first bit in which
// subtrees i and i+1 differ; that of the last means nothing.
type sequence struct {
	kids []*node
	bits []uint16
}

func (q *sequence) len() int { return len(q.kids) }

// add appends a subtree, nil for none.
func (q *sequence) add(n *node) {
	if n != nil {
		q.kids, q.bits = append(q.kids, n), append(q.bits, 0)
	}
}

// extend appends children lo to hi-1 of a bundle.
func (q *sequence) extend(b *bundle, lo, hi int) {
	q.kids, q.bits = append(q.kids, b.kids[lo:hi]...), append(q.bits, b.bits[lo:hi-1]...)
	q.bits = append(q.bits, 0)
}

// join makes one subtree of those at from to mid-1 and those from mid on, each side a subtree or nothing, which first differ at bit.
func (q *sequence) join(from, mid int, bit uint16) {
	left, right := q.kids[from:mid], q.kids[mid:]
	if len(left) == 0 || len(right) == 0 {
		return
	}
	q.bits[mid-1] = bit
	if len(left) == 1 && len(right) == 1 && left[0].bit == pageBit && right[0].bit == pageBit {
		if p := joinPages(left[0].page(), right[0].page()); p != nil {
			q.cut(from)
			q.add(&p.node)
		}
		return
	}
	if len(left)+len(right) > fan {
		q.fold(mid)
		last := q.kids[mid]
		q.cut(mid)
		q.fold(from)
		q.bits[from] = bit
		q.add(last)
	}
}

// fold makes one subtree of those from from on, at most fan.
func (q *sequence) fold(from int) {
	n := subtree(q.kids[from:], q.bits[from:q.len()-1])
	q.cut(from)
	q.add(n)
}

func (q *sequence) cut(n int) { q.kids, q.bits = q.kids[:n], q.bits[:n] }

// node is the one subtree that all have become, nil if there are none.
func (q *sequence) node() *node {
	if q.len() == 0 {
		return nil
	}
	return subtree(q.kids, q.bits[:q.len()-1])
}

// subtree is one node of subtrees that differ at bits.
func subtree(kids []*node, bits []uint16) *node {
	if len(kids) == 1 {
		return kids[0]
	}
	return &newBundle(kids, bits).node
}
