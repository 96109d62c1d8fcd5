package exec_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/dureledger/dure/ledger/exec"
)

// A window finds every id that could be replayed: whatever is pruned has expired. It keeps little that has.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, now := exec.NewWindow(), rapid.Int64Range(0, 1<<50).Draw(t, "start")
		ends, places := map[[32]byte]int64{}, map[[32]byte]exec.Place{}
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			id := [32]byte{byte(i)}
			ends[id] = now + rapid.Int64Range(0, 20_000).Draw(t, "ahead")
			places[id] = exec.Place{Height: int64(i), Position: uint32(i), Seq: uint64(i)}
			w.Add(id, ends[id], places[id])
			now += rapid.Int64Range(0, 10_000).Draw(t, "passes")
			w.Prune(now)
			kept := 0
			for id, end := range ends {
				place, found := w.Find(id, end)
				if found && place != places[id] {
					t.Fatalf("%x is at %v, want %v", id[:1], place, places[id])
				}
				if !found && end >= now {
					t.Fatalf("%x is forgotten %d ms before it expires", id[:1], end-now)
				}
				if found && end < now-5000 {
					t.Fatalf("%x is kept %d ms after it expired", id[:1], now-end)
				}
				if found {
					kept++
				}
			}
			if w.Len() != kept {
				t.Fatalf("Len %d, want %d", w.Len(), kept)
			}
		}
	})
}

func TestWindowFindsByIDAndEnd(t *testing.T) {
	w := exec.NewWindow()
	if _, found := w.Find([32]byte{1}, 5000); found || w.Len() != 0 {
		t.Error("an empty window knows something")
	}
	w.Add([32]byte{1}, 5000, exec.Place{Height: 1})
	if _, found := w.Find([32]byte{2}, 5000); found {
		t.Error("it knows an id it was not told")
	}
}
