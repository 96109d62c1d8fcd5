package state

import (
	"bytes"
	"unsafe" //dure:unsafe places in slabs are named to the processor
)

// lanes is how many keys are looked for at once: about as many reads of memory as a core can wait for together.
const lanes = 16

// places are where something is that will be read soon, one for each lane.
type places [lanes]unsafe.Pointer

// fetch asks for so many bytes at the first n places.
func (p *places) fetch(n, size int) { prefetch(&p[0], n, size) }

// find returns for each key the leaf that it is at if the tree, which is not empty, has it. In a tree that is larger than the processor's caches, most steps
// of a look-up wait for memory, one after the other; find takes a step for many keys before the next one, so that they wait together.
func (t *Tree) find(keys [][]byte, to []leaf) []leaf {
	for len(keys) > 0 {
		n := min(len(keys), lanes)
		pages := t.touch(t.root, keys[:n], nil)
		var at places
		for i, p := range pages[:n] {
			at[i] = unsafe.Add(unsafe.Pointer(p), unit) // where a page says where its leaves are
		}
		at.fetch(n, unit)
		from := len(to)
		for i, key := range keys[:n] {
			l := leaf{pages[i], pages[i].toward(key)}
			at[i] = unsafe.Pointer(unsafe.SliceData(l.key()))
			to = append(to, l)
		}
		at.fetch(n, 1)
		for i, l := range to[from:] {
			value := l.value()
			at[i] = unsafe.Pointer(&value[len(value)-1])
		}
		at.fetch(n, 1)
		keys = keys[n:]
	}
	return to
}

// Touch has the processor get what lies on the ways to keys, to be at hand when they are read soon.
func (t *Tree) Touch(keys [][]byte) {
	defer t.hold()
	if t.root != 0 {
		t.find(keys, make([]leaf, 0, len(keys)))
	}
}

// touch follows keys, at most as many as there are lanes, to their pages, and has the start of these at hand; beside, unless nil: and the nodes beside the ways,
// whose hashes a change needs.
func (s space) touch(n ref, keys [][]byte, beside *places) (pages [lanes]*page) {
	var at places
	for i := range keys {
		at[i] = unsafe.Pointer(s.node(n))
	}
	if beside != nil {
		*beside = at
	}
	for under := true; under; {
		under = false
		for i, key := range keys {
			n := (*node)(at[i])
			if n.bit == pageBit {
				continue
			}
			kids, side := n.inner().kids, bitAt(key, n.bit)
			at[i] = unsafe.Pointer(s.node(kids[side]))
			if beside != nil {
				beside[i] = unsafe.Pointer(s.node(kids[1-side]))
			}
			under = true
		}
		at.fetch(len(keys), unit)
		if beside != nil {
			beside.fetch(len(keys), unit)
		}
	}
	for i := range keys {
		pages[i] = (*node)(at[i]).page()
	}
	return pages
}

// innersEach is about how many inner nodes a change under prepare makes anew.
const innersEach = 4

// prepare has at hand what making changes under n will read and write: the ways, the hashes beside them, the pages, whole, and the places that are free
// for what replaces them. It says whether all keys of changes are there. Where there are more changes than lanes, or one, it does nothing and says no.
func (u *update) prepare(n ref, changes []Change) bool {
	if len(changes) > lanes || len(changes) < 2 {
		return false
	}
	var keys [lanes][]byte
	for i, c := range changes {
		keys[i] = c.Key
	}
	var beside places
	pages := u.touch(n, keys[:len(changes)], &beside)
	var taken [classes]int
	for _, p := range pages[:len(changes)] {
		size := p.size()
		c := classOf(size)
		taken[c]++
		at := unsafe.Pointer(p)
		prefetch(&at, 1, size)
		if i := len(u.free[c]) - taken[c]; i >= 0 {
			at = unsafe.Pointer(u.node(u.free[c][i]))
			if u.far {
				size = unit // the rest is streamed
			}
			prefetch(&at, 1, size)
		}
	}
	inners := u.free[classOf(int(unsafe.Sizeof(inner{})))]
	for _, r := range inners[max(0, len(inners)-innersEach*len(changes)):] {
		at := unsafe.Pointer(u.node(r))
		prefetch(&at, 1, unit)
	}
	for i, key := range keys[:len(changes)] {
		if l := (leaf{pages[i], pages[i].toward(key)}); !bytes.Equal(l.key(), key) {
			return false
		}
	}
	return true
}
