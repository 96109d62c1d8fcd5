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
	size     int
	tell     bool // sets same in changes that change nothing
	sequence      // of what has been made so far
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
	u.sequence = sequence{make([]*node, 0, 4*fan), make([]uint16, 0, 4*fan)}
	if t.root == nil {
		u.build(changes, 0)
	} else {
		prepare(t.root, changes, lanes+1)
		u.merge(t.root, t.root.toward(changes[0].Key).key(), changes, 0)
	}
	return &Tree{u.node(), u.size}
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

// merge makes changes to the subtree n, of which sample is any key, and appends what it has become. n's keys and those of
// changes share their first skip bytes.
func (u *update) merge(n *node, sample []byte, changes []Change, skip int) {
	switch {
	case len(changes) == 0:
		u.add(n)
	case n.bit == pageBit:
		u.mergePage(n.page(), changes, skip)
	default:
		u.mergeBundle(n.bundle(), sample, changes, skip)
	}
}

func (u *update) mergeBundle(b *bundle, sample []byte, changes []Change, skip int) {
	from := u.len()
	u.mergeRange(b, 0, b.len(), sample, changes, skip)
	kids := u.kids[from:]
	switch {
	case len(kids) == b.len() && slices.Equal(u.bits[from:u.len()-1], b.gaps()):
		u.cut(from)
		u.add(&b.with(kids).node)
	case len(kids) > small:
		u.fold(from)
	}
}

// mergeRange makes changes to the subtree of b's children lo to hi-1, of which sample is any key, and appends what it has become.
func (u *update) mergeRange(b *bundle, lo, hi int, sample []byte, changes []Change, skip int) {
	if len(changes) == 0 {
		u.extend(b, lo, hi)
		return
	}
	if hi-lo == 1 {
		u.merge(b.kids[lo], sample, changes, skip)
		return
	}
	// Changes are sorted: where the first and the last agree with sample, all do.
	d := diffBit(changes[0].Key, sample, skip)
	if last := len(changes) - 1; last > 0 {
		d = min(d, diffBit(changes[last].Key, sample, skip))
	}
	from, s := u.len(), split(b.bits[:], lo, hi)
	bit := b.bits[s]
	if d < bit {
		u.branch(b, lo, hi, sample, changes, d)
		return
	}
	cut, skip := cutAt(changes, bit), int(bit>>4)
	left, right := changes[:cut], changes[cut:]
	prepare(&b.node, left, len(changes))
	prepare(&b.node, right, len(changes))
	home := bitAt(sample, bit)
	u.mergeRange(b, lo, s+1, b.sample(lo, s+1, sample, left, home == 0), left, skip)
	mid := u.len()
	u.mergeRange(b, s+1, hi, b.sample(s+1, hi, sample, right, home == 1), right, skip)
	u.join(from, mid, bit)
}

// sample is a key under children lo to hi-1: the one at hand if it is at home there, or one that following a change finds on a way that is
// needed anyway. A page alone needs none, nor does what does not change.
func (b *bundle) sample(lo, hi int, key []byte, changes []Change, home bool) []byte {
	if home || len(changes) == 0 || hi-lo == 1 && b.kids[lo].bit == pageBit {
		return key
	}
	first := changes[0].Key
	return b.kids[lo+toward(b.bits[lo:hi-1], first)].toward(first).key()
}

// branch puts the changes that leave the keys of b's children lo to hi-1 at bit d, above all of their own bits, beside them.
func (u *update) branch(b *bundle, lo, hi int, sample []byte, changes []Change, d uint16) {
	from, cut, skip := u.len(), cutAt(changes, d), int(d>>4)
	mid := from
	if bitAt(sample, d) == 0 {
		u.mergeRange(b, lo, hi, sample, changes[:cut], skip)
		mid = u.len()
		u.build(changes[cut:], skip)
	} else {
		u.build(changes[:cut], skip)
		mid = u.len()
		u.mergeRange(b, lo, hi, sample, changes[cut:], skip)
	}
	u.join(from, mid, d)
}

// build appends the subtree of the changes' keys, which are all new: deletions mean nothing.
func (u *update) build(changes []Change, skip int) {
	if len(changes) > maxLeaves {
		d := diffBit(changes[0].Key, changes[len(changes)-1].Key, skip)
		cut, from := cutAt(changes, d), u.len()
		u.build(changes[:cut], int(d>>4))
		mid := u.len()
		u.build(changes[cut:], int(d>>4))
		u.join(from, mid, d)
		return
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
	u.addPages(entries, skip)
}

// cutAt is the number of changes whose bit at pos is 0; they come first, all keys being equal before pos.
func cutAt(changes []Change, pos uint16) int {
	return sort.Search(len(changes), func(i int) bool { return bitAt(changes[i].Key, pos) == 1 })
}
