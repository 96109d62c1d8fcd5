package store

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/cockroachdb/pebble"
)

// Prune gives up the states of heights before keepFrom (at most FlushedHeight), which At refuses from now on, and removes
// the versions that no later height needs in the background, a bounded step at a time. Calling it for every block is
// wasteful, for it looks at every key: once in thousands of blocks is right.
func (s *State) Prune(keepFrom int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	keepFrom = min(keepFrom, s.flushed)
	if keepFrom <= s.floor {
		return nil
	}
	s.floor = keepFrom
	s.moved.Broadcast()
	return nil
}

// PrunedHeight is the height before which no version is kept that later heights do not need: what the last finished
// pruning was asked for, -1 if there was none.
func (s *State) PrunedHeight() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pruned
}

func (s *State) setMetaHeight(name string, height int64) error {
	return s.db.Set(metaKey(name), binary.BigEndian.AppendUint64(nil, uint64(height)), pebble.NoSync)
}

func (s *State) pruneLoop() error {
	for {
		floor, done := s.nextPrune()
		if done {
			return nil
		}
		// The floor is in Pebble's log before any removal, so after a crash no height is read with versions missing.
		if err := s.setMetaHeight(metaFloor, floor); err != nil {
			return explain("pruning the state", err)
		}
		var cursor []byte
		for more := true; more; {
			began := time.Now()
			next, err := s.pruneStep(cursor, floor)
			if err != nil {
				return explain("pruning the state", err)
			}
			if cursor, more = next, next != nil; more && !s.pause(time.Since(began)) {
				return nil
			}
		}
		if err := s.setMetaHeight(metaPruned, floor); err != nil {
			return explain("pruning the state", err)
		}
		s.mu.Lock()
		s.pruned = floor
		s.moved.Broadcast()
		s.mu.Unlock()
	}
}

// nextPrune waits for something to prune.
func (s *State) nextPrune() (floor int64, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.pruned >= s.floor && s.usable() == nil {
		s.moved.Wait()
	}
	return s.floor, s.usable() != nil
}

// pause leaves the disk to others for as long as a step took. It returns false on closing.
func (s *State) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stop:
		return false
	}
}

// maxSingleDeletes is the number of old versions of a key above which one range deletion is cheaper.
const maxSingleDeletes = 32

// pruneStep looks at PruneKeys keys from cursor on and removes, of each, the versions that no height from floor on reads:
// all before the newest one at or before floor, and that one too if it is a deletion. All removals of a key are in one
// batch, so no older version shows through. It returns where the next step starts, nil at the end.
func (s *State) pruneStep(cursor []byte, floor int64) ([]byte, error) {
	if cursor == nil {
		cursor = []byte{stateSpace}
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: cursor, UpperBound: []byte{stateSpace + 1}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = it.Close() }() // repeats the error checked below
	batch := s.db.NewBatch()
	defer func() { _ = batch.Close() }() // frees memory only
	ok := it.First()
	for keys := 0; ok && keys < s.opts.PruneKeys; keys++ {
		prefix, _, good := splitVersion(it.Key())
		if !good {
			return nil, errStateKey
		}
		if ok, err = pruneKey(it, batch, bytes.Clone(prefix), floor); err != nil {
			return nil, err
		}
	}
	var next []byte
	if ok {
		next = bytes.Clone(it.Key())
	}
	if err := it.Error(); err != nil {
		return nil, err
	}
	return next, batch.Commit(pebble.NoSync)
}

// pruneKey handles the versions of one key, at whose newest it is, and moves it to the next key.
func pruneKey(it *pebble.Iterator, batch *pebble.Batch, prefix []byte, floor int64) (more bool, err error) {
	if _, newest, _ := splitVersion(it.Key()); newest > floor {
		if !it.SeekGE(appendVersion(bytes.Clone(prefix), floor)) {
			return false, nil
		}
		if !bytes.HasPrefix(it.Key(), prefix) {
			return true, nil
		}
	}
	if len(it.Value()) > 0 && !it.Next() { // a value is kept
		return false, nil
	}
	var first []byte
	for n := 0; bytes.HasPrefix(it.Key(), prefix); n++ {
		if n == 0 {
			first = bytes.Clone(it.Key())
		}
		if n == maxSingleDeletes {
			end := appendEnd(prefix)
			return it.SeekGE(end), batch.DeleteRange(first, end, nil)
		}
		if err := batch.Delete(it.Key(), nil); err != nil {
			return false, err
		}
		if !it.Next() {
			return false, nil
		}
	}
	return true, nil
}
