package state_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dureledger/dure/ledger/state"
)

// raw reads any key as a typed one is read.
var raw = state.NewMap("", state.Bytes, state.Bytes)

// TestViewIsAMap runs writes, reads, walks and nested marks on a view and on a map that is copied at each mark.
func TestViewIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		m.apply(drawChanges(t))
		base := state.NewTree().Apply(m.changes())
		v := state.NewView(base)
		type mark struct {
			at    int
			model model
		}
		var marks []mark
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				key, value := eitherK.Draw(t, "key"), anyValue.Draw(t, "value")
				v.Set(key, value)
				m[string(key)] = string(value)
			},
			"delete": func(t *rapid.T) {
				key := eitherK.Draw(t, "key")
				v.Delete(key)
				delete(m, string(key))
			},
			"touch": func(t *rapid.T) {
				keys := rapid.SliceOfN(eitherK, 0, 300).Draw(t, "keys")
				v.Touch(keys)
				base.Touch(keys)
			},
			"mark": func(*rapid.T) { marks = append(marks, mark{v.Mark(), maps.Clone(m)}) },
			"rollback": func(t *rapid.T) {
				if len(marks) == 0 {
					return
				}
				i := rapid.IntRange(0, len(marks)-1).Draw(t, "mark")
				v.Rollback(marks[i].at)
				m, marks = marks[i].model, marks[:i]
			},
			"": func(t *rapid.T) {
				key := eitherK.Draw(t, "read")
				if got, ok := v.Get(key); ok != (m[string(key)] != "") || string(got) != m[string(key)] {
					t.Fatalf("Get(%x) = %x, %v", key, got, ok)
				}
				if got, ok := raw.Get(v, key); ok != (m[string(key)] != "") || string(got) != m[string(key)] {
					t.Fatalf("Map.Get(%x) = %x, %v", key, got, ok)
				}
				other, work := eitherK.Draw(t, "other"), v.Work()
				if got := v.HasAny(key, other); got != (m[string(key)] != "" || m[string(other)] != "") {
					t.Fatalf("HasAny(%x, %x) = %v", key, other, got)
				}
				both := v.Work() - work
				if raw.Has(v, key); v.Work()-work != 2*both {
					t.Fatalf("HasAny costs %d, a read %d", both, v.Work()-work-both)
				}
				from, limit := anyKey.Draw(t, "from"), rapid.IntRange(1, 50).Draw(t, "limit")
				want := m.within(from, state.PrefixEnd(from))
				if got := collect(v, from, state.PrefixEnd(from), limit); !same(got, want[:min(limit, len(want))]) {
					t.Fatalf("Ascend(%x): got %v, want %v", from, got, want)
				}
				if got := collect(v, nil, nil, 1<<20); !same(got, m.changes()) {
					t.Fatalf("Ascend: got %v, want %v", got, m.changes())
				}
				checkChanges(t, base, v, m)
			},
		})
	})
}

// checkChanges sees that a view's changes lead to m, in order and without one that changes nothing.
func checkChanges(t *rapid.T, base *state.Tree, v *state.View, m model) {
	changes := v.Changes()
	if got := base.Apply(changes); !same(collect(got, nil, nil, 1<<20), m.changes()) {
		t.Fatalf("changes %v do not lead to %v", changes, m.changes())
	}
	if !slices.IsSortedFunc(changes, state.Change.Compare) {
		t.Fatal("changes are not sorted")
	}
	for _, c := range changes {
		if old, ok := base.Get(c.Key); ok == (c.Value != nil) && bytes.Equal(old, c.Value) {
			t.Fatalf("change of %x changes nothing", c.Key)
		}
	}
}

// TestManyKeys has more changes than one run of the view's index holds, written in an order that splits runs.
func TestManyKeys(t *testing.T) {
	changes := holdings(5000)
	base := state.NewTree().Apply(changes[:2500])
	v := state.NewView(base)
	for i := range changes {
		c := changes[i*1999%len(changes)]
		v.Set(c.Key, c.Value)
		if i%500 == 0 {
			collect(v, c.Key, nil, 1)
		}
	}
	if got := collect(v, nil, nil, 1<<20); !same(got, changes) {
		t.Fatalf("walked %d keys, want %d in order", len(got), len(changes))
	}
}

// TestNoChange covers writes that leave everything as it was.
func TestNoChange(t *testing.T) {
	base := fruits()
	v := state.NewView(base)
	v.Set([]byte("fig"), []byte("sweet fig"))
	v.Delete([]byte("kiwi"))
	v.Set([]byte("lime"), []byte("sour"))
	v.Delete([]byte("lime"))
	v.Delete([]byte("date"))
	v.Set([]byte("date"), []byte("sweet date"))
	if changes := v.Changes(); len(changes) != 0 {
		t.Fatalf("got %v", changes)
	}
}

// TestWork counts what reads and writes cost; undoing them does not give work back.
func TestWork(t *testing.T) {
	v := state.NewView(fruits())
	v.Get([]byte("fig"))
	mark := v.Mark()
	v.Set([]byte("fig"), make([]byte, 30)) // 33 bytes are two times 32
	v.Delete([]byte("date"))
	v.Rollback(mark)
	v.Spend(5)
	if v.Work() != 10+32+30+5 {
		t.Fatalf("work %d", v.Work())
	}
	v.ResetWork()
	collect(v, nil, nil, 3)
	if v.Work() != 30 {
		t.Fatalf("work of three steps %d", v.Work())
	}
	v.Changes()
	if v.Work() != 30 {
		t.Fatal("listing changes cost work")
	}
}

// TestViewRefuses lists what is a fault of the program.
func TestViewRefuses(t *testing.T) {
	for name, fn := range map[string]func(v *state.View){
		"nil value":      func(v *state.View) { v.Set([]byte("k"), nil) },
		"empty key":      func(v *state.View) { v.Set(nil, []byte("v")) },
		"long key":       func(v *state.View) { v.Delete(make([]byte, state.MaxKey+1)) },
		"forgotten mark": func(v *state.View) { v.Rollback(1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("accepted")
				}
			}()
			fn(state.NewView(state.NewTree()))
		})
	}
}
