package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/consensus"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/store"
)

// eraser takes what devices signed out of a node's files when the time for keeping it is over (readings.keep): out of the
// segments, of consensus's block store and log, and of snapshots. The index erases its own copy, and retainer lets the blocks go.
type eraser struct {
	keep      time.Duration
	store     *storage
	snaps     *snapshots
	snapshots bool // whether any are made
	engine    *consensus.Engine
	log       *slog.Logger

	base      int64     // of consensus's blocks when its files were compacted last
	compacted time.Time // when that was
	warned    time.Time // when it was said that something is kept for longer
}

// withoutReadings is what stays of a stored transaction that anchors readings: its body without what devices signed and with which keys. So nobody can
// check its signatures any more, and those go too. Transactions without readings stay as they are.
func withoutReadings(raw []byte) (rest []byte, erase bool) {
	t, body := &txv1.Transaction{}, &txv1.Body{}
	if proto.Unmarshal(raw, t) != nil || t.GetNative() == nil || proto.Unmarshal(t.GetNative().GetBody(), body) != nil {
		return nil, false
	}
	for _, a := range body.GetActions() {
		anchor := a.GetStreamAnchor()
		if erase = erase || anchor != nil; anchor == nil {
			continue
		}
		for i, s := range anchor.GetSources() {
			anchor.Sources[i] = &streamv1.Source{Device: s.GetDevice()}
		}
	}
	if !erase {
		return nil, false
	}
	content, err := proto.Marshal(body)
	if err == nil {
		rest, err = proto.Marshal(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: &txv1.Native{Body: content}}})
	}
	return rest, err == nil
}

// startErasing looks for what is too old until Stop, if anything is to be erased at all.
func (n *Node) startErasing(l *ledger) {
	if n.config.ReadingsKeep == 0 {
		return
	}
	if n.config.SnapshotInterval == 0 {
		n.log.Warn("blocks go when readings.keep is over, and this node makes no snapshots (snapshot.interval is 0): " +
			"new nodes, and those that were away for longer, must find another member's snapshot to begin with")
	}
	e := &eraser{
		keep: n.config.ReadingsKeep, store: n.storage, snaps: n.snaps, snapshots: n.config.SnapshotInterval > 0, engine: l.engine, log: n.log,
		compacted: time.Now(),
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.stopErasing, n.erasing = cancel, make(chan struct{})
	go func() {
		defer close(n.erasing)
		e.run(ctx)
	}()
}

func (e *eraser) run(ctx context.Context) {
	tick := time.NewTicker(e.period())
	defer tick.Stop()
	for {
		if e.engine.Refuses() == nil { // catching up has no hurry, and a wrong clock erases what is not old
			if err := e.once(ctx, time.Now()); err != nil && ctx.Err() == nil {
				e.log.Warn("old readings could not be erased; trying again later", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// period is how often it looks.
func (e *eraser) period() time.Duration { return min(max(e.keep/16, time.Second), time.Hour) }

// span is the time that a segment covers at most, so that blocks are erased together when they have all become too old.
func (e *eraser) span() time.Duration { return max(e.keep/16, min(e.keep, time.Hour)) }

// once erases all that is too old at a time.
func (e *eraser) once(ctx context.Context, now time.Time) error {
	before := now.Add(-e.keep)
	return errors.Join(e.segments(ctx, now, before), e.snaps.dropOlder(before), e.consensus(ctx, now, before))
}

func (e *eraser) segments(ctx context.Context, now, before time.Time) error {
	if err := e.store.Roll(now.Add(-e.span()).UnixMilli()); err != nil {
		return err
	}
	below, err := e.below()
	if err != nil {
		return err
	}
	done, err := e.store.Erase(ctx, store.Erasure{Before: before.UnixMilli(), Below: below, Rest: withoutReadings})
	if done.Transactions > 0 {
		e.log.Info("old readings erased from the blocks", "transactions", done.Transactions, "bytes", done.Bytes, "segments", done.Segments,
			"up_to_height", done.Height, "anchored_before", before.UTC().Format(time.RFC3339))
	}
	return err
}

// below is the height from which on transactions are needed whole: by this node's next snapshots, which all members make alike.
func (e *eraser) below() (int64, error) {
	height := e.store.State().FlushedHeight()
	if height < 1 {
		return 0, nil
	}
	if !e.snapshots {
		return height + 1, nil
	}
	tip := e.snaps.making.Load()
	if tip == nil {
		block, err := e.store.BlockAt(height)
		if err != nil {
			return 0, err
		}
		tip = &consensus.Tip{Height: height, Time: block.Time}
	}
	base, _, err := e.snaps.base(tip)
	return base + 1, err
}

// consensus removes from CometBFT's files what it does not need any more, and says so when it needs for longer what is too old.
func (e *eraser) consensus(ctx context.Context, now, before time.Time) error {
	if err := e.engine.TrimLog(before); err != nil {
		return err
	}
	base, at := e.engine.Oldest()
	if !at.IsZero() && at.Before(before.Add(-2*e.span())) && now.Sub(e.warned) > 24*time.Hour {
		e.warned = now
		e.log.Warn("consensus keeps blocks with readings that are older than readings.keep: the newest ten, and those since the oldest snapshot. "+
			"They go as new blocks and snapshots come; a smaller snapshot.interval at all members makes that sooner",
			"oldest_block", base, "of", at.UTC().Format(time.RFC3339))
	}
	if base == e.base || now.Sub(e.compacted) < min(max(e.keep/8, 2*time.Second), 24*time.Hour) {
		return nil
	}
	if err := e.engine.Compact(ctx, store.Rest); err != nil {
		return err
	}
	e.base, e.compacted = base, now
	return nil
}

// dropOlder removes snapshots that were made before a time, but not the newest.
func (s *snapshots) dropOlder(before time.Time) error {
	if !s.mu.TryLock() {
		return nil // one is being made, and then the oldest goes anyway
	}
	defer s.mu.Unlock()
	heights, err := s.heights()
	for i := 1; i < len(heights); i++ {
		dir := filepath.Join(s.dir, strconv.FormatInt(heights[i], 10))
		info, statErr := os.Stat(dir)
		if statErr == nil && info.ModTime().Before(before) {
			statErr = os.RemoveAll(dir)
		}
		if err = errors.Join(err, statErr); err != nil {
			return fmt.Errorf("snapshots: %w", err)
		}
	}
	return err
}
