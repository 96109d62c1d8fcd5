package store

import (
	"sync"
	"testing"
)

// Readers of everything run beside appends, puts and pruning.
func TestReadersBesideWriters(t *testing.T) {
	opts := small()
	opts.State.PruneKeys = 4
	s := open(t, t.TempDir(), opts)
	blocks := new(chain).blocks(150)
	m := model{}
	for _, b := range blocks {
		m.put(b.Height, changesOf(b.Height))
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for stop := false; !stop; {
				select {
				case <-done:
					stop = true // once more, on the whole
				default:
				}
				readAll(t, s, blocks, m)
			}
		})
	}
	for _, b := range blocks {
		if err := s.Append(b); err != nil {
			t.Fatal(err)
		}
		if err := s.State().Put(b.Height, changesOf(b.Height)); err != nil {
			t.Fatal(err)
		}
		if b.Height%20 == 0 {
			if err := s.State().Prune(b.Height - 30); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(done)
	readers.Wait()
	checkHolds(t, s, blocks)
	closeStore(t, s)
}

func readAll(t *testing.T, s *Store, blocks []Block, m model) {
	last := s.LastHeight()
	if last == 0 {
		return
	}
	want := blocks[last-1]
	if b, err := s.BlockAt(last); err != nil || b.AppHash != want.AppHash {
		t.Errorf("block %d: %v", last, err)
	}
	if want.HistorySize > 0 {
		if _, err := s.Entry(want.HistorySize - 1); err != nil {
			t.Error(err)
		}
	}
	size := s.History().Size()
	if size > 0 {
		if _, err := s.History().Inclusion(size/2, size); err != nil {
			t.Error(err)
		}
	}
	height := s.State().LastHeight()
	past, err := s.State().At(height)
	if err != nil {
		return // nothing put yet, or pruned meanwhile
	}
	if value, ok := past.Get([]byte("latest")); !ok || string(value) != m[height]["latest"] {
		t.Errorf("state of %d: %q", height, value)
	}
	if err := past.Close(); err != nil {
		t.Error(err)
	}
}
