package store

import (
	"bytes"
	"encoding/binary"
	"maps"
	"sync"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/vfs"
	"pgregory.net/rapid"

	"github.com/dureledger/dure/ledger/state"
)

const (
	errNoSpace      = syscall.ENOSPC
	errReadOnlyDisk = syscall.EROFS
)

// model is the state at every height, kept plainly.
type model map[int64]map[string]string

func (m model) put(height int64, changes []state.Change) {
	next := maps.Clone(m[height-1])
	if next == nil {
		next = map[string]string{}
	}
	for _, c := range changes {
		if c.Value == nil {
			delete(next, string(c.Key))
		} else {
			next[string(c.Key)] = string(c.Value)
		}
	}
	m[height] = next
}

func (m model) check(t rapid.TB, s *State, height int64) {
	t.Helper()
	past, err := s.At(height)
	if err != nil {
		t.Fatalf("height %d: %v", height, err)
	}
	defer func() {
		if err := past.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	got := map[string]string{}
	var last []byte
	past.Ascend(nil, nil, func(key, value []byte) bool {
		if last != nil && bytes.Compare(last, key) >= 0 {
			t.Fatalf("%x comes after %x", key, last)
		}
		last = key
		got[string(key)] = string(value)
		return true
	})
	if !maps.Equal(got, m[height]) {
		t.Fatalf("state of %d is %q, want %q", height, got, m[height])
	}
	for key, want := range m[height] {
		if value, ok := past.Get([]byte(key)); !ok || string(value) != want {
			t.Fatalf("%q at %d is %q, want %q", key, height, value, want)
		}
	}
	if _, ok := past.Get([]byte("never there")); ok {
		t.Fatal("a key that was never set is there")
	}
}

func openTestState(t rapid.TB, fs vfs.FS, opts StateOptions) *State {
	t.Helper()
	opts.defaults()
	s, err := openState(fs, "state", opts, &health{}, func() int64 { return 1 << 40 }, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func drawChanges(t *rapid.T) []state.Change {
	keys := rapid.SampledFrom([]string{"", "\x00", "\x00\x00", "\x00\x01", "a", "a\x00", "a\x00\x01", "a\x00\xff", "a\xff", "ab", "\xff", "\xff\xff"})
	values := rapid.SampledFrom([][]byte{nil, {}, {0}, {1}, []byte("value"), bytes.Repeat([]byte{7}, 300)})
	var out []state.Change
	for key := range rapid.MapOfN(keys, values, 0, 6).Draw(t, "changes") {
		out = append(out, state.Change{Key: []byte(key), Value: values.Draw(t, "value")})
	}
	return out
}

// Keys with more versions than are stepped over, and keys with few beside them, are read at any height.
func TestManyVersions(t *testing.T) {
	s := openTestState(t, vfs.NewMem(), StateOptions{MemTableBytes: 1 << 20})
	m, last := model{}, int64(3*stepsPerSeek)
	for height := range last + 1 {
		changes := []state.Change{{Key: []byte("often"), Value: binary.BigEndian.AppendUint64(nil, uint64(height))}}
		if height%int64(stepsPerSeek) == 7 {
			changes = append(changes, state.Change{Key: []byte("p"), Value: []byte{byte(height)}}, state.Change{Key: []byte("a"), Value: []byte{byte(height)}})
		}
		m.put(height, changes)
		if err := s.Put(height, changes); err != nil {
			t.Fatal(err)
		}
	}
	for _, height := range []int64{0, 7, 8, 1, last / 2, last - 1, last} {
		m.check(t, s, height)
	}
	checkLoad(t, s, m)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

func TestStateAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fs := vfs.NewMem()
		opts := StateOptions{PruneKeys: 3, GroupBytes: 1 << 10, MemTableBytes: 1 << 20}
		s := openTestState(rt, fs, opts)
		m := model{}
		height, floor := int64(-1), int64(0)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0:
				if err := s.close(); err != nil {
					rt.Fatal(err)
				}
				s = openTestState(rt, fs, opts)
			case 1:
				if height > 0 {
					floor = prune(rt, s, rapid.Int64Range(0, height).Draw(rt, "keep from"), floor)
				}
			case 2:
				if height >= 0 {
					m.check(rt, s, rapid.Int64Range(floor, height).Draw(rt, "height"))
				}
			default:
				height++
				changes := drawChanges(rt)
				m.put(height, changes)
				if err := s.Put(height, changes); err != nil {
					rt.Fatal(err)
				}
			}
		}
		for h := floor; h <= height; h++ {
			m.check(rt, s, h)
		}
		checkLoad(rt, s, m)
		if err := s.close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// prune asks for a floor and waits until it is reached.
func prune(t rapid.TB, s *State, keepFrom, floor int64) int64 {
	t.Helper()
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Prune(keepFrom); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.pruned < keepFrom {
		s.moved.Wait()
	}
	return max(floor, keepFrom)
}

func checkLoad(t rapid.TB, s *State, m model) {
	t.Helper()
	got := map[string]string{}
	if err := s.Load(func(key, value []byte) { got[string(key)] = string(value) }); err != nil {
		t.Fatal(err)
	}
	if want := m[s.FlushedHeight()]; !maps.Equal(got, want) {
		t.Fatalf("loaded %q, want %q", got, want)
	}
}

func versions(t *testing.T, s *State) int {
	t.Helper()
	it, err := s.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if it.Key()[0] == stateSpace {
			n++
		}
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPruneRemoves(t *testing.T) {
	s := openTestState(t, vfs.NewMem(), StateOptions{PruneKeys: 5})
	m := model{}
	for h := range int64(200) {
		changes := changesOf(h)
		if h > 100 {
			changes = append(changes, state.Change{Key: []byte("gone")})
		} else {
			changes = append(changes, state.Change{Key: []byte("gone"), Value: []byte{byte(h)}})
		}
		m.put(h, changes)
		if err := s.Put(h, changes); err != nil {
			t.Fatal(err)
		}
	}
	prune(t, s, 150, 0)
	for h := int64(150); h < 200; h++ {
		m.check(t, s, h)
	}
	_, err := s.At(149)
	wantCode(t, err, CodePruned)
	_, err = s.At(200)
	wantCode(t, err, CodeFuture)
	prune(t, s, 199, 150)
	if got := versions(t, s); got != 11 {
		t.Errorf("%d versions are left of 11 keys", got)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

func TestPastOutlivesPruning(t *testing.T) {
	s := openTestState(t, vfs.NewMem(), StateOptions{})
	for h := range int64(50) {
		if err := s.Put(h, changesOf(h)); err != nil {
			t.Fatal(err)
		}
	}
	past, err := s.At(10)
	if err != nil {
		t.Fatal(err)
	}
	prune(t, s, 49, 0)
	if value, ok := past.Get([]byte("latest")); !ok || string(value) != "10" {
		t.Fatalf("got %q", value)
	}
	n := 0
	past.Ascend([]byte("key"), state.PrefixEnd([]byte("key")), func([]byte, []byte) bool { n++; return n < 4 })
	if n != 4 {
		t.Fatalf("walked %d keys", n)
	}
	if err := past.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

func TestPutOrder(t *testing.T) {
	s, err := openState(vfs.NewMem(), "state", defaultState(), &health{}, func() int64 { return 5 }, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if s.FlushedHeight() != -1 {
		t.Fatal("a new state has a height")
	}
	for h := int64(3); h <= 5; h++ {
		if err := s.Put(h, changesOf(h)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(4, nil); err != nil { // a replay
		t.Fatal(err)
	}
	wantCode(t, s.Put(6, nil), CodeOrder) // not on the disk yet
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

func defaultState() StateOptions {
	var opts StateOptions
	opts.defaults()
	return opts
}

func TestQueueIsBounded(t *testing.T) {
	opts := defaultState()
	opts.QueueBlocks = 3
	s := &State{opts: opts, health: &health{}, synced: func() int64 { return 1000 }, last: -1, flushed: -1}
	s.moved = sync.NewCond(&s.mu)
	done := make(chan error)
	go func() {
		for h := range int64(100) {
			if err := s.Put(h, changesOf(h)); err != nil {
				done <- err
			}
		}
		done <- s.Put(100, make([]state.Change, 2*opts.QueueBytes/32)) // larger than the queue: goes in alone
	}()
	for next := int64(0); next <= 100; {
		group, _ := s.takeGroup()
		if len(group) > opts.QueueBlocks {
			t.Fatalf("%d blocks were queued", len(group))
		}
		for _, b := range group {
			if b.height != next {
				t.Fatalf("got block %d, want %d", b.height, next)
			}
			next++
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
