package state

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"unsafe" //dure:unsafe the size of a type

	"github.com/dureledger/dure/ledger/sha2"
)

// Apply returns the tree with changes made. They are in order of key, each key once, within MaxKey and MaxValue and
// not empty; anything else is a fault of the program and panics. Writing the value that is there and deleting what
// is not change nothing. The tree copies what it keeps. Every touched node is visited, made and hashed once.
func (t *Tree) Apply(changes []Change) *Tree { return t.apply(changes, false) }

// Update is Apply and also returns those of the changes that changed something, moved together in the same slice.
func (t *Tree) Update(changes []Change) (*Tree, []Change) {
	out := t.apply(changes, true)
	return out, slices.DeleteFunc(changes, func(c Change) bool { return c.same })
}

// update is one version of a tree being made.
type update struct {
	*memory
	size     int
	tell     bool // sets same in changes that change nothing
	far      bool // the tree has farKeys
	born     uint32
	replaced []stale
}

// same notes that a change changes nothing.
func (u *update) same(c *Change) {
	if u.tell {
		c.same = true
	}
}

func (t *Tree) apply(changes []Change, tell bool) *Tree {
	for i, c := range changes {
		check(c.Key, c.Value, c.Value == nil)
		if i > 0 && bytes.Compare(changes[i-1].Key, c.Key) >= 0 {
			panic(fmt.Sprintf("state: change of key %x is out of order", c.Key))
		}
	}
	if len(changes) == 0 {
		return t
	}
	defer t.hold()
	u := update{memory: &memory{}, size: t.size, tell: tell, far: t.size >= farKeys}
	if t.version != nil {
		u.memory = t.version.memory
	}
	u.born = u.versions + 1
	if n := len(u.spare) - 1; n >= 0 {
		u.replaced, u.spare = u.spare[n], u.spare[:n]
	}
	root := ref(0)
	switch {
	case t.root == 0:
		root = u.build(changes, 0)
	case u.prepare(t.root, changes):
		root = u.replace(t.root, changes)
	default:
		root = u.merge(t.root, t.toward(t.node(t.root), changes[0].Key).key(), changes, 0)
	}
	if u.far {
		streamed()
	}
	if root == t.root {
		u.spare = append(u.spare, u.replaced[:0])
		return t
	}
	return &Tree{u.space, root, u.size, newVersion(t.version, &u, root)}
}

// drop says that a node is not in the version being made.
func (u *update) drop(r ref) {
	n := u.node(r)
	if n.born == u.born {
		u.release(r, n.class())
		return
	}
	u.replaced = append(u.replaced, stale{r, n.born, n.class()})
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

// merge makes changes to the subtree at r, of which sample is any key, and returns what it has become, 0 if nothing
// is left. Its keys and those of changes share their first skip bytes.
func (u *update) merge(r ref, sample []byte, changes []Change, skip int) ref {
	if len(changes) == 0 {
		return r
	}
	n := u.node(r)
	if n.bit == pageBit {
		return u.mergePage(r, changes, skip)
	}
	// Changes are sorted: where the first and the last agree with sample, all do.
	d := diffBit(changes[0].Key, sample, skip)
	if last := len(changes) - 1; last > 0 {
		d = min(d, diffBit(changes[last].Key, sample, skip))
	}
	if d < n.bit {
		return u.branch(r, sample, changes, d)
	}
	in, cut, home := n.inner(), cutAt(changes, n.bit), bitAt(sample, n.bit)
	kids := in.kids
	for side := range kids {
		part := changes[:cut]
		if side == 1 {
			part = changes[cut:]
		}
		if len(part) == 0 {
			continue
		}
		if len(changes) > lanes && u.prepare(kids[side], part) { // where there are fewer, what is above has prepared them
			kids[side] = u.replace(kids[side], part)
			continue
		}
		from := sample
		if kid := u.node(kids[side]); side != home && kid.bit != pageBit { // a page is merged without one
			from = leaf{u.node(kid.inner().first).page(), 0}.key()
		}
		kids[side] = u.merge(kids[side], from, part, int(n.bit>>4))
	}
	return u.become(r, kids)
}

// replace is merge of changes whose keys the subtree at r all has. On the way down to them no key is looked at but theirs.
func (u *update) replace(r ref, changes []Change) ref {
	if len(changes) == 0 {
		return r
	}
	n := u.node(r)
	if n.bit == pageBit {
		return u.mergePage(r, changes, 0)
	}
	kids, cut := n.inner().kids, cutAt(changes, n.bit)
	kids[0] = u.replace(kids[0], changes[:cut])
	kids[1] = u.replace(kids[1], changes[cut:])
	return u.become(r, kids)
}

// become is the inner node at r with these kids, which may be its own.
func (u *update) become(r ref, kids [2]ref) ref {
	n := u.node(r)
	in := n.inner()
	// Each by itself, here and in newInner: the processor has both words at once, and the pair that they are only from memory.
	if kids[0] == in.kids[0] && kids[1] == in.kids[1] {
		return r
	}
	u.drop(r)
	return u.join(n.bit, kids[0], kids[1])
}

// branch puts the changes that leave the keys of the subtree at r at bit d, above its own bit, beside it.
func (u *update) branch(r ref, sample []byte, changes []Change, d uint16) ref {
	cut, skip := cutAt(changes, d), int(d>>4)
	if bitAt(sample, d) == 0 {
		left := u.merge(r, sample, changes[:cut], skip)
		return u.join(d, left, u.build(changes[cut:], skip))
	}
	left := u.build(changes[:cut], skip)
	return u.join(d, left, u.merge(r, sample, changes[cut:], skip))
}

// build makes the subtree of the changes' keys, which are all new: deletions mean nothing.
func (u *update) build(changes []Change, skip int) ref {
	if len(changes) > maxLeaves {
		d := diffBit(changes[0].Key, changes[len(changes)-1].Key, skip)
		cut := cutAt(changes, d)
		left := u.build(changes[:cut], int(d>>4))
		return u.join(d, left, u.build(changes[cut:], int(d>>4)))
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
	return u.buildPages(entries, skip)
}

// join puts two subtrees that first differ at bit under one node; either may be 0.
func (u *update) join(bit uint16, left, right ref) ref {
	if left == 0 {
		return right
	}
	if right == 0 {
		return left
	}
	l, r := u.node(left), u.node(right)
	if l.bit == pageBit && r.bit == pageBit && fits(l.page().len()+r.page().len(), int(l.page().data)+int(r.page().data)) {
		var room [maxLeaves]entry
		joined := u.buildPages(r.page().entries(l.page().entries(room[:0])), 0)
		u.drop(left)
		u.drop(right)
		return joined
	}
	return u.newInner(bit, left, right)
}

func (u *update) newInner(bit uint16, left, right ref) ref {
	r := u.alloc(int(unsafe.Sizeof(inner{})))
	in, l := u.node(r).inner(), u.node(left)
	in.born, in.bit, in.kids[0], in.kids[1], in.first = u.born, bit, left, right, left
	if l.bit != pageBit {
		in.first = l.inner().first
	}
	sha2.Node(&in.hash, &l.hash, &u.node(right).hash)
	return r
}

// cutAt is the number of changes whose bit at pos is 0; they come first, all keys being equal before pos.
func cutAt(changes []Change, pos uint16) int {
	return sort.Search(len(changes), func(i int) bool { return bitAt(changes[i].Key, pos) == 1 })
}
