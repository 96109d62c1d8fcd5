package state

import "sort"

// Reader is an ordered key space that does not change while it is read.
type Reader interface {
	// Get returns the value of key and whether it is there. The caller must not change the slice.
	Get(key []byte) ([]byte, bool)
	// Ascend calls fn for each key in [from, to), in order, until fn returns false. A nil to means the end.
	Ascend(from, to []byte, fn func(key, value []byte) bool)
}

// Change is one key's new value; a nil Value deletes it.
type Change struct{ Key, Value []byte }

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
	dirty   map[string][]byte // nil value: deleted
	journal []undo
	work    uint64
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

// Get returns the value of key as changed so far.
func (v *View) Get(key []byte) ([]byte, bool) {
	v.work += workGet
	if value, ok := v.dirty[string(key)]; ok {
		return value, value != nil
	}
	return v.base.Get(key)
}

// Set gives key a value. The view keeps the slice: the caller must not change it afterwards.
func (v *View) Set(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	v.work += workSet + workByte*uint64((len(key)+len(value)+31)/32)
	v.put(string(key), value)
}

// Delete removes key; removing what is not there does nothing.
func (v *View) Delete(key []byte) {
	v.work += workSet
	v.put(string(key), nil)
}

func (v *View) put(key string, value []byte) {
	old, present := v.dirty[key]
	v.journal = append(v.journal, undo{key, old, present})
	v.dirty[key] = value
}

// Ascend walks the changed key space in [from, to), in order, until fn returns false. fn must not change the view.
func (v *View) Ascend(from, to []byte, fn func(key, value []byte) bool) {
	keys := make([]string, 0)
	for k := range v.dirty { //dure:sorted below
		if k >= string(from) && (to == nil || k < string(to)) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	more, i := true, 0
	emit := func(k string, value []byte) bool {
		v.work += workStep
		return value == nil || fn([]byte(k), value)
	}
	v.base.Ascend(from, to, func(key, value []byte) bool {
		for ; i < len(keys) && keys[i] < string(key); i++ {
			if more = emit(keys[i], v.dirty[keys[i]]); !more {
				return false
			}
		}
		if i < len(keys) && keys[i] == string(key) {
			value = v.dirty[keys[i]]
			i++
		}
		more = emit(string(key), value)
		return more
	})
	for ; more && i < len(keys); i++ {
		more = emit(keys[i], v.dirty[keys[i]])
	}
}

// Mark is a point to which Rollback can return. Marks nest.
func (v *View) Mark() int { return len(v.journal) }

// Rollback undoes every change since mark. Work done is not undone.
func (v *View) Rollback(mark int) {
	for i := len(v.journal) - 1; i >= mark; i-- {
		u := v.journal[i]
		if u.present {
			v.dirty[u.key] = u.value
		} else {
			delete(v.dirty, u.key)
		}
	}
	v.journal = v.journal[:mark]
}

// Work is the units of work spent through the view since ResetWork.
func (v *View) Work() uint64 { return v.work }

// ResetWork starts counting anew.
func (v *View) ResetWork() { v.work = 0 }

// Spend adds units of work that were not reads or writes.
func (v *View) Spend(units uint64) { v.work += units }

// Changes returns what differs from the base, sorted by key.
func (v *View) Changes() []Change {
	out := make([]Change, 0, len(v.dirty))
	for k, value := range v.dirty { //dure:sorted below
		out = append(out, Change{[]byte(k), value})
	}
	sort.Slice(out, func(i, j int) bool { return string(out[i].Key) < string(out[j].Key) })
	return out
}
