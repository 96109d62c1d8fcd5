package state

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// checkNode fails unless all under n is as a reader of pages relies on, and returns how many leaves and bytes that is.
func checkNode(t *rapid.T, s space, n *node) (leaves, data int) {
	if n.bit != pageBit {
		in := n.inner()
		left, right := s.node(in.kids[0]), s.node(in.kids[1])
		leaves, data = checkNode(t, s, left)
		l, d := checkNode(t, s, right)
		leaves, data = leaves+l, data+d
		switch {
		case in.hash != sha256.Sum256(slices.Concat([]byte{innerPrefix}, left.hash[:], right.hash[:])):
			t.Fatalf("wrong hash of an inner node at bit %d", in.bit)
		case in.bit != diffBit(s.end(left, 1).key(), s.end(right, 0).key(), 0):
			t.Fatalf("an inner node stands at bit %d", in.bit)
		case fits(leaves, data):
			t.Fatalf("%d leaves of %d bytes are in more than one page", leaves, data)
		}
		return leaves, data
	}
	p := n.page()
	for i := range p.len() {
		l := leaf{p, i}
		data += len(l.key()) + len(l.value())
		if *p.leafHash(i) != hashLeaf(l.key(), l.value()) {
			t.Fatalf("wrong hash of leaf %x", l.key())
		}
		if i > 0 && p.bits()[i-1] != diffBit(leaf{p, i - 1}.key(), l.key(), 0) {
			t.Fatalf("wrong bit before leaf %x", l.key())
		}
		if got := p.toward(l.key()); got != i {
			t.Fatalf("the way to leaf %d of %d leads to %d", i, p.len(), got)
		}
	}
	if !fits(p.len(), data) || data != int(p.data) {
		t.Fatalf("a page of %d leaves says that it has %d bytes and has %d", p.len(), p.data, data)
	}
	again := update{memory: &memory{}}
	if r := again.makePage(p.entries(nil), data, 0); again.node(r).hash != p.hash {
		t.Fatalf("a page of %d leaves has a wrong hash", p.len())
	}
	return p.len(), data
}

// TestPagesHoldWhatFits draws changes of few and of large values: whatever the order of changes, no subtree that fits a
// page is in two, and all hashes and bits are right.
func TestPagesHoldWhatFits(t *testing.T) {
	key := rapid.OneOf(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 'a', 0xff}), 1, 4), rapid.SliceOfN(rapid.Byte(), 1, 8))
	value := rapid.Custom(func(t *rapid.T) []byte {
		size := rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(maxPageData/8, maxPageData+1)).Draw(t, "size")
		return bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, size)
	})
	rapid.Check(t, func(t *rapid.T) {
		tree, want := NewTree(), map[string][]byte{}
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			drawn := rapid.MapOfN(rapid.Map(key, func(b []byte) string { return string(b) }), rapid.Ptr(value, true), 0, 60).Draw(t, "changes")
			var changes []Change
			for _, k := range slices.Sorted(maps.Keys(drawn)) {
				c := Change{Key: []byte(k)}
				delete(want, k)
				if v := drawn[k]; v != nil {
					c.Value, want[k] = *v, *v
				}
				changes = append(changes, c)
			}
			before, old := tree.Root(), tree
			tree = tree.Apply(changes)
			if old.Root() != before || tree.Len() != len(want) {
				t.Fatalf("%d keys, want %d; the version before has the root %x, had %x", tree.Len(), len(want), old.Root(), before)
			}
			if tree.root == 0 {
				continue
			}
			if leaves, _ := checkNode(t, tree.space, tree.node(tree.root)); leaves != len(want) {
				t.Fatalf("%d leaves, want %d", leaves, len(want))
			}
		}
		for k, v := range want {
			if got, ok := tree.Get([]byte(k)); !ok || !bytes.Equal(got, v) {
				t.Fatalf("Get(%x): %d bytes, %v; want %d", k, len(got), ok, len(v))
			}
		}
	})
}
