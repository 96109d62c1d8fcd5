package store

import (
	"bytes"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/vfs"
	"github.com/cockroachdb/pebble/vfs/errorfs"

	"github.com/dureledger/dure/ledger/state"
)

// A power cut takes some of the last blocks, whole, and the rest is as it was.
func TestStatePowerCut(t *testing.T) {
	for _, blocks := range []int64{1, 10, 3000} {
		fs := vfs.NewStrictMem()
		s := openTestState(t, fs, StateOptions{MemTableBytes: 256 << 10})
		m := model{}
		for h := range blocks {
			changes := append(changesOf(h), state.Change{Key: []byte("large"), Value: bytes.Repeat([]byte{byte(h)}, 500)})
			m.put(h, changes)
			if err := s.Put(h, changes); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		fs.SetIgnoreSyncs(true)
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		fs.ResetToSyncedState()
		fs.SetIgnoreSyncs(false)
		s = openTestState(t, fs, StateOptions{})
		flushed := s.FlushedHeight()
		if blocks == 3000 && flushed < 500 {
			t.Errorf("only %d of %d blocks are left", flushed, blocks)
		}
		checkLoad(t, s, m)
		for h := flushed + 1; h < blocks; h++ {
			if err := s.Put(h, append(changesOf(h), state.Change{Key: []byte("large"), Value: bytes.Repeat([]byte{byte(h)}, 500)})); err != nil {
				t.Fatal(err)
			}
		}
		m.check(t, s, blocks-1)
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		fs.ResetToSyncedState()
		s = openTestState(t, fs, StateOptions{})
		if s.FlushedHeight() != blocks-1 {
			t.Errorf("after closing, block %d of %d is the last", s.FlushedHeight(), blocks-1)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSegmentsAheadOfState(t *testing.T) {
	dir := t.TempDir()
	opts := small()
	strict := vfs.NewStrictMem()
	opts.StateFS = strict
	s := open(t, dir, opts)
	blocks := new(chain).blocks(30)
	m := model{}
	for _, b := range blocks {
		if err := s.Append(b); err != nil {
			t.Fatal(err)
		}
		m.put(b.Height, changesOf(b.Height))
		if b.Height <= 25 {
			if err := s.State().Put(b.Height, changesOf(b.Height)); err != nil {
				t.Fatal(err)
			}
		}
	}
	closeStore(t, s)
	s = open(t, dir, opts)
	if s.State().FlushedHeight() != 25 || s.LastHeight() != 30 {
		t.Fatalf("state %d, blocks %d", s.State().FlushedHeight(), s.LastHeight())
	}
	if err := s.Replay(s.State().FlushedHeight()+1, func(b *Block) error {
		return s.State().Put(b.Height, changesOf(b.Height))
	}); err != nil {
		t.Fatal(err)
	}
	m.check(t, s.State(), 30)
	closeStore(t, s)

	// The other way round, with the blocks gone, must never be and is not covered up.
	opts.FS = newMemFS()
	_, err := Open(dir, opts)
	wantCode(t, err, CodeCorrupt)
}

// failingWrites is a disk under Pebble that stops taking writes.
type failingWrites struct{ on atomic.Bool }

func (f *failingWrites) MaybeError(op errorfs.Op, _ string) error {
	if f.on.Load() && op.OpKind() == errorfs.OpKindWrite {
		return errNoSpace
	}
	return nil
}

func (f *failingWrites) String() string { return "failing writes" }

func TestStateFault(t *testing.T) {
	opts := small()
	disk := &failingWrites{}
	opts.StateFS = errorfs.Wrap(vfs.NewMem(), disk)
	dir := t.TempDir()
	s := open(t, dir, opts)
	c := &chain{}
	put := func() error {
		b := c.next(3)
		if err := s.Append(b); err != nil {
			return err
		}
		return s.State().Put(b.Height, append(changesOf(b.Height), state.Change{Key: []byte("large"), Value: make([]byte, 50_000)}))
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if err := s.State().Flush(); err != nil {
		t.Fatal(err)
	}
	disk.on.Store(true)
	var err error
	for err == nil { // Pebble notices when it next writes its log
		err = put()
	}
	wantCode(t, err, CodeFailed)
	wantCode(t, s.Append(c.next(1)), CodeFailed)
	wantCode(t, s.State().Flush(), CodeFailed)
	wantCode(t, s.Err(), CodeFailed)
	if s.Close() == nil {
		t.Fatal("closing a failed store says nothing")
	}
}
