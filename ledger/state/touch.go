package state

import "unsafe" //dure:unsafe a page's bytes are read as such

// lanes is how many keys are looked for at once: about as many reads of memory as a core can wait for together.
const lanes = 16

// Touch brings what Get will need for keys into the processor's caches. In a tree that is larger than these, most steps
// of a look-up wait for memory, one after the other; Touch takes a step for many keys before the next one, so that they wait together.
// It changes nothing, and what it returns means nothing but that the reads happened.
func (t *Tree) Touch(keys [][]byte) (sum uint32) {
	if t.root == 0 {
		return 0
	}
	defer t.hold()
	for len(keys) > 0 {
		n := min(len(keys), lanes)
		pages, read := t.touch(t.root, keys[:n], false)
		sum += read
		for i, key := range keys[:n] {
			sum += uint32(leaf{pages[i], pages[i].toward(key)}.key()[0])
		}
		keys = keys[n:]
	}
	return sum
}

// touch follows keys, at most as many as there are lanes, to their pages, and reads the start of these; beside: and the hashes beside the ways, which
// hashing a change needs.
func (s space) touch(n ref, keys [][]byte, beside bool) (pages [lanes]*page, sum uint32) {
	var at [lanes]*node
	for i := range keys {
		at[i] = s.node(n)
	}
	for under := true; under; {
		under = false
		for i, key := range keys {
			if n := at[i]; n.bit != pageBit {
				kids, side := n.inner().kids, bitAt(key, n.bit)
				at[i] = s.node(kids[side])
				if beside {
					sum += uint32(s.node(kids[1-side]).hash[0])
				}
				under = true
			}
		}
	}
	for i := range keys {
		pages[i] = at[i].page()
		sum += pages[i].ends()[pages[i].len()-1]
	}
	return pages, sum
}

// prepare touches what making changes under n will read: the ways, the hashes beside them, and the pages, whole. Where there are more changes than
// lanes it does nothing.
func (u *update) prepare(n ref, changes []Change) {
	if len(changes) > lanes || len(changes) < 2 {
		return
	}
	var keys [lanes][]byte
	for i, c := range changes {
		keys[i] = c.Key
	}
	pages, sum := u.touch(n, keys[:len(changes)], true)
	const line = 64
	for _, p := range pages[:len(changes)] {
		for off, size := line, p.size(); off < size; off += line {
			sum += uint32(*(*byte)(unsafe.Add(unsafe.Pointer(p), off)))
		}
	}
	u.read += sum
}
