package index

import (
	"context"
	"log/slog"
	"time"
)

// databaseError is an error of the database, which may pass.
type databaseError struct{ error }

func (e *databaseError) Unwrap() error { return e.error }

const (
	// Tries are firstWait apart and then twice as long each time, up to maxWait.
	firstWait = 200 * time.Millisecond
	maxWait   = 15 * time.Second
	// Between two warnings of the same trouble is at least warnEvery.
	warnEvery = time.Minute
)

// trouble is how a database's failures are waited out and told.
type trouble struct {
	log    *slog.Logger
	since  time.Time // zero when all is well
	warned time.Time
	next   time.Duration
}

// wait says what is wrong, if it was not said just now, and waits before the next try. behind is how many committed
// transactions are not indexed.
func (t *trouble) wait(ctx context.Context, err error, behind uint64) {
	now := time.Now()
	if t.since.IsZero() {
		t.since, t.next = now, firstWait
	}
	if now.Sub(t.warned) >= warnEvery {
		t.warned = now
		t.log.Warn("the index cannot be written and falls behind; commits go on, and it is tried again", "error", err, "behind", behind)
	}
	pause(ctx, t.next)
	t.next = min(2*t.next, maxWait)
}

// over says that the database takes writes again.
func (t *trouble) over(seq uint64) {
	if t.since.IsZero() {
		return
	}
	t.log.Info("the index is written again", "after", time.Since(t.since).Round(time.Millisecond), "indexed", seq)
	*t = trouble{log: t.log}
}
