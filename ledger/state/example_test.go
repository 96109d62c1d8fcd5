package state_test

import (
	"fmt"

	"github.com/dureledger/dure/ledger/state"
)

// A block's changes are recorded in a view and applied to the tree; a proof then shows one of them to a stranger
// who knows only the root.
func Example() {
	tree := state.NewTree().Apply([]state.Change{{Key: []byte("apple"), Value: []byte("red")}})

	view := state.NewView(tree)
	view.Set([]byte("banana"), []byte("yellow"))
	mark := view.Mark()
	view.Delete([]byte("apple"))
	view.Rollback(mark) // the apple stays
	next := tree.Apply(view.Changes())

	proof, _ := next.Prove([]byte("banana"))
	raw, _ := proof.Marshal()
	fmt.Println("yellow banana:", state.VerifyProof(next.Root(), raw, []byte("banana"), []byte("yellow")))
	fmt.Println("green banana:", state.VerifyProof(next.Root(), raw, []byte("banana"), []byte("green")))

	absence, _ := next.Prove([]byte("cherry"))
	raw, _ = absence.Marshal()
	fmt.Println("no cherry:", state.VerifyProof(next.Root(), raw, []byte("cherry"), nil))
	fmt.Println("keys before and after:", tree.Len(), next.Len())
	// Output:
	// yellow banana: <nil>
	// green banana: the state proof does not hold: it is about another value [proof.mismatch]
	// no cherry: <nil>
	// keys before and after: 1 2
}
