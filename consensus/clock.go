package consensus

import (
	"log/slog"
	"sync"
	"time"

	"github.com/dureledger/dure/ledger/fault"
)

const (
	// clockTolerance is how far this node's clock may be from the others' before it says so. Transactions are valid for
	// minutes, so less does no harm; and less may be the time it took to execute a block.
	clockTolerance = 10 * time.Second
	// clockEvidence is how many blocks in a row must show it: one alone may come late for other reasons.
	clockEvidence = 3
	// clockMemory is for how long clients are sent elsewhere after the last such block. It ends, so that a node that was
	// mistaken does not wait for ever for the blocks that would show it.
	clockMemory = time.Minute
)

// clockWatch compares this node's clock with the other members'. The time of a block is the median of what the members'
// clocks said when they voted for the block before, just before each of them committed it: so it should be close to
// what this node's clock said at that commit, however long ago that was.
type clockWatch struct {
	log *slog.Logger
	now func() time.Time

	mu        sync.Mutex
	committed time.Time // by this node's clock
	streak    int
	ahead     time.Duration // of the last block of the streak; negative: behind
	seen      time.Time     // when that was, for durations only
	wrong     bool          // said in the log
}

// block notes the commit of a block. live is false while blocks come long after they were decided: replayed, fetched, or from peers that are further.
func (w *clockWatch) block(blockTime time.Time, live bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.committed
	if w.committed = w.now(); !live {
		w.committed = time.Time{}
	}
	if before.IsZero() || !live {
		return
	}
	ahead := before.Sub(blockTime)
	if ahead.Abs() <= clockTolerance {
		if w.streak = 0; w.wrong {
			w.wrong = false
			w.log.Info("this node's clock agrees with the other members' again")
		}
		return
	}
	w.streak++
	w.ahead, w.seen = ahead, time.Now()
	if w.streak >= clockEvidence && !w.wrong {
		w.wrong = true
		w.log.Error("this node's clock differs from the other members', or it runs that late; it sends clients to other nodes until that is over (set the clock by NTP)",
			"off_by", ahead.Round(time.Millisecond), "ahead", ahead > 0)
	}
}

// refusal is why clients should ask another node, or nil.
func (w *clockWatch) refusal() *fault.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.wrong || time.Since(w.seen) > clockMemory {
		return nil
	}
	return fault.New("node.wrong_clock", "this node's clock differs from the other members', so it cannot tell which transactions are in time; ask another",
		"off_by", w.ahead.Round(time.Second))
}
