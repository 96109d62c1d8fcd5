package consensus

import (
	"bytes"
	"errors"
	"slices"

	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/dureledger/dure/ledger/tx"
)

// errQuota says that a batch is good but its sealer has had its share of the block.
var errQuota = errors.New("batch: the sealer's share of the block is used up")

// line is what waits of one sealer, in the order in which it came.
type line struct {
	sealer  tx.Address
	batches []*batch
}

// lines are all batches that wait, a line for each sealer, in order of address. CometBFT's mempool offers a proposer only
// the oldest, which may all be of one sealer; whatever is on the shelf may be proposed.
func (s *shelf) lines() []line {
	s.mu.Lock()
	waiting := make([]shelved, 0, len(s.items))
	for _, item := range s.items {
		waiting = append(waiting, item)
	}
	s.mu.Unlock()
	slices.SortFunc(waiting, func(a, b shelved) int {
		if by := bytes.Compare(a.sealer[:], b.sealer[:]); by != 0 {
			return by
		}
		if by := a.since.Compare(b.since); by != 0 {
			return by
		}
		return bytes.Compare(a.hash[:], b.hash[:])
	})
	var out []line
	for _, item := range waiting {
		if n := len(out); n == 0 || out[n-1].sealer != item.sealer {
			out = append(out, line{sealer: item.sealer})
		}
		last := &out[len(out)-1]
		last.batches = append(last.batches, item.batch)
	}
	return out
}

// fill chooses the batches of a block of at most room bytes: one of each line in turn, so that nobody with much waiting
// holds up the others. Another line comes first in every block. A line whose next batch does not fit, or whose sealer has
// had its share, is left; what may not be in the block at all is passed over.
func fill(lines []line, rules *proposalRules, height, room int64) [][]byte {
	var out [][]byte
	if len(lines) > 0 {
		first := int(height % int64(len(lines)))
		lines = slices.Concat(lines[first:], lines[:first])
	}
	for len(lines) > 0 {
		rest := lines[:0]
		for _, l := range lines {
			b, left := l.next(rules, room)
			if b == nil {
				continue
			}
			out, room = append(out, b.raw), room-wireSize(b)
			rest = append(rest, left)
		}
		lines = rest
	}
	return out
}

// next counts the line's first good batch into the block and returns it with the rest of the line, or nil if the line has
// no more for this block.
func (l line) next(rules *proposalRules, room int64) (*batch, line) {
	for i, b := range l.batches {
		if wireSize(b) > room {
			return nil, l
		}
		err := rules.allow(b)
		if err == nil {
			return b, line{l.sealer, l.batches[i+1:]}
		}
		if errors.Is(err, errQuota) {
			return nil, l
		}
	}
	return nil, l
}

// wireSize is what a batch takes of a block, framing included.
func wireSize(b *batch) int64 { return cmttypes.ComputeProtoSizeForTxs([]cmttypes.Tx{b.raw}) }
