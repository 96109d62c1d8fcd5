package state

import "unsafe" //dure:unsafe what a page consists of is read as bytes

const (
	// lanes is how many keys are looked for at once: about as many reads of memory as a core can wait for together.
	lanes = 16
	// line is the bytes that a processor reads from memory at once.
	line = 64
)

// Touch brings what Get will need for keys into the processor's caches. In a tree that is larger than these, most steps
// of a look-up wait for memory, one after the other; Touch takes a step for many keys before the next one, so that they wait together.
// It changes nothing, and what it returns means nothing but that the reads happened.
func (t *Tree) Touch(keys [][]byte) (sum uint32) {
	if t.root == nil {
		return 0
	}
	for len(keys) > 0 {
		var at [lanes]*node
		n := min(len(keys), lanes)
		for i := range n {
			at[i] = t.root
		}
		for under := true; under; {
			under = false
			for _, n := range at[:n] {
				sum += n.touch()
			}
			for i, key := range keys[:n] {
				if at[i].bit != pageBit {
					at[i], under = at[i].bundle().toward(key), true
				}
			}
		}
		for i, key := range keys[:n] {
			p := at[i].page()
			sum += uint32(leaf{p, p.toward(key)}.key()[0])
		}
		keys = keys[n:]
	}
	return sum
}

// touch reads what a step down from n needs: bits, and a bundle's children or the start of a page's arrays. No page is smaller than a line.
func (n *node) touch() (sum uint32) {
	sum = uint32(*(*byte)(unsafe.Add(unsafe.Pointer(n), line)))
	if n.bit != pageBit {
		sum += uint32(*(*byte)(unsafe.Add(unsafe.Pointer(n), 2*line)))
	}
	return sum
}

// prepare touches what making changes under n will read: the ways, the hashes beside them, and the pages, whole. It does so where
// changes have become few enough for it; above n there were more, namely of.
func prepare(n *node, changes []Change, of int) (sum uint32) {
	if len(changes) > lanes || of <= lanes || len(changes) < 2 {
		return 0
	}
	var at [lanes]*node
	for i := range changes {
		at[i] = n
	}
	for under := true; under; {
		under = false
		for _, n := range at[:len(changes)] {
			sum += n.touch()
		}
		for i, c := range changes {
			if at[i].bit == pageBit {
				continue
			}
			b := at[i].bundle()
			kid := toward(b.gaps(), c.Key)
			sum += uint32(b.kids[max(kid-1, 0)].hash[0]) + uint32(b.kids[min(kid+1, b.len()-1)].hash[0])
			at[i], under = b.kids[kid], true
		}
	}
	var size [lanes]int
	for i := range changes {
		size[i] = at[i].page().size()
	}
	for i := range changes {
		for offset := line; offset < size[i]; offset += line {
			sum += uint32(*(*byte)(unsafe.Add(unsafe.Pointer(at[i]), offset)))
		}
	}
	return sum
}
