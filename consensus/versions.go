package consensus

import (
	"runtime"
	"sync"

	"github.com/dureledger/dure/ledger/state"
)

// versions finds out which versions of the state nobody reads any more, so that their memory is used again. Readers need not say so: the garbage
// collector does.
type versions struct {
	mu     sync.Mutex
	unread []*state.Version
}

// watch follows a tree until nothing refers to it.
func (v *versions) watch(t *state.Tree) {
	if reuseMemory {
		runtime.AddCleanup(t, v.add, t.Version())
	}
}

func (v *versions) add(version *state.Version) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.unread = append(v.unread, version)
}

// release gives back what has become unread. Only who applies changes to the state may call it.
func (v *versions) release() {
	v.mu.Lock()
	unread := v.unread
	v.unread = nil
	v.mu.Unlock()
	state.Release(unread...)
}
