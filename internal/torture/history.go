package torture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sync"
	"time"
)

// What clients do.
const (
	opTransfer = "transfer" // between the accounts of a group
	opRead     = "read"     // a marker transaction, then a group's balances at its height
	opClaim    = "claim"    // a transaction with a once key that others want too
	opBulk     = "bulk"     // one of many transfers
	opGlance   = "glance"   // a balance as one member has it, which may be old
)

// What became of it.
const (
	// isOK and isFailed have an outcome in the history.
	isOK     = "ok"
	isFailed = "failed"
	// isRefused is a definite no: nothing of it may ever be in the history.
	isRefused = "refused"
	// isUndecided is what the client could not learn. The audit decides it.
	isUndecided = "undecided"
	// isNever is undecided before and shown never to have happened.
	isNever = "never"
)

// forever is the return of an operation whose client never learnt its outcome.
const forever = math.MaxInt64

// call is one operation of a client.
type call struct {
	Op      string `json:"op"`
	Client  int    `json:"client"`
	Group   int    `json:"group"`
	ID      string `json:"id,omitempty"`
	From    int    `json:"from,omitempty"` // accounts by their place in the cast
	To      int    `json:"to,omitempty"`
	Amount  uint64 `json:"amount,omitempty"`
	Key     string `json:"key,omitempty"` // the once key of a claim
	Member  int    `json:"member"`        // the only member asked; -1: any
	Account int    `json:"account,omitempty"`
	// Invoked and Returned are nanoseconds since the run began.
	Invoked  int64  `json:"invoked"`
	Returned int64  `json:"returned"`
	Verdict  string `json:"verdict"`
	Code     string `json:"code,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Height   int64  `json:"height,omitempty"`
	Seq      uint64 `json:"seq,omitempty"`
	// Winner is the transaction that has the once key.
	Winner   string   `json:"winner,omitempty"`
	Balances []uint64 `json:"balances,omitempty"`

	raw      []byte
	notAfter time.Time
}

// inHistory says whether the transaction must be in the history, as far as the client knows.
func (c *call) inHistory() bool { return c.ID != "" && (c.Verdict == isOK || c.Verdict == isFailed) }

// history collects what the clients of a round did.
type history struct {
	began time.Time

	mu    sync.Mutex
	calls []*call
}

func (h *history) now() int64 { return int64(time.Since(h.began)) }

func (h *history) add(calls ...*call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, calls...)
}

// count is how many calls satisfy the condition so far.
func (h *history) count(of func(*call) bool) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := 0
	for _, c := range h.calls {
		if of(c) {
			k++
		}
	}
	return k
}

// write keeps the history as JSON lines.
func (h *history) write(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("torture: %w", err)
	}
	defer f.Close() // closed below when all went well
	w := bufio.NewWriter(f)
	out := json.NewEncoder(w)
	for _, c := range h.calls {
		if err := out.Encode(c); err != nil {
			return fmt.Errorf("torture: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("torture: %w", err)
	}
	return f.Close()
}
