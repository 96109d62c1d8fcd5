package exec

import (
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// History is the history log as far as its next outcome and its root need it. It is not safe for concurrent use.
type History struct{ r *compact.Range }

// NewHistory is the log of size outcomes; frontier as Restore takes it.
func NewHistory(size uint64, frontier [][]byte) (*History, error) {
	r, err := ranges.NewRange(0, size, frontier)
	if err != nil {
		return nil, fmt.Errorf("exec: history frontier: %w", err)
	}
	return &History{r}, nil
}

// Append adds the next outcome, serialised.
func (h *History) Append(leaf []byte) error {
	return h.r.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil) //nolint:wrapcheck // it cannot fail
}

// Root commits to every outcome and their number, as Ledger.HistoryRoot does.
func (h *History) Root() [32]byte { return historyRoot(h.r) }
