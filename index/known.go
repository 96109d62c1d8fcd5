package index

import "github.com/dureledger/dure/ledger/tx"

// holding is an account and an asset it has had.
type holding struct {
	account tx.Address
	asset   string
}

// maxKnown bounds the holdings that are remembered, some 100 bytes each. Those forgotten cost a statement, no more.
const maxKnown = 100_000

// holdings are some of those that the database has or, once the step under way is written, will have.
type holdings struct{ seen map[holding]struct{} }

func (h *holdings) has(k holding) bool {
	_, ok := h.seen[k]
	return ok
}

func (h *holdings) put(k holding) {
	if h.seen == nil || len(h.seen) >= maxKnown {
		h.seen = map[holding]struct{}{}
	}
	h.seen[k] = struct{}{}
}

// forget is for when a step was not written.
func (h *holdings) forget() { h.seen = nil }
