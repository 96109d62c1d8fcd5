package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
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

// rewrite erases in one segment.
type rewrite struct {
	store *Store
	seg   *segment
	to    int64 // height of the last block in which something is erased
	leave func([]byte) ([]byte, bool)
	pace  pace

	file    File // the new one
	path    string
	buf     []byte // of the new file, not written yet
	written int64
	offsets []uint32
	done    Erased
}

// run says whether it came to an end: it did not if a copy is being made.
func (r *rewrite) run() (ended bool, err error) {
	needed, err := r.needed()
	if err != nil || !needed {
		return err == nil, err
	}
	if !r.store.copies.TryLock() {
		return false, nil
	}
	r.store.copies.Unlock()
	r.path = r.seg.path + newSuffix
	files := r.store.opts.FS
	if r.file, err = files.OpenFile(r.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC); err != nil {
		return false, explain("making "+r.path, err)
	}
	if err = r.write(); err == nil {
		if ended, err = r.replace(); ended {
			return true, err
		}
	}
	return false, errors.Join(err, r.file.Close(), files.Remove(r.path))
}

// each calls fn with every record of the segment and its block.
func (r *rewrite) each(fn func(record []byte, b *Block) error) error {
	for i := range r.seg.offsets {
		var record []byte
		var b *Block
		p := r.seg.place(i)
		err := r.store.blocks.record(p, MaxBlockBytes, func(buf []byte) (err error) {
			record = buf
			b, err = decodeAt(p, buf)
			return err
		})
		if err == nil {
			err = fn(record, b)
		}
		if err == nil {
			err = r.pace.worked(len(record))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errFound = errors.New("found")

// needed says whether there is anything to erase.
func (r *rewrite) needed() (bool, error) {
	err := r.each(func(_ []byte, b *Block) error {
		if _, erased, _ := r.without(b); erased > 0 {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// without is a block without what may be erased of it, the number of transactions left out and their bytes.
func (r *rewrite) without(b *Block) (out *Block, n int, size int64) {
	if b.Height > r.to {
		return b, 0, 0
	}
	out = &Block{}
	*out = *b
	out.Entries = slices.Clone(b.Entries)
	for i, e := range b.Entries {
		if e.Erased() {
			continue
		}
		if rest, erase := r.leave(e.Raw); erase {
			out.Entries[i].Raw, out.Entries[i].Rest = nil, rest
			n, size = n+1, size+int64(len(e.Raw)-len(rest))
		}
	}
	return out, n, size
}

// write writes the new file, of the same blocks, and returns when it is on the disk.
func (r *rewrite) write() error {
	r.buf = r.seg.encode()
	err := r.each(func(record []byte, b *Block) error {
		r.offsets = append(r.offsets, uint32(r.written+int64(len(r.buf))))
		kept, n, size := r.without(b)
		if n == 0 {
			r.buf = append(r.buf, record...)
		} else {
			r.buf = appendRecord(r.buf, r.seg.marker, kept)
		}
		r.done.Transactions, r.done.Bytes = r.done.Transactions+n, r.done.Bytes+size
		if len(r.buf) < paceBytes {
			return nil
		}
		return r.flush()
	})
	if err == nil {
		err = r.flush()
	}
	if err != nil {
		return err
	}
	return explain("syncing "+r.path, r.file.Sync())
}

func (r *rewrite) flush() error {
	if _, err := r.file.WriteAt(r.buf, r.written); err != nil {
		return explain("writing "+r.path, err)
	}
	r.written += int64(len(r.buf))
	r.buf = r.buf[:0]
	return nil
}

// replace puts the new file in the old one's place. Readers wait meanwhile; after it no reader and no cache has what was erased. When
// it fails nobody knows which file is there, so the store ends as after any write that failed.
func (r *rewrite) replace() (bool, error) {
	if !r.store.copies.TryLock() {
		return false, nil
	}
	defer r.store.copies.Unlock()
	s, l, files := r.seg, r.store.blocks, r.store.opts.FS
	s.fileMu.Lock()
	defer s.fileMu.Unlock()
	err := files.Rename(r.path, s.path)
	if err == nil {
		err = files.SyncDir(l.dir)
	}
	if err != nil {
		return true, r.store.health.fail(errors.Join(explain("replacing "+s.path, err), r.file.Close()))
	}
	l.mu.Lock()
	s.size, s.offsets = r.written, r.offsets
	l.mu.Unlock()
	old := r.file // what is not open stays so: openFiles counts what is
	if s.file != nil {
		old, s.file = s.file, r.file
	}
	l.cache.drop(s.firstHeight, s.firstHeight+int64(len(r.offsets))-1)
	r.done.Segments = 1
	r.store.erased.transactions.Add(int64(r.done.Transactions))
	r.store.erased.bytes.Add(r.done.Bytes)
	if err := old.Close(); err != nil {
		return true, fmt.Errorf("store: closing the file that %s replaced: %w", s.path, err)
	}
	return true, nil
}

// paceBytes is how much is read or written between rests.
const paceBytes = 1 << 20

// pace rests after each piece of work.
type pace struct {
	ctx   context.Context //nolint:containedctx // of one call of Erase
	began time.Time
	bytes int
	rest  func(ctx context.Context, worked time.Duration) error
}

func (p *pace) worked(n int) error {
	if p.bytes += n; p.bytes < paceBytes {
		return p.ctx.Err()
	}
	p.bytes = 0
	err := p.rest(p.ctx, time.Since(p.began))
	p.began = time.Now()
	return err
}

// maxRest bounds a rest, also when a clock jumps.
const maxRest = 5 * time.Second

// Rest waits three times as long as was worked, so that committing keeps most of a small machine, or until ctx ends.
func Rest(ctx context.Context, worked time.Duration) error {
	timer := time.NewTimer(max(0, min(3*worked, maxRest)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
