package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/vfs"
	"github.com/cockroachdb/pebble/vfs/errorfs"

	"github.com/dureledger/dure/ledger/state"
)

// life is what a store went through until something failed.
type life struct {
	blocks int   // acknowledged
	meta   int   // the last value acknowledged; that after it may be there too
	err    error // what failed
}

// live makes a store, writes and reads, closes it, and does so again with what is there. The fault strikes at some point.
func live(fs *memFS, dir string, blocks []Block) (l life) {
	for _, until := range []int{len(blocks) / 2, len(blocks)} {
		s, err := Open(dir, inMemory(fs, 600))
		if err != nil {
			l.err = err
			return l
		}
		if l.err = l.write(s, blocks[:until]); l.err == nil {
			l.err = readBack(s, blocks[:until])
		}
		if err := s.Close(); l.err == nil {
			l.err = err
		}
		if l.err != nil {
			return l
		}
	}
	return l
}

func (l *life) write(s *Store, blocks []Block) error {
	for i := l.blocks; i < len(blocks); i++ {
		if err := s.Append(blocks[i]); err != nil {
			return err
		}
		l.blocks++
		if i%4 == 0 {
			if err := s.SetMeta("cursor", []byte{byte(i)}); err != nil {
				return err
			}
			l.meta = i
		}
	}
	return nil
}

func readBack(s *Store, blocks []Block) error {
	for _, b := range blocks {
		if _, err := s.BlockAt(b.Height); err != nil {
			return err
		}
		for i := range b.Entries {
			seq := b.FirstSeq + uint64(i)
			if _, err := s.Entry(seq); err != nil {
				return err
			}
			if _, err := s.History().Inclusion(seq, s.History().Size()); err != nil {
				return err
			}
		}
	}
	_, err := s.Meta("cursor")
	return err
}

// Every operation on the file system fails in turn, from making the store to closing it a second time: changes with an
// input/output error, a full disk and a short write, reads with an input/output error. The store says which file it is,
// and after a power cut or a kill what is there again starts with all that was acknowledged.
func TestEveryOperationFails(t *testing.T) {
	blocks := new(chain).blocks(12)
	for _, kind := range []struct {
		name     string
		injected error
		reads    bool
		least    int
	}{
		{"input/output error", syscall.EIO, false, 40},
		{"disk full", syscall.ENOSPC, false, 40},
		{"short write", errShort{}, false, 40},
		{"input/output error of a read", syscall.EIO, true, 40},
	} {
		t.Run(kind.name, func(t *testing.T) {
			n, dir := 1, t.TempDir()
			for strike(t, dir, blocks, kind.injected, kind.reads, n) {
				n++
			}
			if n < kind.least {
				t.Errorf("only %d operations", n)
			}
		})
	}
}

// strike fails the n-th operation and says whether there was one.
func strike(t *testing.T, dir string, blocks []Block, injected error, reads bool, n int) bool {
	t.Helper()
	fs, count, struck := newMemFS(), 0, ""
	fault := func(_, name string) error {
		if count++; count == n {
			struck = name
			return injected
		}
		return nil
	}
	if reads {
		fs.readFault = fault
	} else {
		fs.fault = fault
	}
	l := live(fs, dir, blocks)
	if struck == "" {
		if l.err != nil {
			t.Fatal(l.err)
		}
		return false
	}
	where := fmt.Sprintf("operation %d, on %s", n, struck)
	if !errors.Is(l.err, injected) || !strings.Contains(l.err.Error(), strings.TrimSuffix(struck, ".new")) {
		t.Fatalf("%s: the store said %v", where, l.err)
	}
	fs.fault, fs.readFault = nil, nil
	if reads || errors.Is(injected, syscall.ENOSPC) {
		l.checkLeft(t, where+", killed", fs.copy(), dir, blocks)
		return true
	}
	l.checkLeft(t, where+", power cut", fs.powerCut(onlySynced), dir, blocks)
	l.checkLeft(t, where+", half written", fs.powerCut(func(_ string, f *memFile) []byte {
		return f.data[:max(len(f.synced), (len(f.synced)+len(f.data))/2)]
	}), dir, blocks)
	return true
}

// checkLeft opens what a failure left: it holds a start of the blocks with all that were acknowledged, and goes on.
func (l life) checkLeft(t *testing.T, where string, left *memFS, dir string, blocks []Block) {
	t.Helper()
	s, err := Open(dir, inMemory(left, 600))
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	held := int(s.LastHeight())
	if held < l.blocks || held > l.blocks+1 {
		t.Fatalf("%s: %d blocks were acknowledged, %d are there", where, l.blocks, held)
	}
	if held > 0 {
		checkHolds(t, s, blocks[:held])
	}
	if got, err := s.Meta("cursor"); err != nil || l.blocks > 0 && (len(got) != 1 || int(got[0]) != l.meta && int(got[0]) != l.meta+4) && l.meta > 0 {
		t.Fatalf("%s: the value is %v (%v), %d was acknowledged", where, got, err, l.meta)
	}
	appendAll(t, s, blocks)
	checkHolds(t, s, blocks)
	closeStore(t, s)
}

// unlocked is a file system without locks: those of a process that died would stay in memory.
type unlocked struct{ vfs.FS }

func (unlocked) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// strikeAt fails Pebble's n-th operation of a kind.
type strikeAt struct {
	kind   errorfs.OpKind
	n      int32
	err    error
	count  atomic.Int32
	struck atomic.Pointer[string]
}

func (s *strikeAt) String() string { return "strike" }

func (s *strikeAt) MaybeError(op errorfs.Op, path string) error {
	if op.OpKind() != s.kind || s.count.Add(1) != s.n {
		return nil
	}
	s.struck.Store(&path)
	return s.err
}

// Pebble's operations fail in turn while a state is made, written, closed and opened again. After that, and a power cut,
// it holds some height, whole.
func TestEveryOperationOfTheStateFails(t *testing.T) {
	for kind, injected := range map[errorfs.OpKind]error{errorfs.OpKindWrite: syscall.ENOSPC, errorfs.OpKindRead: syscall.EIO} {
		for n := int32(1); ; n++ {
			inj := &strikeAt{kind: kind, n: n, err: injected}
			if !strikeState(t, inj) {
				if n < 10 {
					t.Errorf("only %d operations of kind %d", n, kind)
				}
				break
			}
		}
	}
}

func strikeState(t *testing.T, inj *strikeAt) bool {
	t.Helper()
	disk := vfs.NewStrictMem()
	m, flushed, err := liveState(errorfs.Wrap(unlocked{disk}, inj))
	struck := inj.struck.Load()
	if struck == nil {
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	if err != nil && !errors.Is(err, inj.err) && !strings.Contains(err.Error(), inj.err.Error()) {
		t.Fatalf("operation %d on %s: %v", inj.n, *struck, err)
	}
	disk.ResetToSyncedState()
	s := openTestState(t, unlocked{disk}, StateOptions{})
	if err == nil && s.FlushedHeight() < flushed {
		t.Fatalf("operation %d on %s: %d was closed without an error, %d is there", inj.n, *struck, flushed, s.FlushedHeight())
	}
	checkLoad(t, s, m)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	return true
}

// liveState returns the heights that were put, the last one that was closed properly, and what failed.
func liveState(fs vfs.FS) (m model, flushed int64, err error) {
	m, flushed = model{}, -1
	for h := int64(0); h < 60; {
		opts := StateOptions{MemTableBytes: 64 << 10}
		opts.defaults()
		health := &health{}
		s, err := openState(fs, "state", opts, health, func() int64 { return 1 << 40 }, quiet())
		if err != nil {
			return m, flushed, err
		}
		for end := h + 20; h < end && err == nil; h++ {
			changes := append(changesOf(h), state.Change{Key: []byte("large"), Value: bytes.Repeat([]byte{byte(h)}, 4000)})
			m.put(h, changes)
			err = s.Put(h, changes)
		}
		if cerr := s.close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = health.check()
		}
		if err != nil {
			return m, flushed, err
		}
		flushed = h - 1
	}
	return m, flushed, nil
}

// What cannot be made or replaced in meta/ leaves the old value, whatever fails.
func TestMetaIsOldOrNew(t *testing.T) {
	const dir = "meta"
	for n := 1; ; n++ {
		fs, count, struck := newMemFS(), 0, false
		m := &meta{fs: fs, dir: dir}
		if err := m.set("x", []byte("old")); err != nil {
			t.Fatal(err)
		}
		fs.fault = func(string, string) error {
			if count++; count == n {
				struck = true
				return syscall.ENOSPC
			}
			return nil
		}
		err := m.set("x", []byte("new"))
		if !struck {
			return
		}
		fs.fault = nil
		wantCode(t, err, CodeFull)
		for _, left := range []*memFS{fs.copy(), fs.powerCut(onlySynced)} {
			got, err := (&meta{fs: left, dir: dir}).get("x")
			if err != nil || string(got) != "old" && string(got) != "new" {
				t.Fatalf("operation %d: %q, %v", n, got, err)
			}
		}
	}
}
