package state_test

import (
	"sync"
	"testing"

	"github.com/dureledger/dure/ledger/state"
)

// TestReadersDuringApply reads and proves against one version while others are made of it; the race detector watches.
func TestReadersDuringApply(t *testing.T) {
	changes := holdings(2000)
	tree := state.NewTree().Apply(changes)
	root := tree.Root()
	var readers sync.WaitGroup
	for r := range 3 {
		readers.Go(func() {
			for i := r; i < len(changes); i += 7 {
				c := changes[i]
				proof, err := tree.Prove(c.Key)
				if err != nil {
					t.Error(err)
					return
				}
				raw, err := proof.Marshal()
				if err != nil {
					t.Error(err)
					return
				}
				if err := state.VerifyProof(root, raw, c.Key, c.Value); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	next := tree
	for i := range 50 {
		part := make([]state.Change, 0, 40)
		for _, c := range changes[i*40 : (i+1)*40] {
			value := []byte("new")
			if i%2 == 0 {
				value = nil
			}
			part = append(part, state.Change{Key: c.Key, Value: value})
		}
		next = next.Apply(part)
	}
	readers.Wait()
	if next.Len() != 1000 || tree.Len() != 2000 || tree.Root() != root {
		t.Fatalf("%d keys, then %d", tree.Len(), next.Len())
	}
}
