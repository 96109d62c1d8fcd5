package consensus

import (
	"runtime"
	"sync"

	"github.com/dureledger/dure/ledger/state"
)

// versions finds out which versions of the state nobody reads any more, so that their memory is used again. A tree that was lent to a reader is unread
// when the garbage collector says so: readers need not. All others are read only while reading is held, and so are unread when they are retired.
type versions struct {
	reading sync.RWMutex
	mu      sync.Mutex
	unread  []*state.Version
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

// retire ends the lending of a tip's tree. next is the tip after it, which has the same tree if its block changed nothing.
func (v *versions) retire(t, next *Tip) {
	v.reading.Lock()
	defer v.reading.Unlock()
	switch lent := t.lent.Load(); {
	case next.tree == t.tree && lent:
		next.lent.Store(true)
	case next.tree != t.tree && !lent:
		v.add(t.tree.Version())
	}
	t.tree = nil
}

// release gives back what has become unread. Only who applies changes to the state may call it.
func (v *versions) release() {
	v.mu.Lock()
	unread := v.unread
	v.unread = nil
	v.mu.Unlock()
	state.Release(unread...)
}

// Tree is the state, to be read for as long as the caller likes; nil if t is none of the last versions any more.
func (t *Tip) Tree() *state.Tree {
	t.versions.reading.RLock()
	defer t.versions.reading.RUnlock()
	if t.tree != nil && !t.lent.Swap(true) {
		t.versions.watch(t.tree)
	}
	return t.tree
}

// withTip calls do with the newest version, whose tree do may read and not keep.
func (a *app) withTip(do func(*Tip)) {
	a.versions.reading.RLock()
	defer a.versions.reading.RUnlock()
	do(a.tip.Load())
}
