package state

// Version is one state of a tree, as far as memory is concerned. Trees that come from each other share nodes; a version knows which nodes of
// the one before it has replaced, so that their places can be used again when nobody reads those that have them.
//
// Versions form a tree, mostly a line. A node is in all versions from the one that it was born in to the ones that replaced it.
type Version struct {
	memory   *memory
	parent   *Version
	kids     []*Version
	root     ref
	from     uint32 // its number, or the lowest of those released ones before it that it stands for
	released bool
	replaced []stale // nodes of the parent, or of those it stands for, that this version has not
}

// stale is a node that a version has replaced.
type stale struct {
	at    ref
	born  uint32
	class uint8
}

// newVersion is what u has made of parent, which may be nil.
func newVersion(parent *Version, u *update, root ref) *Version {
	v := &Version{memory: u.memory, parent: parent, root: root, from: u.born, replaced: u.replaced}
	u.versions = u.born
	if parent != nil {
		parent.kids = append(parent.kids, v)
	}
	return v
}

// Release says that nobody reads any of the trees of these versions any more, nor will. The memory of what only they had is used again by later
// calls of Apply; one that was released already and nil are passed over. It must not run beside Apply on a tree that came from the same as they.
//
// Who never releases loses nothing but memory, which is freed when nothing refers to any of the trees that came from each other.
func Release(versions ...*Version) {
	for _, v := range versions {
		if v == nil || v.released {
			continue
		}
		v.released = true
		v.settle()
	}
}

// settle gives back what can be given back now that the version is released or has a kid less.
func (v *Version) settle() {
	for v != nil && v.released && len(v.kids) < 2 {
		parent := v.parent
		if len(v.kids) == 1 {
			v.yield(v.kids[0])
			return // the parent has as many kids as before
		}
		v.discard(v.root)
		v.memory.spare, v.replaced = append(v.memory.spare, v.replaced[:0]), nil
		if parent != nil {
			parent.replaceKid(v, nil)
		}
		v = parent
	}
}

// yield lets the only kid stand for v as well. What was born in v and replaced by the kid was in no other version.
func (v *Version) yield(kid *Version) {
	kept := kid.replaced[:0]
	for _, s := range kid.replaced {
		if s.born >= v.from {
			v.memory.release(s.at, s.class)
		} else {
			kept = append(kept, s)
		}
	}
	more := v.replaced
	if len(more) > len(kept) {
		kept, more = more, kept
	}
	kept = append(kept, more...)
	kid.replaced, kid.from, kid.parent = kept, v.from, v.parent
	v.memory.spare = append(v.memory.spare, more[:0])
	if v.parent != nil {
		v.parent.replaceKid(v, kid)
	}
	v.parent, v.kids, v.replaced = nil, nil, nil
}

// discard gives back all nodes below n that were born in v, which nobody came from.
func (v *Version) discard(n ref) {
	if n == 0 {
		return
	}
	at := v.memory.node(n)
	if at.born < v.from {
		return
	}
	if at.bit != pageBit {
		in := at.inner()
		v.discard(in.kids[0])
		v.discard(in.kids[1])
	}
	v.memory.release(n, at.class())
}

// replaceKid puts another in the place of a kid, or nobody.
func (v *Version) replaceKid(old, kid *Version) {
	for i, k := range v.kids {
		switch {
		case k != old:
		case kid != nil:
			v.kids[i] = kid
			return
		default:
			v.kids = append(v.kids[:i], v.kids[i+1:]...)
			return
		}
	}
}
