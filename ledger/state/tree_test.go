package state_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"testing"

	ics23 "github.com/cosmos/ics23/go"
	"pgregory.net/rapid"

	"github.com/dureledger/dure/ledger/state"
)

// keys drawn are short and of few letters, so that they collide, extend and surround each other.
var (
	anyKey   = rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0x80, 0xff}), 1, 5)
	longKey  = rapid.SliceOfN(rapid.Byte(), 1, 40)
	eitherK  = rapid.OneOf(anyKey, longKey)
	anyValue = rapid.SliceOfN(rapid.Byte(), 1, 3)
)

// drawChanges is a sorted change set with deletions.
func drawChanges(t *rapid.T) []state.Change {
	set := rapid.MapOfN(rapid.Map(eitherK, toString), rapid.Ptr(anyValue, true), 0, 40).Draw(t, "changes")
	changes := make([]state.Change, 0, len(set))
	for _, k := range slices.Sorted(maps.Keys(set)) {
		c := state.Change{Key: []byte(k)}
		if set[k] != nil {
			c.Value = *set[k]
		}
		changes = append(changes, c)
	}
	return changes
}

func toString(b []byte) string { return string(b) }

type model map[string]string

func (m model) apply(changes []state.Change) {
	for _, c := range changes {
		if c.Value == nil {
			delete(m, string(c.Key))
		} else {
			m[string(c.Key)] = string(c.Value)
		}
	}
}

func (m model) changes() []state.Change {
	var out []state.Change
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, state.Change{Key: []byte(k), Value: []byte(m[k])})
	}
	return out
}

// within are the entries in [from, to).
func (m model) within(from, to []byte) []state.Change {
	return slices.DeleteFunc(m.changes(), func(c state.Change) bool {
		return bytes.Compare(c.Key, from) < 0 || to != nil && bytes.Compare(c.Key, to) >= 0
	})
}

func collect(r state.Reader, from, to []byte, limit int) (out []state.Change) {
	r.Ascend(from, to, func(key, value []byte) bool {
		out = append(out, state.Change{Key: bytes.Clone(key), Value: bytes.Clone(value)})
		return len(out) < limit
	})
	return out
}

func same(a, b []state.Change) bool {
	return slices.EqualFunc(a, b, func(x, y state.Change) bool {
		return bytes.Equal(x.Key, y.Key) && bytes.Equal(x.Value, y.Value)
	})
}

// TestTreeIsAMap runs change sets over a tree and a map: contents, walks, roots and every old version agree.
func TestTreeIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			tree *state.Tree
			root [32]byte
			want []state.Change
		}
		tree, m, versions := state.NewTree(), model{}, []version{}
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			changes := drawChanges(t)
			tree = tree.Apply(changes)
			m.apply(changes)
			versions = append(versions, version{tree, tree.Root(), m.changes()})
		}
		for i, v := range versions {
			if got := collect(v.tree, nil, nil, 1<<20); !same(got, v.want) {
				t.Fatalf("version %d: got %v, want %v", i, got, v.want)
			}
			if v.tree.Len() != len(v.want) || v.tree.Root() != v.root {
				t.Fatalf("version %d: %d keys, want %d", i, v.tree.Len(), len(v.want))
			}
			if state.NewTree().Apply(v.want).Root() != v.root {
				t.Fatalf("version %d: the root depends on history", i)
			}
		}
		for k, v := range m {
			if got, ok := tree.Get([]byte(k)); !ok || string(got) != v {
				t.Fatalf("Get(%x) = %x, %v", k, got, ok)
			}
		}
		if key := eitherK.Draw(t, "absent"); m[string(key)] == "" {
			if _, ok := tree.Get(key); ok {
				t.Fatalf("Get(%x) found what is not there", key)
			}
		}
		from, to := eitherK.Draw(t, "from"), rapid.OneOf(eitherK, rapid.Just([]byte(nil))).Draw(t, "to")
		limit := rapid.IntRange(1, 30).Draw(t, "limit")
		want := m.within(from, to)
		if got := collect(tree, from, to, limit); !same(got, want[:min(limit, len(want))]) {
			t.Fatalf("Ascend(%x, %x): got %v, want %v", from, to, got, want)
		}
	})
}

// TestOrderOfChangeSets splits one change set at random: any way of applying the parts gives one root.
func TestOrderOfChangeSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, changes := state.NewTree().Apply(drawChanges(t)), drawChanges(t)
		want := base.Apply(changes)
		parts := make([][]state.Change, 4)
		for _, c := range changes {
			i := rapid.IntRange(0, len(parts)-1).Draw(t, "part")
			parts[i] = append(parts[i], c)
		}
		got := base
		for _, i := range rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "order") {
			got = got.Apply(parts[i])
		}
		if got.Root() != want.Root() || got.Len() != want.Len() {
			t.Fatalf("roots %x and %x differ", got.Root(), want.Root())
		}
	})
}

// TestReferenceRoot compares with a root computed from the definition: split the sorted keys at their first
// differing bit, nine bits a byte.
func TestReferenceRoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		m.apply(drawChanges(t))
		if got, want := state.NewTree().Apply(m.changes()).Root(), referenceRoot(m.changes()); got != want {
			t.Fatalf("root %x, want %x", got, want)
		}
	})
}

// TestProofs checks proofs of present and absent keys with VerifyProof and with the ics23 library.
func TestProofs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		m.apply(drawChanges(t))
		tree, key := state.NewTree().Apply(m.changes()), eitherK.Draw(t, "key")
		if len(m) > 0 && rapid.Bool().Draw(t, "present") {
			key = []byte(rapid.SampledFrom(slices.Sorted(maps.Keys(m))).Draw(t, "key"))
		}
		proof, err := tree.Prove(key)
		if len(m) == 0 {
			if !errors.Is(err, state.ErrEmpty) {
				t.Fatalf("proof of an empty tree: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		value, present := tree.Get(key)
		if err := state.VerifyProof(tree.Root(), marshal(t, proof), key, value); err != nil {
			t.Fatal(err)
		}
		root := tree.Root()
		for _, spec := range []*ics23.ProofSpec{ics23.TendermintSpec, state.ProofSpec()} {
			if present && !ics23.VerifyMembership(spec, root[:], proof, key, value) ||
				!present && !ics23.VerifyNonMembership(spec, root[:], proof, key) {
				t.Fatalf("ics23 refuses the proof of %x, present %v", key, present)
			}
		}
	})
}

// TestDeepPath makes the longest path there is room for in reason: keys that each share one more bit with a victim.
func TestDeepPath(t *testing.T) {
	victim := bytes.Repeat([]byte{0x5a}, 64)
	m := model{string(victim): "v"}
	for bit := range 8 * len(victim) {
		key := bytes.Clone(victim)
		key[bit/8] ^= 0x80 >> (bit % 8)
		m[string(key)] = "x"
	}
	tree := state.NewTree().Apply(m.changes())
	proof, err := tree.Prove(victim)
	if err != nil {
		t.Fatal(err)
	}
	root := tree.Root()
	if n := len(proof.GetExist().Path); n != 8*len(victim) {
		t.Fatalf("path of %d steps", n)
	}
	if err := state.VerifyProof(root, marshal(t, proof), victim, []byte("v")); err != nil {
		t.Fatal(err)
	}
	if !ics23.VerifyMembership(state.ProofSpec(), root[:], proof, victim, []byte("v")) {
		t.Fatal("ics23 refuses a deep proof")
	}
}

// TestApplyRefuses lists what is a fault of the program.
func TestApplyRefuses(t *testing.T) {
	one := []byte{1}
	for name, changes := range map[string][]state.Change{
		"empty key":     {{Key: []byte{}, Value: one}},
		"long key":      {{Key: make([]byte, state.MaxKey+1), Value: one}},
		"empty value":   {{Key: one, Value: []byte{}}},
		"long value":    {{Key: one, Value: make([]byte, state.MaxValue+1)}},
		"twice":         {{Key: one, Value: one}, {Key: one}},
		"out of order":  {{Key: []byte("b"), Value: one}, {Key: []byte("a"), Value: one}},
		"delete of all": {{Key: nil}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("accepted")
				}
			}()
			state.NewTree().Apply(changes)
		})
	}
}

// TestApplyNothing sees that writes that change nothing keep the very nodes.
func TestApplyNothing(t *testing.T) {
	changes := holdings(1000)
	tree := state.NewTree().Apply(changes)
	if n := testing.AllocsPerRun(10, func() { tree.Apply(changes) }); n > 1 {
		t.Fatalf("%v allocations for writing what is there", n)
	}
	// What Apply was given may change afterwards.
	root := tree.Root()
	changes[0].Key[0], changes[0].Value[0] = 'x', 'x'
	if got := state.NewTree().Apply(collect(tree, nil, nil, 1<<20)).Root(); got != root {
		t.Fatal("the tree keeps the caller's slices")
	}
}
