package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

var errStateKey = errors.New("store: a key of the state is malformed")

// Past is the state at one height. It is a state.Reader; it does not change while it is held, even if the height is
// pruned meanwhile. A disk that cannot be read makes Get and Ascend panic. Safe for concurrent use.
type Past struct {
	owner  *State
	snap   *pebble.Snapshot
	height int64
}

var _ state.Reader = (*Past)(nil)

// At opens the state as it was after the block of a height, and waits if that is put but not written yet. Close it soon:
// the store's Close waits for it. Errors have the codes state.pruned and state.future.
func (s *State) At(height int64) (*Past, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, errClosed()
	}
	if s.dead() {
		return nil, s.health.check()
	}
	if height > s.last {
		return nil, fault.New(CodeFuture, fmt.Sprintf("Block %d has not happened yet; the last is %d.", height, s.last), "height", height)
	}
	if err := s.waitFlushed(height); err != nil {
		return nil, err
	}
	if height < s.floor || height < 0 { // asked after waiting, for it may have been pruned meanwhile
		return nil, fault.New(CodePruned, fmt.Sprintf("The state of block %d is no longer held; the oldest is that of block %d.",
			height, max(0, s.floor)), "height", height)
	}
	s.readers.Add(1)
	return &Past{s, s.db.NewSnapshot(), height}, nil
}

// Height is the height that is read.
func (p *Past) Height() int64 { return p.height }

// Close must be called once.
func (p *Past) Close() error {
	defer p.owner.readers.Done()
	return p.snap.Close()
}

// Get returns the value of key and whether it is there.
func (p *Past) Get(key []byte) ([]byte, bool) {
	prefix := appendKey(nil, key)
	it, err := p.snap.NewIter(&pebble.IterOptions{
		LowerBound: appendVersion(bytes.Clone(prefix), p.height),
		UpperBound: appendEnd(bytes.Clone(prefix)),
	})
	if err != nil {
		panic(explain("reading the state", err))
	}
	defer func() { _ = it.Close() }() // repeats the error checked below
	if it.First() {
		if raw := it.Value(); len(raw) > 0 {
			return bytes.Clone(raw[1:]), true
		}
	}
	if err := it.Error(); err != nil {
		panic(explain("reading the state", err))
	}
	return nil, false
}

// Ascend calls fn for each key in [from, to), in order, until fn returns false; fn may keep the slices.
func (p *Past) Ascend(from, to []byte, fn func(key, value []byte) bool) {
	if err := ascend(p.snap, from, to, p.height, fn); err != nil {
		panic(explain("reading the state", err))
	}
}

// Load calls fn for every key and value as of FlushedHeight, in order; fn may keep the slices.
func (s *State) Load(fn func(key, value []byte)) error {
	height := s.FlushedHeight()
	if height < 0 {
		return nil
	}
	p, err := s.At(height)
	if err != nil {
		return err
	}
	err = ascend(p.snap, nil, nil, height, func(key, value []byte) bool {
		fn(key, value)
		return true
	})
	if cerr := p.Close(); err == nil {
		err = cerr
	}
	return explain("reading the state", damagedState(s.dir, err))
}

func ascend(r pebble.Reader, from, to []byte, height int64, fn func(key, value []byte) bool) error {
	options := &pebble.IterOptions{LowerBound: appendEscaped(nil, from), UpperBound: []byte{stateSpace + 1}}
	if to != nil {
		options.UpperBound = appendEscaped(nil, to)
	}
	it, err := r.NewIter(options)
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }() // repeats the error checked below
	var seek []byte
	for ok := it.First(); ok; {
		prefix, version, good := splitVersion(it.Key())
		if !good {
			return errStateKey
		}
		if version > height {
			seek = appendVersion(append(seek[:0], prefix...), height)
			ok = forward(it, seek)
			continue
		}
		if raw := it.Value(); len(raw) > 0 {
			key, good := unescape(prefix)
			if !good {
				return errStateKey
			}
			if !fn(key, bytes.Clone(raw[1:])) {
				return nil
			}
		}
		seek = appendEnd(append(seek[:0], prefix...))
		ok = forward(it, seek)
	}
	return it.Error()
}

// stepsPerSeek is how many steps cost as much as a seek, which looks into every table.
const stepsPerSeek = 100

// forward moves to the first key at or after one that lies ahead: by steps, as most keys have few versions, and when those are many by a seek.
func forward(it *pebble.Iterator, to []byte) bool {
	for range stepsPerSeek {
		if !it.Next() {
			return false
		}
		if bytes.Compare(it.Key(), to) >= 0 {
			return true
		}
	}
	return it.SeekGE(to)
}

// metaHeight reads a height, -1 if there is none.
func (s *State) metaHeight(name string) (int64, error) {
	raw, closer, err := s.db.Get(metaKey(name))
	if errors.Is(err, pebble.ErrNotFound) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = closer.Close() }() // frees memory only
	if len(raw) != 8 {
		return 0, errors.New("store: a height in the state is malformed")
	}
	return int64(binary.BigEndian.Uint64(raw)), nil
}
