package store

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/dureledger/dure/ledger/fault"
)

func errClosed() error { return fault.New(CodeClosed, "The store is closed.") }

// block reads a height.
func (l *blockLog) block(height int64) (*Block, error) {
	p, err := l.find(height)
	if err != nil {
		return nil, err
	}
	return l.read(p)
}

// read returns the block at p. It is shared with other readers.
func (l *blockLog) read(p place) (*Block, error) {
	if b := l.cache.get(p.height); b != nil {
		return b, nil
	}
	var b *Block
	err := l.record(p, math.MaxInt64, func(buf []byte) (err error) {
		if b, err = decodeAt(p, buf); err == nil {
			l.cache.put(b, len(buf))
		}
		return err
	})
	return b, err
}

// record calls use with the first most bytes of the record at p. Until use returns nothing of it is erased, so what use puts in the cache is
// taken out of it again by whoever erases.
func (l *blockLog) record(p place, most int64, use func(buf []byte) error) error {
	return l.files.with(p.seg, func(f File) error {
		l.mu.RLock()
		from, to := p.seg.span(p.i)
		l.mu.RUnlock()
		buf := make([]byte, min(to-from, most))
		if _, err := f.ReadAt(buf, from); err != nil {
			return explain("reading "+p.seg.path, err)
		}
		if err := use(buf); err != nil {
			return corrupt(p.seg.path, from, err.Error())
		}
		return nil
	})
}

// decodeAt decodes the record at p.
func decodeAt(p place, buf []byte) (*Block, error) {
	b, err := decodeRecord(p.seg.marker, buf)
	if err == nil && b.Height != p.height {
		err = fmt.Errorf("block %d is where block %d should be", b.Height, p.height)
	}
	return b, err
}

// header reads only the header of a height's record.
func (l *blockLog) header(height int64) (recordHeader, error) {
	p, err := l.find(height)
	if err != nil {
		return recordHeader{}, err
	}
	var h recordHeader
	err = l.record(p, recordHeaderLen, func(buf []byte) (err error) {
		h, err = decodeRecordHeader(p.seg.marker, buf)
		return err
	})
	return h, err
}

// Committed is an entry and where it is.
type Committed struct {
	Entry
	Seq      uint64 // position in the history
	Height   int64
	Time     int64 // of the block, unix milliseconds
	Position int   // among the entries of its block
}

func (b *Block) committed(i int) Committed {
	return Committed{b.Entries[i], b.FirstSeq + uint64(i), b.Height, b.Time, i}
}

// BlockAt returns the block of a height. Its slices are shared: do not change them. The error has code block.unknown if
// the height is not held.
func (s *Store) BlockAt(height int64) (*Block, error) { return s.blocks.block(height) }

// Entry returns the outcome at position seq of the history. The error has code outcome.unknown if it is not held.
func (s *Store) Entry(seq uint64) (Committed, error) {
	p, err := s.blocks.findSeq(seq)
	if err != nil {
		return Committed{}, err
	}
	b, err := s.blocks.read(p)
	if err != nil {
		return Committed{}, err
	}
	return b.committed(int(seq - b.FirstSeq)), nil
}

// Entries returns the outcomes from position from on, at most limit; none at the end of the history.
func (s *Store) Entries(from uint64, limit int) ([]Committed, error) {
	var out []Committed
	_, end := s.blocks.bounds()
	for seq := from; seq < end && len(out) < limit; seq = from + uint64(len(out)) {
		p, err := s.blocks.findSeq(seq)
		if err != nil {
			return nil, err
		}
		b, err := s.blocks.read(p)
		if err != nil {
			return nil, err
		}
		for i := int(seq - b.FirstSeq); i < len(b.Entries) && len(out) < limit; i++ {
			out = append(out, b.committed(i))
		}
	}
	return out, nil
}

// EntriesOfHeight returns the outcomes of one block, in order.
func (s *Store) EntriesOfHeight(height int64) ([]Committed, error) {
	b, err := s.blocks.block(height)
	if err != nil {
		return nil, err
	}
	out := make([]Committed, len(b.Entries))
	for i := range out {
		out[i] = b.committed(i)
	}
	return out, nil
}

// Replay calls fn for every block from a height (or the first one held, if that is later) to the last one there is when
// Replay is called, and stops at fn's first error. The block's slices are shared: fn must not change them. Replaying
// everything checks every byte of the segments.
func (s *Store) Replay(from int64, fn func(*Block) error) error {
	last := s.LastHeight()
	for height := max(from, s.FirstHeight()); height <= last; height++ {
		b, err := s.blocks.block(height)
		if err != nil {
			return err
		}
		if err := fn(b); err != nil {
			return err
		}
	}
	return nil
}

// HeightSince returns the first height whose block time is at or after time (unix milliseconds), LastHeight()+1 if there
// is none. Block times never go back.
func (s *Store) HeightSince(time int64) (int64, error) {
	first, last := s.FirstHeight(), s.LastHeight()
	var failed error
	n := sort.Search(int(last-first+1), func(i int) bool {
		h, err := s.blocks.header(first + int64(i))
		if err != nil && failed == nil {
			failed = err
		}
		return h.time >= time
	})
	return first + int64(n), failed
}

// FirstHeight is the first height held, or to be held if there is no block yet.
func (s *Store) FirstHeight() int64 {
	s.blocks.mu.RLock()
	defer s.blocks.mu.RUnlock()
	return s.blocks.base.Height + 1
}

// FirstSeq is the position of the first outcome held, or to be held if there is none yet.
func (s *Store) FirstSeq() uint64 {
	s.blocks.mu.RLock()
	defer s.blocks.mu.RUnlock()
	return s.blocks.base.HistorySize
}

// LastHeight is the height of the last block, which is on the disk. Without any block it is the base's, usually 0.
func (s *Store) LastHeight() int64 {
	height, _ := s.blocks.bounds()
	return height
}

// SyncedHeight is the last height that no crash can take away. Blocks become visible only once they are synced, so it is
// LastHeight.
func (s *Store) SyncedHeight() int64 { return s.LastHeight() }

// Tip returns the last block without its entries and batches, false if there is none.
func (s *Store) Tip() (Block, bool) {
	s.blocks.mu.RLock()
	defer s.blocks.mu.RUnlock()
	return s.blocks.tip, s.blocks.hasTip
}

func (l *blockLog) bounds() (last int64, endSeq uint64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.last(), l.endSeq()
}

// blockCache keeps the blocks that were read last: after a commit many clients ask for outcomes of the same block, and who follows the history
// reads each in parts. So the one that was read last is kept, however large.
type blockCache struct {
	mu     sync.Mutex
	limit  int // bytes
	size   int
	blocks []cachedBlock // most recent first
}

type cachedBlock struct {
	*Block
	size int
}

func (c *blockCache) get(height int64) *Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, b := range c.blocks {
		if b.Height == height {
			copy(c.blocks[1:i+1], c.blocks[:i])
			c.blocks[0] = b
			return b.Block
		}
	}
	return nil
}

// drop forgets the blocks of a range of heights.
func (c *blockCache) drop(from, to int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = slices.DeleteFunc(c.blocks, func(b cachedBlock) bool {
		gone := from <= b.Height && b.Height <= to
		if gone {
			c.size -= b.size
		}
		return gone
	})
}

func (c *blockCache) put(b *Block, size int) {
	const maxBlocks = 16 // they are searched one by one
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = append([]cachedBlock{{b, size}}, c.blocks...)
	c.size += size
	for len(c.blocks) > 1 && (c.size > c.limit || len(c.blocks) > maxBlocks) {
		n := len(c.blocks) - 1
		c.size -= c.blocks[n].size
		c.blocks[n] = cachedBlock{}
		c.blocks = c.blocks[:n]
	}
}
