package index

import (
	"context"
	"sort"
	"time"
)

const (
	// eraseEvery is how often an index that does not keep what devices signed for ever looks for what is too old, at least.
	eraseEvery = time.Minute
	// eraseMost bounds how many readings lose their raw bytes in one database transaction.
	eraseMost = 10_000
)

// KeepReadings sets for how long after they were anchored the raw bytes of readings are kept; 0 is for ever. The rest of a
// reading's row stays. Call it before Follow.
func (x *Index) KeepReadings(d time.Duration) { x.keep = d }

// Missing is how many readings are not listed because their transactions had been erased before they were indexed, and until when those were
// anchored, in unix milliseconds.
func (x *Index) Missing() (readings, until int64) { return x.gone.Load(), x.goneUntil.Load() }

// erase removes raw bytes that are too old at a time and says of how many readings, and whether more are left.
func (x *Index) erase(ctx context.Context, now time.Time) (n int64, more bool, err error) {
	if x.keep <= 0 {
		return 0, false, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	to, err := x.anchoredBefore(ctx, now.Add(-x.keep).UnixMilli())
	if err != nil || to <= x.cursor.erased {
		return 0, false, err
	}
	c := &changes{cursor: x.cursor, known: &x.known}
	c.eraseTo = min(to, c.cursor.erased+eraseMost)
	n, more, c.cursor.erased = c.eraseTo-c.cursor.erased, c.eraseTo < to, c.eraseTo
	return n, more, x.apply(ctx, c)
}

// anchoredBefore is how many readings, from the first on, were anchored before a time. They are numbered as they were
// anchored, so halving finds it.
func (x *Index) anchoredBefore(ctx context.Context, ms int64) (int64, error) {
	first := x.cursor.erased
	var failed error
	n := sort.Search(int(x.cursor.readings-first), func(i int) bool {
		if failed != nil {
			return true
		}
		times, err := column[int64](ctx, x, sqlAnchoredAt, first+int64(i)+1)
		failed = err
		return err != nil || len(times) == 0 || times[0] >= ms
	})
	return first + int64(n), failed
}

// tidier erases what is too old now and then.
type tidier struct {
	x    *Index
	last time.Time
	// scrub: what was erased may still be in the database's files.
	scrub bool
}

// every is how often it is looked for what is too old.
func (t *tidier) every() time.Duration { return min(eraseEvery, max(t.x.keep/16, time.Second)) }

// tidy erases all that is too old, in bounded steps, if the last time was long enough ago.
func (t *tidier) tidy(ctx context.Context) error {
	if t.x.keep <= 0 || time.Since(t.last) < t.every() {
		return nil
	}
	t.scrub = t.scrub || t.last.IsZero() // a crash may have come between erasing and scrubbing
	for more := true; more && ctx.Err() == nil; {
		var n int64
		var err error
		if n, more, err = t.x.erase(ctx, time.Now()); err != nil {
			return &databaseError{err}
		}
		t.scrub = t.scrub || n > 0
	}
	if t.scrub {
		done, err := t.x.db.scrub(ctx)
		if err != nil {
			return &databaseError{err}
		}
		t.scrub = !done
	}
	t.last = time.Now()
	return nil
}

// due tells when to look again: never if all is kept.
func (t *tidier) due() <-chan time.Time {
	if t.x.keep <= 0 {
		return nil
	}
	return time.After(t.every())
}
