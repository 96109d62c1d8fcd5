package node

import (
	"fmt"
	"time"

	"github.com/dureledger/dure/client/light"
)

// leastBlocks is the least that blocks.keep can be.
const leastBlocks = 10

// retainer says which of consensus's blocks may go. It is called after every block, by one goroutine.
type retainer struct {
	keep    int64         // blocks; 0: all
	age     time.Duration // of what readings may be kept; 0: any
	ledger  *ledger
	snaps   *snapshots
	durable int64 // height up to which the state is known to survive a crash
}

// below is the height below which blocks may go after the block of height, 0 for none. It never lets go of what a crash
// could make this node execute again, what a node that begins with a snapshot of this one fetches after it, and changes of
// validators that receipts need and that are not kept apart yet. CometBFT itself keeps the headers that evidence of
// misbehaviour refers to.
func (r *retainer) below(height int64) int64 {
	if r.keep == 0 && r.age == 0 || r.ledger.engine == nil || height%r.every() != 0 {
		return 0
	}
	target, err := r.wanted(height, time.Now())
	if err != nil {
		r.ledger.log.Warn("old blocks are kept for now", "error", err)
		return 0
	}
	if heights, err := r.snaps.heights(); err != nil || len(heights) > 0 && heights[len(heights)-1] < target {
		if err != nil {
			return 0
		}
		target = heights[len(heights)-1]
	}
	if target <= 1 {
		return 0
	}
	if err := r.secure(height, target); err != nil {
		r.ledger.log.Warn("old blocks are kept for now", "error", err)
		return 0
	}
	return min(target, r.durable)
}

// every is how many blocks pass between two looks.
func (r *retainer) every() int64 {
	if r.keep == 0 || r.age > 0 {
		return leastBlocks
	}
	return min(100, max(1, r.keep/10))
}

// wanted is the height below which blocks are not wanted any more: there are enough after it, or they hold readings that are too old.
func (r *retainer) wanted(height int64, now time.Time) (target int64, err error) {
	if r.keep > 0 {
		target = height - r.keep
	}
	if r.age > 0 {
		young, err := r.ledger.store.HeightSince(now.Add(-r.age).UnixMilli())
		if err != nil {
			return 0, err
		}
		target = max(target, young)
	}
	return min(target, height-leastBlocks), nil
}

// secure makes blocks below target dispensable.
func (r *retainer) secure(height, target int64) (err error) {
	if r.durable < target {
		if r.durable, err = r.ledger.store.State().Sync(); err != nil {
			return err
		}
	}
	s := r.ledger.store
	from := int64(1)
	s.mu.Lock()
	if s.trail != nil {
		from = s.trail.Height
	}
	s.mu.Unlock()
	changes, err := s.ChangeHeights(from, target+1)
	if err != nil || len(changes) == 0 {
		return err
	}
	block, err := s.BlockAt(height - 1)
	if err != nil {
		return err
	}
	root, err := s.History().Root(block.HistorySize)
	if err != nil {
		return err
	}
	file, err := light.BuildCheckpoint(source{r.ledger.engine, s}, 0, height, block.HistorySize, root, block.StateRoot)
	if err != nil {
		return fmt.Errorf("keeping changes of validators apart: %w", err)
	}
	return s.keepTrail(file)
}
