package node

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/consensus"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/modules/network"
)

// lookupTimeout bounds one look-up in the index on behalf of the pool.
const lookupTimeout = 2 * time.Second

func lookupContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), lookupTimeout)
}

// restore rebuilds the ledger as of the last block whose state is flushed, and lists the batches that may not be
// decided again. Consensus replays the blocks after it.
func restore(s *storage, rules exec.Rules) (*exec.Ledger, []consensus.BatchRef, error) {
	height := s.State().FlushedHeight()
	if height < 1 {
		return exec.New(rules), nil, nil
	}
	block, err := s.BlockAt(height)
	if err != nil {
		return nil, nil, err
	}
	tree, err := loadTree(s)
	if err != nil {
		return nil, nil, err
	}
	if tree.Root() != block.StateRoot {
		return nil, nil, fmt.Errorf("the stored state of block %d does not have the root that the block says: move data/ledger/state away and start again, and "+
			"the node makes it anew from its blocks; docs/damage.md says more", height)
	}
	hashes, err := s.History().Frontier(block.HistorySize)
	if err != nil {
		return nil, nil, err
	}
	frontier := make([][]byte, len(hashes))
	for i := range hashes {
		frontier[i] = hashes[i][:]
	}
	window, decided, err := loadWindow(s, height, block.Time)
	if err != nil {
		return nil, nil, err
	}
	l, err := exec.Restore(rules, height, block.Time, tree, block.HistorySize, frontier, window)
	return l, decided, err
}

func loadTree(s *storage) (*state.Tree, error) {
	var all []state.Change
	err := s.State().Load(func(key, value []byte) {
		all = append(all, state.Change{Key: append([]byte(nil), key...), Value: append([]byte{}, value...)})
	})
	if err != nil {
		return nil, err
	}
	return state.NewTree().Apply(all), nil
}

// windowReach is how many milliseconds before a block the blocks lie that could still be replayed after it, at most.
const windowReach = max(network.MaxWindowMs, consensus.MaxBatchLifeMS)

// loadWindow collects from the blocks up to height what could still be replayed at time. It goes back as far as any
// window may reach, not as the one in force does: that may have been longer when a transaction was applied.
func loadWindow(s *storage, height, time int64) (*exec.Window, []consensus.BatchRef, error) {
	window, decided := exec.NewWindow(), []consensus.BatchRef(nil)
	from, err := s.HeightSince(time - windowReach)
	if err != nil {
		return nil, nil, err
	}
	err = s.Replay(from, func(b *store.Block) error {
		if b.Height > height {
			return nil
		}
		for _, ref := range b.Batches {
			decided = append(decided, consensus.BatchRef{Hash: ref.Hash, ExpiresAt: ref.ExpiresAt})
		}
		for i, e := range b.Entries {
			if err := remember(window, b, i, e); err != nil {
				return fmt.Errorf("block %d, entry %d: %w", b.Height, i, err)
			}
		}
		return nil
	})
	window.Prune(time)
	return window, decided, err
}

func remember(window *exec.Window, b *store.Block, i int, e store.Entry) error {
	raw := e.Raw
	if e.Erased() {
		raw = e.Rest // that much stays
	}
	end, once, err := notAfter(raw)
	if err != nil || once {
		return err
	}
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(e.Outcome, o); err != nil {
		return err
	}
	window.Add([32]byte(o.GetId()), end, exec.Place{Height: b.Height, Position: o.GetPosition(), Seq: b.FirstSeq + uint64(i)})
	return nil
}
