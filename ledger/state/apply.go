package state

import (
	"bytes"
	"fmt"
	"sort"
)

// Apply returns the tree with changes made. They are in order of key, each key once, within MaxKey and MaxValue and
// not empty; anything else is a fault of the program and panics. Writing the value that is there and deleting what
// is not change nothing. The tree copies what it keeps. Every touched node is visited, made and hashed once.
func (t *Tree) Apply(changes []Change) *Tree {
	for i, c := range changes {
		check(c.Key, c.Value, c.Value == nil)
		if i > 0 && bytes.Compare(changes[i-1].Key, c.Key) >= 0 {
			panic(fmt.Sprintf("state: change of key %x is out of order", c.Key))
		}
	}
	if len(changes) == 0 {
		return t
	}
	out := &Tree{size: t.size}
	if t.root == nil {
		out.root = out.build(changes, 0)
	} else {
		out.root = out.merge(t.root, t.root.toward(changes[0].Key).key(), changes, 0)
	}
	return out
}

// check panics if a key cannot be written, deleted or not, with that value.
func check(key, value []byte, deleted bool) {
	switch {
	case len(key) == 0 || len(key) > MaxKey:
		panic(fmt.Sprintf("state: key of %d bytes, want 1 to %d", len(key), MaxKey))
	case !deleted && (len(value) == 0 || len(value) > MaxValue):
		panic(fmt.Sprintf("state: value of %d bytes under key %x, want 1 to %d", len(value), key, MaxValue))
	}
}

// merge makes changes to the subtree n, of which sample is any key, and returns what it has become, nil if nothing
// is left. n's keys and those of changes share their first skip bytes.
func (t *Tree) merge(n *node, sample []byte, changes []Change, skip int) *node {
	if len(changes) == 0 {
		return n
	}
	if n.bit == pageBit {
		return t.mergePage(n.page(), changes, skip)
	}
	// Changes are sorted: where the first and the last agree with sample, all do.
	d := diffBit(changes[0].Key, sample, skip)
	if last := len(changes) - 1; last > 0 {
		d = min(d, diffBit(changes[last].Key, sample, skip))
	}
	if d < n.bit {
		return t.branch(n, sample, changes, d)
	}
	in, cut, home := n.inner(), cutAt(changes, n.bit), bitAt(sample, n.bit)
	parts := [2][]Change{changes[:cut], changes[cut:]}
	kids := in.kids
	for side, part := range parts {
		if len(part) == 0 {
			continue
		}
		from := sample
		if side != home && kids[side].bit != pageBit { // a page is merged without one
			// Following a change finds a sample on a path that is needed anyway.
			from = kids[side].toward(part[0].Key).key()
		}
		kids[side] = t.merge(kids[side], from, part, int(n.bit>>4))
	}
	if kids == in.kids {
		return n
	}
	return join(n.bit, kids[0], kids[1])
}

// branch puts the changes that leave n's keys at bit d, above n's own bit, beside n.
func (t *Tree) branch(n *node, sample []byte, changes []Change, d uint16) *node {
	cut, skip := cutAt(changes, d), int(d>>4)
	if bitAt(sample, d) == 0 {
		return join(d, t.merge(n, sample, changes[:cut], skip), t.build(changes[cut:], skip))
	}
	return join(d, t.build(changes[:cut], skip), t.merge(n, sample, changes[cut:], skip))
}

// build makes the subtree of the changes' keys, which are all new: deletions mean nothing.
func (t *Tree) build(changes []Change, skip int) *node {
	if len(changes) > maxLeaves {
		d := diffBit(changes[0].Key, changes[len(changes)-1].Key, skip)
		cut := cutAt(changes, d)
		return join(d, t.build(changes[:cut], int(d>>4)), t.build(changes[cut:], int(d>>4)))
	}
	var room [maxLeaves]entry
	entries := room[:0]
	for _, c := range changes {
		if c.Value != nil {
			entries = append(entries, entry{c.Key, c.Value, nil})
		}
	}
	t.size += len(entries)
	return buildPages(entries, skip)
}

// join puts two subtrees that first differ at bit under one node; either may be nil.
func join(bit uint16, left, right *node) *node {
	switch {
	case left == nil:
		return right
	case right == nil:
		return left
	case left.bit == pageBit && right.bit == pageBit && fits(left.page().len()+right.page().len(), int(left.page().data)+int(right.page().data)):
		var room [maxLeaves]entry
		return buildPages(right.page().entries(left.page().entries(room[:0])), 0)
	}
	return newInner(bit, left, right)
}

func newInner(bit uint16, left, right *node) *node {
	in := &inner{node{hashInner(&left.hash, &right.hash), bit}, [2]*node{left, right}}
	return &in.node
}

// cutAt is the number of changes whose bit at pos is 0; they come first, all keys being equal before pos.
func cutAt(changes []Change, pos uint16) int {
	return sort.Search(len(changes), func(i int) bool { return bitAt(changes[i].Key, pos) == 1 })
}
