package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble"

	"github.com/dureledger/dure/ledger/state"
)

// Copy is a store as of one moment, to be read while the store goes on: the newest state and the files from which
// everything else is made again. Older states are not in it.
type Copy struct {
	Last  int64 // height of the last block in the files
	Files []CopyFile
	past  *Past
	files FS
	done  func()
}

// CopyFile is a file of a Copy. A file at Name in another folder, with these bytes, is the same to Open.
type CopyFile struct {
	Name string // below the store's folder, with slashes
	Size int64  // bytes from the start that count; the file itself may go on
	path string
	raw  []byte // of a small file
}

// Copy opens a copy. The store's Close waits until it is closed.
func (s *Store) Copy() (*Copy, error) {
	height := s.state.FlushedHeight()
	if height < 0 {
		return nil, errors.New("store: there is nothing to copy yet: no block has been written")
	}
	past, err := s.state.At(height)
	if err != nil {
		return nil, err
	}
	s.copies.RLock() // no file is replaced meanwhile
	c := &Copy{past: past, files: s.opts.FS, done: s.copies.RUnlock}
	if err := s.copyMeta(c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.Last = s.blocks.copyFiles(c)
	return c, nil
}

// copyMeta takes the small values that are not made again from the rest.
func (s *Store) copyMeta(c *Copy) error {
	names, err := s.opts.FS.List(s.meta.dir)
	if err != nil {
		return explain("listing "+s.meta.dir, err)
	}
	for _, name := range names {
		if name != baseMeta && name != formatMeta && !strings.HasPrefix(name, "user-") || strings.HasSuffix(name, ".new") {
			continue
		}
		value, err := s.meta.get(name)
		if err != nil {
			return err
		}
		raw := metaFile(value)
		c.Files = append(c.Files, CopyFile{Name: "meta/" + name, Size: int64(len(raw)), raw: raw})
	}
	return nil
}

func (l *blockLog) copyFiles(c *Copy) (last int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.segments {
		c.Files = append(c.Files, CopyFile{Name: "blocks/" + filepath.Base(s.path), Size: s.size, path: s.path})
	}
	return l.last()
}

// Height is that of the state, at most Last: blocks after it are executed again.
func (c *Copy) Height() int64 { return c.past.height }

// WriteFile writes one file's bytes.
func (c *Copy) WriteFile(w io.Writer, f CopyFile) error {
	if f.raw != nil {
		_, err := w.Write(f.raw)
		return err
	}
	file, err := c.files.OpenFile(f.path, os.O_RDONLY)
	if err != nil {
		return explain("opening "+f.path, err)
	}
	_, err = io.Copy(w, io.NewSectionReader(file, 0, f.Size))
	return errors.Join(err, file.Close())
}

// State calls fn for every key and value of the state, in order, until it fails; fn may keep the slices.
func (c *Copy) State(fn func(key, value []byte) error) error {
	var failed error
	err := ascend(c.past.snap, nil, nil, c.past.height, func(key, value []byte) bool {
		failed = fn(key, value)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return explain("reading the state", err)
}

// Close lets the store go.
func (c *Copy) Close() error {
	c.done()
	return c.past.Close()
}

// Import makes next's changes, up to the first error (io.EOF ends them), the state of a height, in a state that has none
// yet. The blocks up to height must be there, or a Base of that height. A crash before it returns leaves no state.
func (s *State) Import(height int64, next func() ([]state.Change, error)) error {
	if s.LastHeight() >= 0 || height < 1 || height > s.synced() {
		return fmt.Errorf("store: a state of block %d cannot be put here: the last state is of block %d, the last block is %d",
			height, s.LastHeight(), s.synced())
	}
	if err := s.db.DeleteRange([]byte{stateSpace}, []byte{stateSpace + 1}, pebble.NoSync); err != nil {
		return explain("writing the state", err)
	}
	for {
		changes, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := s.importChanges(height, changes); err != nil {
			return explain("writing the state", err)
		}
	}
	return s.adopt(height)
}

func (s *State) importChanges(height int64, changes []state.Change) error {
	batch := s.db.NewBatch()
	defer func() { _ = batch.Close() }() // frees memory only
	var key, value []byte
	for _, c := range changes {
		key = appendVersion(appendKey(key[:0], bytes.Clone(c.Key)), height)
		value = appendValue(value[:0], c.Value)
		if err := batch.Set(key, value, nil); err != nil {
			return err
		}
	}
	return batch.Commit(pebble.NoSync)
}

// adopt makes what was written the state of a height: no earlier one is known.
func (s *State) adopt(height int64) error {
	for _, name := range []string{metaFloor, metaPruned, metaFlushed} { // the last one counts
		if err := s.setMetaHeight(name, height); err != nil {
			return explain("writing the state", err)
		}
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil {
		return explain("writing the state", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.flushed, s.floor, s.pruned = height, height, height, height
	s.moved.Broadcast()
	return nil
}

// Sync returns a height up to which the state is on the disk, so that no crash sets it back below; -1 if there is none.
func (s *State) Sync() (int64, error) {
	height := s.FlushedHeight()
	if err := s.health.check(); err != nil {
		return -1, err
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil {
		return -1, s.health.fail(explain("syncing the state", err))
	}
	return height, nil
}
