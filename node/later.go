package node

import (
	"fmt"
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

// First implements index.Later.
func (l *ledger) First() uint64 { return l.store.FirstSeq() }

// Seed implements index.Later.
func (l *ledger) Seed() (state.Reader, int64, error) {
	first, err := l.store.BlockAt(l.store.FirstHeight())
	if err != nil {
		return nil, 0, err
	}
	tree, _ := l.engine.State()
	return tree, first.Time, nil
}

// pruned is said instead of "unknown" by a node that does not have the ledger's first outcomes: nil if this one does.
func (l *ledger) pruned(id [32]byte) error {
	if l.store.FirstSeq() == 0 {
		return nil
	}
	first, err := l.store.BlockAt(l.store.FirstHeight())
	if err != nil {
		return err
	}
	since := time.UnixMilli(first.Time).UTC().Format(time.RFC3339)
	return fault.New("tx.pruned", fmt.Sprintf("No transaction with this id is held here, but this node began with a snapshot and has none from before block %d of %s. "+
		"If yours may be older, ask another member's node.", first.Height, since), "id", fmt.Sprintf("%x", id), "first_height", first.Height, "first_time", since)
}
