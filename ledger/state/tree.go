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
// versions from it. A version is freed when nothing refers to it any more.
type Tree struct {
	root *node
	size int
}

// NewTree is the tree without keys.
func NewTree() *Tree { return &Tree{} }

// Len is the number of keys.
func (t *Tree) Len() int { return t.size }

// Root is the hash that commits to every key and value.
func (t *Tree) Root() [32]byte {
	if t.root == nil {
		return EmptyRoot
	}
	return t.root.hash
}

// Get returns the value of key and whether it is there. The caller must not change the slice.
func (t *Tree) Get(key []byte) ([]byte, bool) {
	if t.root == nil {
		return nil, false
	}
	if l := t.root.toward(key); bytes.Equal(l.key(), key) {
		return l.value(), true
	}
	return nil, false
}

// Ascend calls fn for each key in [from, to), in order, until fn returns false. A nil to means the end. fn must not
// change the slices it is given; it may keep them.
func (t *Tree) Ascend(from, to []byte, fn func(key, value []byte) bool) {
	for stack := t.seek(from); len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for n.bit != pageBit {
			in := n.inner()
			stack = append(stack, in.kids[1])
			n = in.kids[0]
		}
		p := n.page()
		for l := (leaf{p, p.seek(from)}); l.i < p.len(); l.i++ {
			if to != nil && bytes.Compare(l.key(), to) >= 0 || !fn(l.key(), l.value()) {
				return
			}
		}
	}
}

// seek returns subtrees that together hold the keys at or after from, the first one last; only its first page may hold
// some before from as well.
func (t *Tree) seek(from []byte) []*node {
	if t.root == nil {
		return nil
	}
	stack := make([]*node, 0, 64)
	n, d := t.root, diffBit(from, t.root.toward(from).key(), 0)
	for n.bit < d {
		in, side := n.inner(), bitAt(from, n.bit)
		if side == 0 {
			stack = append(stack, in.kids[1])
		}
		n = in.kids[side]
	}
	// A page has it among its keys, or not. All of another n differs from from first at d: it comes after from if from's bit
	// there is 0.
	if n.bit == pageBit || bitAt(from, d) == 0 {
		stack = append(stack, n)
	}
	return stack
}
