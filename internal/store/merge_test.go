package store

import (
	"bytes"
	"testing"

	"github.com/cockroachdb/pebble/vfs"

	"github.com/dureledger/dure/ledger/state"
)

// Tables whose keys overlap lie above each other until there are mergeAt of them, and then no more.
func TestMergeAt(t *testing.T) {
	s := openTestState(t, vfs.NewMem(), StateOptions{MemTableBytes: 256 << 10, GroupBytes: 32 << 10})
	filler := bytes.Repeat([]byte{7}, 1000)
	for height := int64(0); ; height++ {
		var changes []state.Change
		for _, key := range []string{"a", "m", "z"} { // so that each table reaches from a to z
			changes = append(changes, state.Change{Key: []byte(key), Value: filler})
		}
		if err := s.Put(height, changes); err != nil {
			t.Fatal(err)
		}
		if height%64 == 0 {
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		m := s.db.Metrics()
		if merging := m.Compact.DefaultCount + m.Compact.NumInProgress; merging > 0 {
			if m.Flush.Count < mergeAt {
				t.Fatalf("the first %d tables are merged, want %d", m.Flush.Count, mergeAt)
			}
			break
		}
		if m.Levels[0].Sublevels > 2*mergeAt {
			t.Fatalf("%d tables lie above each other, and nothing is merged", m.Levels[0].Sublevels)
		}
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}
