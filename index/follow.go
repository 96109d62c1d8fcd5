package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Source is the ledger as the index follows it.
type Source interface {
	// Entries returns committed transactions in order from seq on, at most max; fewer or none at the end.
	Entries(fromSeq uint64, max int) ([]Entry, error)
	// Size is the number of outcomes committed.
	Size() uint64
	// Advanced returns a channel that is closed at the next commit.
	Advanced() <-chan struct{}
}

const (
	// chunk is how many transactions are read at once at most; a part takes several chunks when the index is behind. The first
	// is smaller, for one transaction may anchor hundreds of readings.
	chunk      = 1000
	firstChunk = 64
	// maxPart and maxPartBytes bound what is collected before it is written, and with it the memory of a step.
	maxPart      = 10_000
	maxPartBytes = 16 << 20
	// maxStep bounds what is indexed in one database transaction. The more there is, the more of an account's neighbours in the tables are
	// written with it, and the later lists show it.
	maxStep = 50_000
	// maxRest bounds the pause after a part.
	maxRest = 2 * time.Second
	// While the ledger grows the pause is restShare times as long as the work before it took, and at least busyRest after a part of
	// busyPart transactions or more: larger ones cost less for each.
	restShare = 3
	busyPart  = 500
	busyRest  = 250 * time.Millisecond
)

// Follow indexes what the source has and will have, until ctx ends, which returns nil. While the ledger grows it rests
// between parts, so that committing never waits for more than a quarter of a core; it catches up without rest when
// nothing new comes. When the database fails the index falls behind, says so in log, and tries again; an error is
// returned only when the source fails. Only one Follow may run at a time.
func (x *Index) Follow(ctx context.Context, src Source, log *slog.Logger) error {
	t := trouble{log: log}
	for {
		err := x.follow(ctx, src, &t)
		var broken *databaseError
		if ctx.Err() != nil || !errors.As(err, &broken) {
			return quiet(ctx, err)
		}
		t.wait(ctx, x.advised(broken.error), src.Size()-min(x.Seq(), src.Size()))
	}
}

// follow is Follow until the first error.
func (x *Index) follow(ctx context.Context, src Source, t *trouble) error {
	if err := x.adopt(ctx, src); err != nil {
		return err
	}
	if err := x.skip(ctx, src); err != nil {
		return err
	}
	old := tidier{x: x}
	for ctx.Err() == nil {
		advanced, began := src.Advanced(), time.Now()
		w := work{src: src}
		n, err := x.step(ctx, &w)
		if err != nil {
			return err
		}
		t.over(x.Seq())
		x.metrics.stepped(n, began)
		if err := old.tidy(ctx); err != nil {
			return err
		}
		if n == 0 {
			select {
			case <-ctx.Done():
			case <-advanced:
			case <-old.due():
			}
			continue
		}
		w.rest(ctx)
	}
	return nil
}

// work is what the index does between two rests.
type work struct {
	src   Source
	began time.Time
	size  uint64 // of the ledger when it began
	n     int    // transactions collected
	full  bool   // as many as a part may have
}

func (w *work) begin() { *w = work{src: w.src, began: time.Now(), size: w.src.Size()} }

// rest pauses after work, if the ledger has grown meanwhile.
func (w *work) rest(ctx context.Context) {
	if w.src.Size() > w.size {
		pause(ctx, rest(w.n, time.Since(w.began)))
	}
}

// rest is how long to pause after indexing n transactions.
func rest(n int, took time.Duration) time.Duration {
	pause := min(restShare*took, maxRest)
	if n >= busyPart {
		pause = max(pause, busyRest)
	}
	return pause
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// adopt claims the database and makes sure that what is indexed is of this ledger's history: the last outcome indexed
// must be the same there. A ledger that was set back, or another one of the same genesis, is indexed from the beginning.
func (x *Index) adopt(ctx context.Context, src Source) error {
	if err := x.load(ctx); err != nil {
		return &databaseError{err}
	}
	seq := x.Seq()
	if later, ok := src.(Later); seq == 0 || ok && seq <= later.First() {
		return nil
	}
	var last []Entry
	if seq <= src.Size() {
		var err error
		if last, err = src.Entries(seq-1, 1); err != nil {
			return fmt.Errorf("index: %w", err)
		}
	}
	id, err := column[[]byte](ctx, x, sqlIDAt, int64(seq-1))
	if err != nil {
		return &databaseError{err}
	}
	if len(last) > 0 && len(id) > 0 && bytes.Equal(last[0].Outcome.GetId(), id[0]) {
		return nil
	}
	if err := x.Rebuild(ctx); err != nil {
		return &databaseError{err}
	}
	return nil
}

// step indexes the next transactions in one database transaction and says how many there were. Between its parts it rests; w is the work since.
func (x *Index) step(ctx context.Context, w *work) (total int, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := &changes{cursor: x.cursor, known: &x.known}
	var broken error // the source
	collect := func() bool {
		w.begin()
		w.n, w.full, broken = c.collect(w.src)
		total += w.n
		return broken == nil && w.n > 0
	}
	if !collect() {
		if broken != nil {
			x.known.forget()
		}
		return 0, broken
	}
	err = x.write(ctx, c, func(yield func(*changes, error) bool) {
		for {
			if !yield(c, nil) {
				return
			}
			c.next()
			if !w.full || total >= maxStep {
				break
			}
			if w.rest(ctx); ctx.Err() != nil || !collect() {
				break
			}
		}
		if broken != nil {
			yield(nil, broken)
			return
		}
		c.finish(yield, func() {
			w.rest(ctx)
			w.begin()
		})
	})
	switch {
	case broken != nil:
		return 0, broken
	case err != nil:
		return 0, &databaseError{err}
	}
	return total, nil
}

// collect adds what the source has next to a part and says how many transactions those are, and whether there may be more.
func (c *changes) collect(src Source) (n int, full bool, err error) {
	for size, ask := 0, firstChunk; n < maxPart && size < maxPartBytes; ask = min(2*ask, chunk) {
		if c.cursor.seq >= src.Size() {
			return n, false, nil
		}
		entries, err := src.Entries(c.cursor.seq, ask)
		if err != nil {
			return 0, false, fmt.Errorf("index: reading the ledger from %d: %w", c.cursor.seq, err)
		}
		for _, e := range entries {
			if err := c.entry(e); err != nil {
				return 0, false, fmt.Errorf("index: %w", err)
			}
			size += len(e.Raw)
		}
		n += len(entries)
		if len(entries) < ask {
			return n, false, nil
		}
	}
	return n, true, nil
}

// quiet is nil for errors that only say that ctx ended.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // that ctx ended is what it is quiet about
	}
	return err
}
