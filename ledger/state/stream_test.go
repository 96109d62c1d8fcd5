package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"
	"unsafe" //dure:unsafe memory that begins a unit
)

// Whole units are copied, as many as the bytes begin, and nothing beside them is written.
func TestStream(t *testing.T) {
	from := make([]byte, deskSize)
	for i := range from {
		from[i] = byte(i*7 + i>>8)
	}
	room := make([]uint64, (deskSize+4*unit)/8)
	all := unsafe.Slice((*byte)(unsafe.Pointer(&room[0])), len(room)*8)
	skip := unit + (unit-int(uintptr(unsafe.Pointer(&all[0]))%unit))%unit
	for _, size := range []int{1, unit - 1, unit, unit + 1, 2 * unit, 1000, 2048, deskSize - 1, deskSize} {
		for i := range all {
			all[i] = 0xee
		}
		stream(unsafe.Pointer(&all[skip]), unsafe.Pointer(&from[0]), size)
		streamed()
		whole := (size + unit - 1) / unit * unit
		want := slices.Concat(bytes.Repeat([]byte{0xee}, skip), from[:whole], bytes.Repeat([]byte{0xee}, len(all)-skip-whole))
		if !bytes.Equal(all, want) {
			t.Errorf("%d bytes: not what was to be copied, or more", size)
		}
	}
}

// A tree of so many keys that pages are changed on the desk has the root that the same contents have when they are put into a tree at once, and so do the versions before, whose
// places are not used again until they are released.
func TestFarPages(t *testing.T) {
	const keys = farKeys + 1000
	value := func(i, round int) []byte {
		n := 8
		if (i+round)%7 == 0 { // another length now and then: not an overwriting
			n = 9
		}
		return append(bytes.Repeat([]byte{byte(round)}, n-4), binary.BigEndian.AppendUint32(nil, uint32(i))...)
	}
	all := make([]Change, keys)
	for i := range all {
		digest := sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(i)))
		all[i] = Change{Key: append([]byte("balance/krw/"), digest[:20]...)}
	}
	slices.SortFunc(all, Change.Compare)
	for i := range all {
		all[i].Value = value(i, 0)
	}
	tree := NewTree().Apply(all)
	var versions []*Tree
	var roots [][32]byte
	for round := 1; round <= 6; round++ {
		var changes []Change
		for i := round; i < keys; i += 13 + i%5 {
			all[i].Value = value(i, round)
			changes = append(changes, all[i])
		}
		tree = tree.Apply(changes)
		versions, roots = append(versions, tree), append(roots, tree.Root())
		if len(versions) < 3 {
			continue
		}
		if recomputed(versions[0]) != roots[0] {
			t.Fatalf("round %d: a version before has changed", round)
		}
		Release(versions[0].Version())
		versions, roots = versions[1:], roots[1:]
	}
	if tree.Root() != NewTree().Apply(all).Root() {
		t.Error("another root than of the same contents put in at once")
	}
}

// recomputed is the root that the tree's contents have.
func recomputed(t *Tree) [32]byte {
	var all []Change
	t.Ascend(nil, nil, func(key, value []byte) bool {
		all = append(all, Change{Key: key, Value: value})
		return true
	})
	return NewTree().Apply(all).Root()
}
