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
	// chunk is how many transactions are read at once at most; a step takes several chunks when the index is behind. The first
	// is smaller, for one transaction may anchor hundreds of readings.
	chunk      = 1000
	firstChunk = 64
	// maxStep and maxStepBytes bound what is indexed in one database transaction, and with it the memory of a step.
	maxStep      = 10_000
	maxStepBytes = 16 << 20
	// maxRest bounds the pause between steps.
	maxRest = 2 * time.Second
	// While the ledger grows the pause is restShare times as long as the step took, and at least busyRest after a step of
	// busyStep transactions or more: larger steps cost less for each.
	restShare = 3
	busyStep  = 500
	busyRest  = 250 * time.Millisecond
)

// Follow indexes what the source has and will have, until ctx ends, which returns nil. While the ledger grows it rests
// between steps, so that committing never waits for more than a quarter of a core; it catches up without rest when
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
		advanced, size := src.Advanced(), src.Size()
		began := time.Now()
		n, err := x.step(ctx, src)
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
		if src.Size() > size {
			pause(ctx, rest(n, time.Since(began)))
		}
	}
	return nil
}

// rest is how long to pause after a step of n transactions.
func rest(n int, took time.Duration) time.Duration {
	pause := min(restShare*took, maxRest)
	if n >= busyStep {
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

// step indexes the next transactions in one database transaction and says how many there were.
func (x *Index) step(ctx context.Context, src Source) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := &changes{cursor: x.cursor, known: &x.known}
	n, err := c.collect(src)
	if err != nil {
		x.known.forget()
		return 0, err
	}
	if n == 0 {
		return 0, nil
	}
	if err := x.apply(ctx, c); err != nil {
		return 0, &databaseError{err}
	}
	return n, nil
}

// collect adds what the source has next to a step and says how many transactions those are.
func (c *changes) collect(src Source) (n int, err error) {
	for size, ask := 0, firstChunk; n < maxStep && size < maxStepBytes; ask = min(2*ask, chunk) {
		if c.cursor.seq >= src.Size() {
			break
		}
		entries, err := src.Entries(c.cursor.seq, ask)
		if err != nil {
			return 0, fmt.Errorf("index: reading the ledger from %d: %w", c.cursor.seq, err)
		}
		for _, e := range entries {
			if err := c.entry(e); err != nil {
				return 0, fmt.Errorf("index: %w", err)
			}
			size += len(e.Raw)
		}
		n += len(entries)
		if len(entries) < ask {
			break
		}
	}
	return n, nil
}

// quiet is nil for errors that only say that ctx ended.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // that ctx ended is what it is quiet about
	}
	return err
}
