package state

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
)

// Apply returns the tree with changes made. They are in order of key, each key once, within MaxKey and MaxValue and
// not empty; anything else is a fault of the program and panics. Writing the value that is there and deleting what
// is not change nothing. The tree copies what it keeps. Every touched node is visited, made and hashed once.
func (t *Tree) Apply(changes []Change) *Tree {
	return t.apply(changes, update{size: t.size})
}

// Update is Apply and also returns those of the changes that changed something, moved together in the same slice.
func (t *Tree) Update(changes []Change) (*Tree, []Change) {
	out := t.apply(changes, update{size: t.size, tell: true})
	return out, slices.DeleteFunc(changes, func(c Change) bool { return c.same })
}

// update is one version of a tree being made.
type update struct {
	size int
	tell bool   // sets same in changes that change nothing
	read uint32 // of what prepare has read, so that no compiler leaves it out
}

// same notes that a change changes nothing.
func (u *update) same(c *Change) {
	if u.tell {
		c.same = true
	}
}

func (t *Tree) apply(changes []Change, u update) *Tree {
	for i, c := range changes {
		check(c.Key, c.Value, c.Value == nil)
		if i > 0 && bytes.Compare(changes[i-1].Key, c.Key) >= 0 {
			panic(fmt.Sprintf("state: change of key %x is out of order", c.Key))
		}
	}
	if len(changes) == 0 {
		return t
	}
	var root *node
	if t.root == nil {
		root = u.build(changes, 0)
	} else {
		u.prepare(t.root, changes)
		root = u.merge(t.root, t.root.toward(changes[0].Key).key(), changes, 0)
	}
	return &Tree{root, u.size}
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
func (u *update) merge(n *node, sample []byte, changes []Change, skip int) *node {
	if len(changes) == 0 {
		return n
	}
	if n.bit == pageBit {
		return u.mergePage(n.page(), changes, skip)
	}
	// Changes are sorted: where the first and the last agree with sample, all do.
	d := diffBit(changes[0].Key, sample, skip)
	if last := len(changes) - 1; last > 0 {
		d = min(d, diffBit(changes[last].Key, sample, skip))
	}
	if d < n.bit {
		return u.branch(n, sample, changes, d)
	}
	in, cut, home := n.inner(), cutAt(changes, n.bit), bitAt(sample, n.bit)
	parts := [2][]Change{changes[:cut], changes[cut:]}
	kids := in.kids
	for side, part := range parts {
		if len(part) == 0 {
			continue
		}
		if len(changes) > lanes { // else what is above has prepared them
			u.prepare(kids[side], part)
		}
		from := sample
		if side != home && kids[side].bit != pageBit { // a page is merged without one
			// Following a change finds a sample on a path that is needed anyway.
			from = kids[side].toward(part[0].Key).key()
		}
		kids[side] = u.merge(kids[side], from, part, int(n.bit>>4))
	}
	if kids == in.kids {
		return n
	}
	return join(n.bit, kids[0], kids[1])
}

// branch puts the changes that leave n's keys at bit d, above n's own bit, beside n.
func (u *update) branch(n *node, sample []byte, changes []Change, d uint16) *node {
	cut, skip := cutAt(changes, d), int(d>>4)
	if bitAt(sample, d) == 0 {
		return join(d, u.merge(n, sample, changes[:cut], skip), u.build(changes[cut:], skip))
	}
	return join(d, u.build(changes[:cut], skip), u.merge(n, sample, changes[cut:], skip))
}

// build makes the subtree of the changes' keys, which are all new: deletions mean nothing.
func (u *update) build(changes []Change, skip int) *node {
	if len(changes) > maxLeaves {
		d := diffBit(changes[0].Key, changes[len(changes)-1].Key, skip)
		cut := cutAt(changes, d)
		return join(d, u.build(changes[:cut], int(d>>4)), u.build(changes[cut:], int(d>>4)))
	}
	var room [maxLeaves]entry
	entries := room[:0]
	for i, c := range changes {
		if c.Value != nil {
			entries = append(entries, entry{c.Key, c.Value, nil})
		} else {
			u.same(&changes[i])
		}
	}
	u.size += len(entries)
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
