package state_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/dureledger/dure/ledger/state"
)

// Touch takes keys of any number, there or not, in a tree of any size, and leaves the tree as it is.
func TestTouchTakesAnyKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := state.NewTree()
		for range rapid.IntRange(0, 3).Draw(t, "blocks") {
			tree = tree.Apply(drawChanges(t))
		}
		root, before := tree.Root(), collect(tree, nil, nil, tree.Len()+1)
		tree.Touch(rapid.SliceOfN(eitherK, 0, 40).Draw(t, "keys"))
		if tree.Root() != root || !same(before, collect(tree, nil, nil, tree.Len()+1)) {
			t.Fatal("touching changed the tree")
		}
	})
}
