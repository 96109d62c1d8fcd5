package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var secret = []byte("what a device said")

// private is the transaction of an anchor.
func private(raw []byte) bool { return bytes.HasPrefix(raw, secret) }

// restOf leaves the end of a private transaction, and nothing of some.
func restOf(raw []byte) ([]byte, bool) {
	rest := raw[min(len(raw), len(secret)):]
	if bytes.HasSuffix(rest, []byte("2")) {
		rest = nil
	}
	return rest, private(raw)
}

// mixed are blocks in which every second transaction is one that is erased.
func mixed(n int) []Block {
	blocks := new(chain).blocks(n)
	for i, b := range blocks {
		for k := range b.Entries {
			if k%2 == 0 {
				b.Entries[k].Raw = fmt.Appendf(nil, "%s in %d.%d", secret, i, k)
			}
		}
	}
	return blocks
}

// erasedBelow are blocks as they are when those below a height have been erased.
func erasedBelow(blocks []Block, below int64) []Block {
	out := make([]Block, len(blocks))
	for i, b := range blocks {
		out[i] = b
		out[i].Entries = append([]Entry(nil), b.Entries...)
		for k, e := range b.Entries {
			if b.Height < below && private(e.Raw) {
				out[i].Entries[k].Rest, _ = restOf(e.Raw)
				out[i].Entries[k].Raw = nil
			}
		}
	}
	return out
}

func erasable(t *testing.T, fs *memFS, dir string) *Store {
	t.Helper()
	s := open(t, dir, inMemory(fs, 600))
	s.erased.rest = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return s
}

var everything = Erasure{Before: math.MaxInt64, Below: math.MaxInt64, Rest: restOf}

// secrets counts the files that have what was to be erased.
func (m *memFS) secrets() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.names {
		if bytes.Contains(f.data, secret) {
			n++
		}
	}
	return n
}

func TestErase(t *testing.T) {
	dir, blocks := t.TempDir(), mixed(60)
	fs := written(t, dir, blocks, 600)
	s := erasable(t, fs, dir)
	registry := prometheus.NewRegistry()
	s.gauges(registry)
	checkHolds(t, s, blocks) // the cache has what is erased
	root, err := s.History().Root(s.History().Size())
	if err != nil {
		t.Fatal(err)
	}

	// Half of it is old enough.
	half := everything
	half.Before, half.Below = blocks[29].Time, 1000
	first, err := s.Erase(t.Context(), half)
	if err != nil || first.Height == 0 || first.Height >= 30 || first.Transactions == 0 || first.Bytes < int64(first.Transactions*len(secret)) || first.Segments == 0 {
		t.Fatalf("%+v %v", first, err)
	}
	checkHolds(t, s, erasedBelow(blocks, first.Height+1))
	if again, err := s.Erase(t.Context(), half); err != nil || again.Transactions != 0 || again.Height != first.Height {
		t.Errorf("again: %+v %v", again, err)
	}

	// All of it, but for a height from which on it is needed, within a segment.
	part := everything
	part.Below = 41
	if second, err := s.Erase(t.Context(), part); err != nil || second.Height != 40 {
		t.Fatalf("%+v %v", second, err)
	}
	checkHolds(t, s, erasedBelow(blocks, 41))

	// The last segment too, once another has begun.
	if _, err := s.Erase(t.Context(), everything); err != nil {
		t.Fatal(err)
	}
	if fs.secrets() != 1 {
		t.Errorf("%d files with readings are left, not the last one alone", fs.secrets())
	}
	if err := s.Roll(blocks[0].Time); err != nil {
		t.Fatal(err)
	}
	if err := s.Roll(math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	if err := s.Roll(math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Erase(t.Context(), everything); err != nil || all.Height != 60 {
		t.Fatalf("%+v %v", all, err)
	}
	want := erasedBelow(blocks, 61)
	checkHolds(t, s, want)
	if fs.secrets() != 0 {
		t.Error("something is left")
	}
	checkCounter(t, registry, "dure_store_erased_transactions_total", float64(count(want, Entry.Erased)))

	// Appending goes on, and what was erased is still known again: a node that lost its state executes it once more.
	appendAll(t, s, blocks)
	forged := blocks[10]
	forged.StateRoot[5] ^= 1
	wantCode(t, s.Append(forged), CodeFork)
	closeStore(t, s)

	// The tree is made anew from outcomes alone.
	delete(fs.names, filepath.Join(dir, "history", "nodes"))
	s = erasable(t, fs, dir)
	checkHolds(t, s, want)
	if got, err := s.History().Root(s.History().Size()); err != nil || got != root {
		t.Errorf("the root is another one: %v", err)
	}
	closeStore(t, s)
}

func count(blocks []Block, which func(Entry) bool) (n int) {
	for _, b := range blocks {
		for _, e := range b.Entries {
			if which(e) {
				n++
			}
		}
	}
	return n
}

func checkCounter(t *testing.T, registry *prometheus.Registry, name string, want float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name && f.GetMetric()[0].GetCounter().GetValue() != want {
			t.Errorf("%s is %v, not %v", name, f.GetMetric()[0].GetCounter().GetValue(), want)
		}
	}
}

// Every change to the file system fails in turn, and the power is cut then, or only the process killed. Each block is
// there as it was or erased, and another run finishes.
func TestEraseSurvivesEveryCrash(t *testing.T) {
	dir, blocks := t.TempDir(), mixed(18)
	before := written(t, dir, blocks, 600)
	rolled := erasable(t, before, dir)
	if err := rolled.Roll(math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	closeStore(t, rolled)
	for _, injected := range []error{errors.New("input/output error"), errShort{}} {
		for n := 1; ; n++ {
			if !eraseFault(t, dir, before.copy(), blocks, injected, n) {
				if n < 30 {
					t.Fatalf("only %d operations", n)
				}
				break
			}
		}
	}
}

func eraseFault(t *testing.T, dir string, fs *memFS, blocks []Block, injected error, n int) bool {
	s := erasable(t, fs, dir)
	ops, struck := 0, ""
	fs.setFault(func(op, name string) error {
		if ops++; ops == n {
			struck = op + " " + filepath.Base(name)
			return injected
		}
		return nil
	})
	done, err := s.Erase(t.Context(), everything)
	fs.setFault(nil)
	left := map[string]*memFS{"power cut": fs.powerCut(onlySynced), "process killed": fs.copy()}
	if s.Err() == nil { // nothing that counts was touched: it goes on at once
		if _, err := s.Erase(t.Context(), everything); err != nil {
			t.Fatalf("%s: again: %v", struck, err)
		}
		checkHolds(t, s, erasedBelow(blocks, math.MaxInt64))
	}
	_ = s.Close() // says what failed
	if struck == "" {
		return false
	}
	if !errors.Is(err, injected) && !strings.HasPrefix(struck, "remove") {
		t.Fatalf("%s: erasing said %v", struck, err)
	}
	for name, fs := range left {
		t.Run(fmt.Sprintf("%d %s %s", n, struck, name), func(t *testing.T) {
			s := erasable(t, fs, dir)
			for _, b := range blocks {
				held, err := s.BlockAt(b.Height)
				if err != nil {
					t.Fatal(err)
				}
				for i, e := range held.Entries {
					if !bytes.Equal(e.Outcome, b.Entries[i].Outcome) || !bytes.Equal(e.Raw, b.Entries[i].Raw) && !(e.Erased() && private(b.Entries[i].Raw)) {
						t.Fatalf("block %d, entry %d is neither whole nor erased", b.Height, i)
					}
					if b.Height <= done.Height && private(e.Raw) {
						t.Fatalf("block %d was erased and is there again", b.Height)
					}
				}
			}
			if _, err := s.Erase(t.Context(), everything); err != nil {
				t.Fatal(err)
			}
			checkHolds(t, s, erasedBelow(blocks, math.MaxInt64))
			if fs.secrets() != 0 {
				t.Errorf("%d files still have what was erased", fs.secrets())
			}
			closeStore(t, s)
		})
	}
	return true
}

// While a copy is open no file is replaced; its files are those of its moment.
func TestEraseWaitsForCopy(t *testing.T) {
	dir, blocks := t.TempDir(), mixed(40)
	fs := written(t, dir, blocks, 600)
	s := erasable(t, fs, dir)
	if err := s.State().Put(0, nil); err != nil {
		t.Fatal(err)
	}
	for s.State().FlushedHeight() < 0 {
		s.State().mu.Lock()
		s.State().moved.Wait()
		s.State().mu.Unlock()
	}
	c, err := s.Copy()
	if err != nil {
		t.Fatal(err)
	}
	if done, err := s.Erase(t.Context(), everything); err != nil || done.Transactions != 0 {
		t.Errorf("%+v %v", done, err)
	}
	for _, f := range c.Files {
		var b bytes.Buffer
		if err := c.WriteFile(&b, f); err != nil || int64(b.Len()) != f.Size {
			t.Errorf("%s: %d bytes of %d, %v", f.Name, b.Len(), f.Size, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if done, err := s.Erase(t.Context(), everything); err != nil || done.Transactions == 0 {
		t.Errorf("%+v %v", done, err)
	}
	closeStore(t, s)
}

// Readers and the appender go on while segments are replaced below them.
func TestEraseBesideReaders(t *testing.T) {
	dir, blocks := t.TempDir(), mixed(120)
	fs := written(t, dir, blocks[:80], 600)
	s := erasable(t, fs, dir)
	var work sync.WaitGroup
	for r := range 4 {
		work.Go(func() {
			for i := range 400 {
				b := blocks[(i*7+r)%80]
				held, err := s.BlockAt(b.Height)
				if err != nil || len(held.Entries) != len(b.Entries) {
					t.Errorf("block %d: %v", b.Height, err)
					return
				}
			}
		})
	}
	work.Go(func() { appendAll(t, s, blocks[80:]) })
	for range 20 {
		if _, err := s.Erase(t.Context(), everything); err != nil {
			t.Error(err)
		}
	}
	work.Wait()
	done, err := s.Erase(t.Context(), everything)
	if err != nil {
		t.Fatal(err)
	}
	checkHolds(t, s, erasedBelow(blocks, done.Height+1))
	closeStore(t, s)
}

// A run that is told to stop leaves what was; damage to the note of how far it came only costs another look.
func TestEraseStopsAndForgets(t *testing.T) {
	dir, blocks := t.TempDir(), mixed(40)
	fs := written(t, dir, blocks, 600)
	s := erasable(t, fs, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Erase(ctx, everything); !errors.Is(err, context.Canceled) || s.Err() != nil {
		t.Errorf("%v, %v", err, s.Err())
	}
	checkHolds(t, s, blocks)
	done, err := s.Erase(t.Context(), everything)
	if err != nil {
		t.Fatal(err)
	}
	note := fs.names[filepath.Join(dir, "meta", erasedMeta)]
	note.data[5] ^= 1
	again, err := s.Erase(t.Context(), everything)
	if err != nil || again.Transactions != 0 || again.Height != done.Height {
		t.Errorf("%+v %v", again, err)
	}
	closeStore(t, s)
}
