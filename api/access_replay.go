package api

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	// proofAge is how old a proof may be, proofAhead how far its clock may be before the node's.
	proofAge   = time.Minute
	proofAhead = 30 * time.Second
	// proofWindow is how long a proof could be sent again: so long at least it is remembered.
	proofWindow = proofAge + proofAhead

	// maxProofs bounds the proofs that are remembered at once, in all (some 30 MB) and of one account, so that one cannot
	// use up the room of the others: 700 requests a second.
	maxProofs        = 1 << 19
	maxAccountProofs = 1 << 16
)

// replays remembers which proofs were used: those of this window and of the one before.
type replays struct {
	mu        sync.Mutex
	began     time.Time
	now, last map[tx.Address]map[[16]byte]struct{}
	count     int // in now
	lastCount int
}

// first says whether an account uses this jti for the first time. Codes access.proof_replayed, and node.busy if there is no room
// to remember it.
func (r *replays) first(account tx.Address, id string, now time.Time) error {
	sum := sha256.Sum256([]byte(id))
	key := [16]byte(sum[:16])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(now)
	mine, before := r.now[account], r.last[account]
	_, a := mine[key]
	_, b := before[key]
	switch {
	case a || b:
		return fault.New("access.proof_replayed", "This DPoP proof was used before. Make a new one, with another jti, for each request.")
	case len(mine)+len(before) >= maxAccountProofs:
		return fault.New("node.busy", "This account has asked 65,536 times in the last minutes, and the node remembers no more proofs of it. Ask more slowly, or another member's node.")
	case r.count+r.lastCount >= maxProofs:
		return fault.New("node.busy", "The node remembers as many proofs as it can. Try again in a moment, or ask another member's node.")
	}
	if mine == nil {
		mine = map[[16]byte]struct{}{}
		r.now[account] = mine
	}
	mine[key] = struct{}{}
	r.count++
	return nil
}

// turn begins a new window when this one has been long enough.
func (r *replays) turn(now time.Time) {
	switch age := now.Sub(r.began); {
	case r.now != nil && age < proofWindow:
		return
	case r.now != nil && age < 2*proofWindow:
		r.last, r.lastCount = r.now, r.count
	default:
		r.last, r.lastCount = nil, 0
	}
	r.began, r.now, r.count = now, map[tx.Address]map[[16]byte]struct{}{}, 0
}
