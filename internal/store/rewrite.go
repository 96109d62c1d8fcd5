package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

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
