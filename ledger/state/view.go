package state

import (
	"bytes"
	"slices"
)

// Reader is an ordered key space that does not change while it is read.
type Reader interface {
	// Get returns the value of key and whether it is there. The caller must not change the slice.
	Get(key []byte) ([]byte, bool)
	// Ascend calls fn for each key in [from, to), in order, until fn returns false. A nil to means the end.
	Ascend(from, to []byte, fn func(key, value []byte) bool)
}

// Change is one key's new value; a nil Value deletes it.
type Change struct {
	Key, Value []byte
	same       bool // Tree.Update found it to change nothing
}

// Compare orders changes by key.
func (c Change) Compare(other Change) int { return bytes.Compare(c.Key, other.Key) }

// What reading and writing cost, in units of work.
const (
	workGet  = 10
	workSet  = 30
	workByte = 1 // for each 32 bytes written, rounded up
	workStep = 10
)

// View records changes over a base. It is not safe for concurrent use.
type View struct {
	base    Reader
	near    *near // nil until something is touched
	written []write
	places  map[string]uint32 // where in written a key is; nil until something is written or expected to be
	journal []undo
	work    uint64

	// sorted has the keys of the first ordered of written, and perhaps keys since rolled back. It is brought up to
	// date when a walk needs it, for most blocks walk nothing.
	sorted  order
	ordered int
}

// write is a key and what it has become; a nil value: deleted.
type write struct {
	key   string
	value []byte
}

// undo is what written had at a place before: nothing, if first.
type undo struct {
	value []byte
	at    uint32
	first bool
}

// NewView starts with no changes over base.
func NewView(base Reader) *View { return &View{base: base} }

// Expect makes room for n changes.
func (v *View) Expect(n int) {
	if len(v.written) == 0 {
		v.written, v.places = make([]write, 0, n), make(map[string]uint32, n)
	}
}

// Get returns the value of key as changed so far. The caller must not change the slice.
func (v *View) Get(key []byte) ([]byte, bool) {
	v.work += workGet
	if at, ok := v.place(key, v.near.find(key)); ok {
		value := v.written[at].value
		return value, value != nil
	}
	return v.base.Get(key)
}

// place is where in written key is, which is the touched key i, or none of them if i is below 0.
func (v *View) place(key []byte, i int) (at uint32, ok bool) {
	if i >= 0 {
		switch known := v.near.written[i]; known {
		case unknown:
		case unwritten:
			return 0, false
		default:
			return known - firstPlace, true
		}
	}
	at, ok = v.places[string(key)]
	switch {
	case ok:
		v.near.wrote(i, at)
	case i >= 0:
		v.near.written[i] = unwritten
	}
	return at, ok
}

// peek is Get without copying what the base has.
func (v *View) peek(key []byte) ([]byte, bool) {
	v.work += workGet
	i := v.near.find(key)
	if at, ok := v.place(key, i); ok {
		value := v.written[at].value
		return value, value != nil
	}
	if i >= 0 {
		l := v.near.leaves[i]
		if !bytes.Equal(l.key(), key) {
			return nil, false
		}
		return l.value(), true
	}
	if p, ok := v.base.(peeker); ok {
		return p.peek(key)
	}
	return v.base.Get(key)
}

// HasAny says whether one of the keys is there. It costs the work of one read and looks no further than the first that is, so what is named first
// is a matter of speed alone.
func (v *View) HasAny(keys ...[]byte) (found bool) {
	work := v.work + workGet
	for _, key := range keys {
		if _, found = v.peek(key); found {
			break
		}
	}
	v.hold()
	v.work = work
	return found
}

// hold holds the base while what peek has shown is read.
func (v *View) hold() {
	if p, ok := v.base.(peeker); ok {
		p.hold()
	}
}

// Set gives key a value. The view keeps the slice: the caller must not change it afterwards. A key or a value that is
// empty (ICS-23 cannot prove it; a set of keys stores one byte) or beyond MaxKey and MaxValue is a fault of the
// program and panics.
func (v *View) Set(key, value []byte) {
	check(key, value, false)
	v.work += workSet + workByte*uint64((len(key)+len(value)+31)/32)
	v.put(key, value)
}

// Delete removes key; removing what is not there does nothing.
func (v *View) Delete(key []byte) {
	check(key, nil, true)
	v.work += workSet
	v.put(key, nil)
}

func (v *View) put(key, value []byte) {
	i := v.near.find(key)
	if at, ok := v.place(key, i); ok {
		w := &v.written[at]
		v.journal = append(v.journal, undo{value: w.value, at: at})
		w.value = value
		return
	}
	if v.places == nil {
		v.places = map[string]uint32{}
	}
	at, w := uint32(len(v.written)), write{string(key), value}
	v.journal = append(v.journal, undo{at: at, first: true})
	v.written, v.places[w.key] = append(v.written, w), at
	v.near.wrote(i, at)
}

// Ascend walks the changed key space in [from, to), in order, until fn returns false. fn must not change the view.
func (v *View) Ascend(from, to []byte, fn func(key, value []byte) bool) {
	changed := v.changed(from, to)
	key, value, ok := changed()
	// step offers the change at hand and goes on to the next.
	step := func() (more bool) {
		v.work += workStep
		more = value == nil || fn([]byte(key), value)
		key, value, ok = changed()
		return more
	}
	more := true
	v.base.Ascend(from, to, func(baseKey, baseValue []byte) bool {
		for more && ok && key < string(baseKey) {
			more = step()
		}
		switch {
		case !more:
		case ok && key == string(baseKey):
			more = step()
		default:
			v.work += workStep
			more = fn(baseKey, baseValue)
		}
		return more
	})
	for more && ok {
		more = step()
	}
}

// changed gives the changes in [from, to) one by one, in order.
func (v *View) changed(from, to []byte) func() (key string, value []byte, ok bool) {
	for _, w := range v.written[v.ordered:] {
		v.sorted.insert(w.key)
	}
	v.ordered = len(v.written)
	at := v.sorted.seek(string(from))
	return func() (string, []byte, bool) {
		for {
			key, ok := at.key()
			if !ok || to != nil && key >= string(to) {
				return "", nil, false
			}
			at.advance()
			if place, live := v.places[key]; live {
				return key, v.written[place].value, true
			}
		}
	}
}

// Mark is a point to which Rollback can return. Marks nest.
func (v *View) Mark() int { return len(v.journal) }

// Rollback undoes every change since mark, which forgets the marks made after it. Work done is not undone.
func (v *View) Rollback(mark int) {
	if mark < 0 || mark > len(v.journal) {
		panic("state: rollback to a mark that is forgotten")
	}
	v.near.forget()
	left := len(v.written)
	for i := len(v.journal) - 1; i >= mark; i-- {
		u := v.journal[i]
		if u.first { // the last one that is left, as all that came after it are undone
			delete(v.places, v.written[u.at].key)
			left = int(u.at)
		} else {
			v.written[u.at].value = u.value
		}
	}
	clear(v.written[left:])
	v.written, v.ordered = v.written[:left], min(v.ordered, left)
	clear(v.journal[mark:])
	v.journal = v.journal[:mark]
}

// Settle makes the changes so far stand: it forgets every mark, and what rolling back to them would need.
func (v *View) Settle() {
	clear(v.journal)
	v.journal = v.journal[:0]
}

// Work is the units of work spent through the view since ResetWork.
func (v *View) Work() uint64 { return v.work }

// ResetWork starts counting anew.
func (v *View) ResetWork() { v.work = 0 }

// Spend adds units of work that were not reads or writes.
func (v *View) Spend(units uint64) { v.work += units }

// Written returns what was written, sorted by key, also where it is as before; Tree.Update tells. It costs no work.
func (v *View) Written() []Change {
	size := 0
	for i := range v.written {
		size += len(v.written[i].key)
	}
	out, keys := make([]Change, len(v.written)), make([]byte, 0, size)
	for i, l := range inOrder(v.written) {
		w, from := &v.written[l.at], len(keys)
		keys = append(keys, w.key...)
		out[i] = Change{Key: keys[from:len(keys):len(keys)], Value: w.value}
	}
	return out
}

// Changes returns what differs from the base, sorted by key: not what was written as it is, nor deletions of what is
// not there. It costs no work.
func (v *View) Changes() []Change {
	return slices.DeleteFunc(v.Written(), func(c Change) bool {
		old, present := v.base.Get(c.Key)
		return present == (c.Value != nil) && bytes.Equal(old, c.Value)
	})
}
