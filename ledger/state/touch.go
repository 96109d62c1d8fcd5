package state

import "unsafe" //dure:unsafe a page's bytes are read as such

// lanes is how many keys are looked for at once: about as many reads of memory as a core can wait for together.
const lanes = 16

// Touch brings what Get will need for keys into the processor's caches. In a tree that is larger than these, most steps
// of a look-up wait for memory, one after the other; Touch takes a step for many keys before the next one, so that they wait together.
// It changes nothing, and what it returns means nothing but that the reads happened.
func (t *Tree) Touch(keys [][]byte) (sum uint32) {
	if t.root == nil {
		return 0
	}
	for len(keys) > 0 {
		var pages [lanes]*page
		n := min(len(keys), lanes)
		sum += t.root.touch(keys[:n], &pages)
		for i, key := range keys[:n] {
			sum += uint32(leaf{pages[i], pages[i].toward(key)}.key()[0])
		}
		keys = keys[n:]
	}
	return sum
}

// touch follows keys, at most as many as there are lanes, to their pages.
func (n *node) touch(keys [][]byte, pages *[lanes]*page) (sum uint32) {
	var at [lanes]*node
	for i := range keys {
		at[i] = n
	}
	for under := true; under; {
		under = false
		for i, key := range keys {
			if n := at[i]; n.bit != pageBit {
				at[i] = n.inner().kids[bitAt(key, n.bit)]
				under = true
			}
		}
	}
	for i := range keys {
		pages[i] = at[i].page()
		sum += pages[i].ends()[pages[i].len()-1]
	}
	return sum
}

// prepare touches what making changes under n will read: the ways, the hashes beside them, and the pages, whole. It does so where
// changes have become few enough for it; above n there were more, namely of.
func (u *update) prepare(n *node, changes []Change, of int) {
	if len(changes) > lanes || of <= lanes || len(changes) < 2 {
		return
	}
	sum := uint32(0)
	var at [lanes]*node
	for i := range changes {
		at[i] = n
	}
	for under := true; under; {
		under = false
		for i := range changes {
			if n := at[i]; n.bit != pageBit {
				in, side := n.inner(), bitAt(changes[i].Key, n.bit)
				at[i] = in.kids[side]
				sum += uint32(in.kids[1-side].hash[0])
				under = true
			}
		}
	}
	const line = 64
	var size [lanes]int
	for i := range changes {
		size[i] = at[i].page().size()
	}
	for i := range changes {
		for off := line; off < size[i]; off += line {
			sum += uint32(*(*byte)(unsafe.Add(unsafe.Pointer(at[i]), off)))
		}
	}
	u.read += sum
}
