package index

import (
	"bytes"
	"context"
	"fmt"
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
	// maxStep bounds the transactions indexed in one database transaction, and with it the memory of a step.
	maxStep = 2000
	// maxRest bounds the pause between steps.
	maxRest = time.Second
)

// Follow indexes what the source has and will have, until ctx ends, which returns nil. Between steps it rests as long
// as the step took: the commit path never waits for more than half a core. Only one Follow may run at a time.
func (x *Index) Follow(ctx context.Context, src Source) error {
	if err := x.adopt(ctx, src); err != nil {
		return quiet(ctx, err)
	}
	for ctx.Err() == nil {
		advanced := src.Advanced()
		began := time.Now()
		n, err := x.step(ctx, src)
		if err != nil {
			return quiet(ctx, err)
		}
		if n == 0 {
			select {
			case <-ctx.Done():
			case <-advanced:
			}
			continue
		}
		rest := time.NewTimer(min(time.Since(began), maxRest))
		select {
		case <-ctx.Done():
		case <-rest.C:
		}
		rest.Stop()
	}
	return nil
}

// adopt makes sure that what is indexed is of this ledger's history: the last outcome indexed must be the same there.
// A ledger that was set back, or another one of the same genesis, is indexed from the beginning.
func (x *Index) adopt(ctx context.Context, src Source) error {
	seq := x.Seq()
	if seq == 0 {
		return nil
	}
	if seq > src.Size() {
		return x.Rebuild(ctx)
	}
	last, err := src.Entries(seq-1, 1)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	var id []byte
	if err := x.read.QueryRowContext(ctx, sqlIDAt, int64(seq-1)).Scan(&id); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	if len(last) == 0 || !bytes.Equal(last[0].Outcome.GetId(), id) {
		return x.Rebuild(ctx)
	}
	return nil
}

// step indexes the next transactions in one database transaction and says how many there were.
func (x *Index) step(ctx context.Context, src Source) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	seq := x.Seq()
	if seq >= src.Size() {
		return 0, nil
	}
	entries, err := src.Entries(seq, maxStep)
	if err != nil {
		return 0, fmt.Errorf("index: reading the ledger from %d: %w", seq, err)
	}
	if len(entries) == 0 {
		return 0, nil
	}
	b, err := x.begin(ctx)
	if err != nil {
		return 0, fmt.Errorf("index: %w", err)
	}
	defer b.rollback()
	for i, e := range entries {
		if e.Outcome.GetSeq() != seq+uint64(i) {
			return 0, fmt.Errorf("index: outcome %d is where %d should be", e.Outcome.GetSeq(), seq+uint64(i))
		}
		b.entry(e)
	}
	next, height := seq+uint64(len(entries)), entries[len(entries)-1].Outcome.GetHeight()
	if err := b.commit(next, height); err != nil {
		return 0, fmt.Errorf("index: %w", err)
	}
	x.height.Store(height)
	x.seq.Store(next)
	return len(entries), nil
}

// quiet is nil for errors that only say that ctx ended.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // that ctx ended is what it is quiet about
	}
	return err
}
