package store

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/dureledger/dure/ledger/fault"
)

// erasedMeta is the height up to which Erase has looked at every transaction.
const erasedMeta = "erased"

// newSuffix ends the name of a segment that is being written anew. It takes the old one's name when it is whole.
const newSuffix = ".new"

// erased counts since the store was opened.
type erased struct {
	transactions, bytes atomic.Int64
	rest                func(ctx context.Context, worked time.Duration) error // tests have another
}

// Erasure says what Erase may erase.
type Erasure struct {
	// Before is a time in unix milliseconds: only segments are touched whose last block is older.
	Before int64
	// Below is a height: only transactions in blocks below it are erased.
	Below int64
	// Rest says whether a transaction is to be erased, and what of it stays. It depends on its argument alone.
	Rest func(raw []byte) (rest []byte, erase bool)
}

// Erased is what a run of Erase did.
type Erased struct {
	Transactions int
	Bytes        int64 // of those transactions, without what stays of them
	Segments     int   // written anew
	Height       int64 // up to here all there is to erase is erased
}

// Erase writes segments anew in which of some transactions only a rest is left. Outcomes, positions and roots stay, so every
// proof can still be made. It rests three times as long as it works and goes on where an earlier run stopped or a crash ended it; while a Copy is
// open it leaves the files as they are, for a later run. The last segment is never touched: see Roll. An error before a
// file was replaced, such as that the disk is full, changes nothing.
func (s *Store) Erase(ctx context.Context, e Erasure) (done Erased, err error) {
	s.erasing.Lock()
	defer s.erasing.Unlock()
	if done.Height, err = s.erasedTo(); err != nil {
		return done, err
	}
	for _, seg := range s.blocks.sealed(done.Height) {
		if err := s.health.check(); err != nil {
			return done, err
		}
		last := seg.nextHeight() - 1
		h, err := s.blocks.header(last)
		if err != nil {
			return done, err
		}
		to := min(last, e.Below-1)
		if h.time >= e.Before || to <= done.Height {
			break
		}
		r := &rewrite{store: s, seg: seg, to: to, leave: e.Rest, pace: pace{ctx: ctx, began: time.Now(), rest: s.erased.rest}}
		replaced, err := r.run()
		if !replaced || err != nil {
			return done, err
		}
		done.add(r.done)
		if err := s.meta.set(erasedMeta, binary.BigEndian.AppendUint64(nil, uint64(to))); err != nil {
			return done, s.health.fail(err)
		}
		done.Height = to
	}
	return done, nil
}

func (d *Erased) add(of Erased) {
	d.Transactions += of.Transactions
	d.Bytes += of.Bytes
	d.Segments += of.Segments
}

// erasedTo is the height up to which nothing is left to erase. If that is not known any more, all is looked at again.
func (s *Store) erasedTo() (int64, error) {
	raw, err := s.meta.get(erasedMeta)
	if fault.Code(err) == CodeCorrupt || err == nil && raw != nil && len(raw) != 8 {
		s.opts.Logger.Warn("it is not known up to which block transactions were erased; looking at all again", "error", err)
		return 0, nil
	}
	if err != nil || raw == nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(raw)), nil
}

// sealed lists, from the first that has blocks after a height on, the segments to which nothing will be appended.
func (l *blockLog) sealed(after int64) (out []*segment) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i, s := range l.segments {
		if i < len(l.segments)-1 && s.nextHeight()-1 > after {
			out = append(out, s)
		}
	}
	return out
}

// Roll makes the next block the first of a new segment if the oldest block of the last one is older than a time, in unix
// milliseconds: Erase can then do its work though little is appended.
func (s *Store) Roll(before int64) error {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	if s.closed {
		return errClosed()
	}
	if err := s.health.check(); err != nil {
		return err
	}
	n := len(s.blocks.segments)
	if n == 0 || len(s.blocks.segments[n-1].offsets) == 0 {
		return nil
	}
	h, err := s.blocks.header(s.blocks.segments[n-1].firstHeight)
	if err != nil || h.time >= before {
		return err
	}
	if _, err := s.blocks.begin(); err != nil {
		return s.health.fail(err)
	}
	return nil
}
