package state

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// place is some memory of a tree, units.
type place struct{ from, to ref }

// places are those of the nodes below r, each once.
func (s space) places(r ref, into map[ref]place) {
	if _, seen := into[r]; r == 0 || seen {
		return
	}
	n := s.node(r)
	into[r] = place{r, r + ref(unitsOf(n.class()))}
	if n.bit != pageBit {
		s.places(n.inner().kids[0], into)
		s.places(n.inner().kids[1], into)
	}
}

// poison overwrites all memory that may be used again, so that whoever still reads it is found out, and returns its places.
func (m *memory) poison() (free []place) {
	for class, refs := range m.free {
		for _, r := range refs {
			n := unitsOf(uint8(class))
			free = append(free, place{r, r + ref(n)})
			for i, b := 0, unsafe.Slice((*byte)(unsafe.Pointer(m.node(r))), n*unit); i < len(b); i++ {
				b[i] = 0xee
			}
		}
	}
	return free
}

// overlap says whether any two places share memory.
func overlap(places []place) bool {
	slices.SortFunc(places, func(a, b place) int { return int(a.from) - int(b.from) })
	for i := 1; i < len(places); i++ {
		if places[i].from < places[i-1].to {
			return true
		}
	}
	return false
}

// TestReleasedVersions makes versions in a line and beside each other, and releases them in any order: those that are left read as before, no memory is
// given out twice, and when one is left, all that is not its own can be used again.
func TestReleasedVersions(t *testing.T) {
	type version struct {
		*Tree
		want map[string][]byte
	}
	key := rapid.OneOf(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 'a', 0xff}), 1, 4), rapid.SliceOfN(rapid.Byte(), 1, 3))
	rapid.Check(t, func(t *rapid.T) {
		live := []version{{NewTree().Apply([]Change{{Key: []byte("first"), Value: []byte("1")}}), map[string][]byte{"first": []byte("1")}}}
		memory, given := live[0].version.memory, map[ref]place{}
		for round := range rapid.IntRange(1, 40).Draw(t, "rounds") {
			if n := rapid.IntRange(0, len(live)-1).Draw(t, "which"); rapid.Bool().Draw(t, "release") && len(live) > 1 {
				Release(live[n].Version())
				live = slices.Delete(live, n, n+1)
			} else {
				next := version{want: maps.Clone(live[n].want)}
				var changes []Change
				drawn := rapid.MapOfN(rapid.Map(key, func(b []byte) string { return string(b) }), rapid.IntRange(0, 200), 1, 40).Draw(t, "changes")
				for _, k := range slices.Sorted(maps.Keys(drawn)) {
					c := Change{Key: []byte(k)}
					delete(next.want, k)
					if size := drawn[k]; size > 0 {
						c.Value = bytes.Repeat([]byte{byte(round)}, size)
						next.want[k] = c.Value
					}
					changes = append(changes, c)
				}
				if next.Tree = live[n].Apply(changes); next.Tree != live[n].Tree { // else nothing changed
					live = append(live, next)
				}
			}
			free, used := memory.poison(), map[ref]place{}
			for _, v := range live {
				v.places(v.root, used)
				read := map[string][]byte{}
				v.Ascend(nil, nil, func(key, value []byte) bool {
					read[string(key)] = value
					return true
				})
				if v.Len() != len(v.want) || !maps.EqualFunc(read, v.want, bytes.Equal) {
					t.Fatalf("a version reads %q, want %q", read, v.want)
				}
			}
			maps.Copy(given, used)
			if all := slices.AppendSeq(free, maps.Values(used)); overlap(all) {
				t.Fatalf("%v: memory in use can be used again, or twice", all)
			}
		}
		last := live[len(live)-1]
		for _, v := range live[:len(live)-1] {
			Release(v.Version())
		}
		kept := map[ref]place{}
		last.places(last.root, kept)
		free := map[ref]bool{}
		for _, p := range memory.poison() {
			free[p.from] = true
		}
		for r := range given {
			if _, used := kept[r]; !used && !free[r] {
				t.Fatalf("memory at %d was given out, is of no version, and cannot be used again", r)
			}
		}
	})
}

// TestMemoryIsUsedAgain overwrites a tree many times, releasing what came before: it does not grow.
func TestMemoryIsUsedAgain(t *testing.T) {
	changes := make([]Change, 2000)
	for i := range changes {
		changes[i] = Change{Key: []byte{byte(i >> 8), byte(i), 'k'}, Value: make([]byte, 16)}
	}
	tree := NewTree().Apply(changes)
	after := 0
	for round := range 50 {
		for i := range changes {
			changes[i].Value = bytes.Repeat([]byte{byte(round + 1)}, 16)
		}
		next := tree.Apply(changes[round*20 : round*20+1000])
		Release(tree.Version(), tree.Version(), nil)
		tree = next
		if round == 5 {
			after = len(tree.version.memory.space)
		}
	}
	if n := len(tree.version.memory.space); n != after {
		t.Fatalf("%d slabs, %d after the first rounds", n, after)
	}
	if v := tree.Version(); v.parent != nil {
		t.Fatal("a released version is kept")
	}
}

// TestClasses checks that a place is large enough for what is put there, and not much larger.
func TestClasses(t *testing.T) {
	before := uint8(0)
	for size := 1; size <= pageSize(maxLeaves, MaxKey+MaxValue); size++ {
		class := classOf(size)
		room := unitsOf(class) * unit
		if class < before || int(class) >= classes || room < size || room-unit >= size && room > size+size/8+unit {
			t.Fatalf("%d bytes get class %d of %d bytes", size, class, room)
		}
		before = class
	}
}
