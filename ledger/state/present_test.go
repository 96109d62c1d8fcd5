package state_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dureledger/dure/ledger/state"
)

// TestChangesOfPresentKeys makes changes of keys that are all there, and of such with another among them: each tree is what one has that is made of its
// contents at once.
func TestChangesOfPresentKeys(t *testing.T) {
	const keys = 600 // some sixty pages
	start := holdings(keys)
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		m.apply(start)
		tree := state.NewTree().Apply(start)
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			set := map[string][]byte{}
			for _, at := range rapid.SliceOfNDistinct(rapid.IntRange(0, keys-1), 1, 40, rapid.ID).Draw(t, "which") {
				if key := string(start[at].Key); m[key] != "" {
					set[key] = rapid.SampledFrom([][]byte{nil, []byte(m[key]), []byte("sixteen bytes it"), []byte("longer than what was there")}).Draw(t, "value")
				}
			}
			if other := rapid.SampledFrom([]string{"", "A", "S", "SB\x80", "T"}).Draw(t, "other"); other != "" {
				set[other] = []byte("other")
			}
			var changes []state.Change
			for _, key := range slices.Sorted(maps.Keys(set)) {
				changes = append(changes, state.Change{Key: []byte(key), Value: set[key]})
			}
			m.apply(changes)
			tree = tree.Apply(changes)
			want := state.NewTree().Apply(m.changes())
			if tree.Root() != want.Root() || tree.Len() != want.Len() {
				t.Fatalf("%d keys with root %x, want %d with %x", tree.Len(), tree.Root(), want.Len(), want.Root())
			}
		}
		if !same(collect(tree, nil, nil, keys+10), m.changes()) {
			t.Fatal("the contents are others")
		}
	})
}
