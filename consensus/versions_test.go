//go:build !race

package consensus

import (
	"runtime"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/state"
)

// TestUnreadVersions sees that a tree that somebody still has is not released, and one that nobody has is.
func TestUnreadVersions(t *testing.T) {
	var v versions
	read := state.NewTree().Apply([]state.Change{{Key: []byte("k"), Value: []byte("1")}})
	v.watch(read)
	unread := read.Apply([]state.Change{{Key: []byte("k"), Value: []byte("2")}})
	v.watch(unread)
	version := unread.Version()
	unread = nil
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		runtime.GC()
		v.mu.Lock()
		found := len(v.unread)
		v.mu.Unlock()
		if found > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a tree that nobody has is not found")
		}
	}
	if len(v.unread) != 1 || v.unread[0] != version {
		t.Fatalf("%d versions are unread, want the second alone", len(v.unread))
	}
	v.release()
	if got, _ := read.Get([]byte("k")); string(got) != "1" || len(v.unread) != 0 {
		t.Fatalf("the first version has %q", got)
	}
}
