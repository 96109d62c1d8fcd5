//go:build !race

package consensus

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/state"
)

// TestUnreadVersions sees that the collector tells of a tree that was lent and that nobody has any more, and not of one that somebody has.
func TestUnreadVersions(t *testing.T) {
	var v versions
	tips := []*Tip{{versions: &v, tree: numbered(state.NewTree(), 1)}, nil}
	tips[1] = &Tip{versions: &v, tree: numbered(tips[0].tree, 2)}
	version, kept := tips[1].Tree().Version(), tips[0].Tree()
	v.retire(tips[0], tips[1])
	v.retire(tips[1], &Tip{})
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		runtime.GC()
		v.mu.Lock()
		found := slices.Clone(v.unread)
		v.mu.Unlock()
		if len(found) > 0 {
			if !slices.Equal(found, []*state.Version{version}) {
				t.Fatalf("%d versions are unread, want the second alone", len(found))
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a tree that nobody has is not found")
		}
	}
	v.release()
	if got := numberIn(t, kept); got != 1 || len(v.unread) != 0 {
		t.Fatalf("the first version is %d", got)
	}
}
