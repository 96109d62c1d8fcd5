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
	near    near
	dirty   map[string][]byte // nil value: deleted
	journal []undo
	work    uint64

	// sorted has every key of dirty but those in fresh, and perhaps keys since rolled back. It is brought up to
	// date when a walk needs it, for most blocks walk nothing.
	sorted order
	fresh  []string
}

type undo struct {
	key     string
	value   []byte
	present bool
}

// NewView starts with no changes over base.
func NewView(base Reader) *View {
	return &View{base: base, dirty: map[string][]byte{}}
}

// Expect makes room for n changes.
func (v *View) Expect(n int) {
	if len(v.dirty) == 0 {
		v.dirty = make(map[string][]byte, n)
	}
}

// Get returns the value of key as changed so far. The caller must not change the slice.
func (v *View) Get(key []byte) ([]byte, bool) {
	v.work += workGet
	if value, ok := v.dirty[string(key)]; ok {
		return value, value != nil
	}
	return v.base.Get(key)
}

// peek is Get without copying what the base has.
func (v *View) peek(key []byte) ([]byte, bool) {
	v.work += workGet
	if value, ok := v.dirty[string(key)]; ok {
		return value, value != nil
	}
	if l, ok := v.near.at(key); ok {
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
	v.put(string(key), value)
}

// Delete removes key; removing what is not there does nothing.
func (v *View) Delete(key []byte) {
	check(key, nil, true)
	v.work += workSet
	v.put(string(key), nil)
}

func (v *View) put(key string, value []byte) {
	old, present := v.dirty[key]
	v.journal = append(v.journal, undo{key, old, present})
	v.dirty[key] = value
	if !present {
		v.fresh = append(v.fresh, key)
	}
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
	for _, key := range v.fresh {
		v.sorted.insert(key)
	}
	v.fresh = v.fresh[:0]
	at := v.sorted.seek(string(from))
	return func() (string, []byte, bool) {
		for {
			key, ok := at.key()
			if !ok || to != nil && key >= string(to) {
				return "", nil, false
			}
			at.advance()
			if value, live := v.dirty[key]; live {
				return key, value, true
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
	for i := len(v.journal) - 1; i >= mark; i-- {
		u := v.journal[i]
		if u.present {
			v.dirty[u.key] = u.value
		} else {
			delete(v.dirty, u.key)
		}
	}
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
	out := make([]Change, 0, len(v.dirty))
	for key, value := range v.dirty { //dure:sorted below
		out = append(out, Change{Key: []byte(key), Value: value})
	}
	slices.SortFunc(out, Change.Compare)
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
