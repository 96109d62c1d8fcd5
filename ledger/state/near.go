package state

import (
	"bytes"
	"encoding/binary"
)

// near remembers where in a tree some keys are, so that reading them takes no second way down, and where in what the view wrote: its map of that is
// large, and each look into it waits for memory.
type near struct {
	keys    [][]byte
	leaves  []leaf
	written [MaxTouch]uint32     // by key: unknown, unwritten, or firstPlace more than where it is
	slots   [2 * MaxTouch]uint16 // hash table: one more than a key's place in keys, 0 if empty
}

// What near.written says of a key.
const (
	unknown = iota
	unwritten
	firstPlace
)

// MaxTouch is the most keys that a View remembers.
const MaxTouch = 256

// Touch looks for keys that will likely be read, all at once, and remembers where they are; what it remembered before it forgets, and of more than
// MaxTouch keys it takes the first. Reads and writes do the same with it and without. The caller must not change the slices until the view is used no more, or before it touches others.
func (v *View) Touch(keys [][]byte) {
	tree, ok := v.base.(*Tree)
	if !ok || tree.root == 0 { // nothing to find
		return
	}
	if v.near == nil {
		v.near = &near{}
	}
	v.near.keys = keys[:min(len(keys), MaxTouch)]
	v.near.leaves = tree.find(v.near.keys, v.near.leaves[:0])
	clear(v.near.slots[:])
	v.near.forget()
	for i, key := range v.near.keys {
		at := slotOf(key)
		for v.near.slots[at] != 0 {
			at = (at + 1) % len(v.near.slots)
		}
		v.near.slots[at] = uint16(i + 1)
	}
}

// find is which of the touched keys key is, -1 if none.
func (n *near) find(key []byte) int {
	if n == nil {
		return -1
	}
	for at := slotOf(key); n.slots[at] != 0; at = (at + 1) % len(n.slots) {
		if i := int(n.slots[at]) - 1; bytes.Equal(n.keys[i], key) {
			return i
		}
	}
	return -1
}

// wrote notes where the view wrote touched key i; of i below 0 nothing.
func (n *near) wrote(i int, at uint32) {
	if i >= 0 {
		n.written[i] = firstPlace + at
	}
}

// forget forgets where the view wrote the keys.
func (n *near) forget() {
	if n != nil {
		clear(n.written[:len(n.keys)])
	}
}

// slotOf is where to look for key first. Most keys end in an address, which is as good as random.
func slotOf(key []byte) int {
	var last uint64
	if n := len(key); n >= 8 {
		last = binary.BigEndian.Uint64(key[n-8:])
	}
	const odd = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	return int((last ^ uint64(len(key))) * odd >> 55)
}
