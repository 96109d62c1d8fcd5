package state

import (
	"bytes"
	"crypto/sha256"
)

// Limits on what a tree holds, in bytes, and how deep it can get. Keys and values are never empty: ICS-23
// has no proof for them.
const (
	MaxKey   = 512
	MaxValue = 1 << 20
	MaxDepth = 9 * MaxKey
)

// EmptyRoot is the root of a tree without keys: SHA-256 of nothing.
var EmptyRoot = sha256.Sum256(nil)

// Tree is one version of the state: a binary radix tree in which each inner node stands at the first bit in which
// its keys differ, so the shape and the root depend on the contents alone and never on the order of changes.
// docs/state.md defines it byte for byte.
//
// A Tree never changes: any number of goroutines may read it, and prove against it, while Apply makes later
// versions from it; one Apply at a time on trees that came from each other. A version is freed when nothing refers to it and those that came from
// each other with it any more, or when it is released. Whatever is read from a tree is a copy.
type Tree struct {
	space
	root    ref
	size    int
	version *Version
}

// NewTree is the tree without keys.
func NewTree() *Tree { return &Tree{} }

// Len is the number of keys.
func (t *Tree) Len() int { return t.size }

// Version is what to release when the tree is not needed any more; nil for that of NewTree.
func (t *Tree) Version() *Version { return t.version }

// Root is the hash that commits to every key and value.
func (t *Tree) Root() [32]byte {
	defer t.hold()
	if t.root == 0 {
		return EmptyRoot
	}
	return t.node(t.root).hash
}

// hold, called last, keeps t from looking unused, and being released, while its nodes are read.
//
//go:noinline
func (t *Tree) hold() {}

// Get returns the value of key and whether it is there.
func (t *Tree) Get(key []byte) ([]byte, bool) {
	defer t.hold()
	value, ok := t.peek(key)
	return bytes.Clone(value), ok
}

// peek is Get without copying: the value is the tree's own, for a moment in which the caller holds the tree.
func (t *Tree) peek(key []byte) ([]byte, bool) {
	if t.root == 0 {
		return nil, false
	}
	if l := t.toward(t.node(t.root), key); bytes.Equal(l.key(), key) {
		return l.value(), true
	}
	return nil, false
}

// Ascend calls fn for each key in [from, to), in order, until fn returns false. A nil to means the end. fn may keep the slices it is given.
func (t *Tree) Ascend(from, to []byte, fn func(key, value []byte) bool) {
	defer t.hold()
	for stack := t.seek(from); len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for n.bit != pageBit {
			kids := n.inner().kids
			stack = append(stack, t.node(kids[1]))
			n = t.node(kids[0])
		}
		p := n.page()
		for l := (leaf{p, p.seek(from)}); l.i < p.len(); l.i++ {
			if to != nil && bytes.Compare(l.key(), to) >= 0 || !fn(l.copied()) {
				return
			}
		}
	}
}

// seek returns subtrees that together hold the keys at or after from, the first one last; only its first page may hold
// some before from as well.
func (t *Tree) seek(from []byte) []*node {
	if t.root == 0 {
		return nil
	}
	stack := make([]*node, 0, 64)
	n := t.node(t.root)
	d := diffBit(from, t.toward(n, from).key(), 0)
	for n.bit < d {
		kids, side := n.inner().kids, bitAt(from, n.bit)
		if side == 0 {
			stack = append(stack, t.node(kids[1]))
		}
		n = t.node(kids[side])
	}
	// A page has it among its keys, or not. All of another n differs from from first at d: it comes after from if from's bit
	// there is 0.
	if n.bit == pageBit || bitAt(from, d) == 0 {
		stack = append(stack, n)
	}
	return stack
}
