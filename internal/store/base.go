package store

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Base is what comes before the first block that a store holds. The zero value is the start of a ledger whose first
// block is 1; a node that starts from a snapshot, or a ledger that starts at a later height, has another.
type Base struct {
	Height      int64      // of the block before the first one held
	HistorySize uint64     // outcomes up to and including Height
	Frontier    [][32]byte // of the history tree of that size, as History.Frontier gives it
}

const baseMeta = "base"

func (b Base) encode() []byte {
	buf := binary.BigEndian.AppendUint64(nil, uint64(b.Height))
	buf = binary.BigEndian.AppendUint64(buf, b.HistorySize)
	for _, hash := range b.Frontier {
		buf = append(buf, hash[:]...)
	}
	return buf
}

func decodeBase(buf []byte) (b Base, err error) {
	if len(buf) < 16 || len(buf)%32 != 16 {
		return b, errors.New("store: the base is malformed")
	}
	b.Height = int64(binary.BigEndian.Uint64(buf))
	b.HistorySize = binary.BigEndian.Uint64(buf[8:])
	for rest := buf[16:]; len(rest) > 0; rest = rest[32:] {
		b.Frontier = append(b.Frontier, [32]byte(rest))
	}
	return b, b.check()
}

func (b Base) check() error {
	if b.Height < 0 || len(b.Frontier) != bits.OnesCount64(b.HistorySize) {
		return errors.New("store: the base's height or frontier is wrong")
	}
	return nil
}

// Begin sets what comes before the first block, durably. The store must be empty and not yet in use by another goroutine.
func (s *Store) Begin(b Base) error {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	if err := s.health.check(); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	if len(s.blocks.segments) > 0 || s.state.FlushedHeight() >= 0 {
		return errors.New("store: a base can only be set in an empty store")
	}
	if err := s.meta.set(baseMeta, b.encode()); err != nil {
		return s.health.fail(err)
	}
	s.blocks.mu.Lock()
	s.blocks.base = b
	s.blocks.mu.Unlock()
	s.history.base = b
	if err := s.history.restart(); err != nil {
		return s.health.fail(err)
	}
	return nil
}
