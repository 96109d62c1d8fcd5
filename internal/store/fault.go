package store

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"syscall"

	"github.com/dureledger/dure/ledger/fault"
)

// Codes of the refusals that this package returns, for fault.Code.
const (
	CodeInUse          = "store.in_use"    // another process has the folder open
	CodeReadOnly       = "store.read_only" // the folder cannot be written
	CodeFull           = "store.full"      // no space left
	CodeCorrupt        = "store.corrupt"   // bytes on disk are not what was written
	CodeFork           = "store.fork"      // a second, different block at a height
	CodeFailed         = "store.failed"    // an earlier write failed; open the store again
	CodeClosed         = "store.closed"    // used after Close
	CodeOrder          = "store.order"     // a height or position that does not follow the last one
	CodeUnknownBlock   = "block.unknown"   // no block of this height is held
	CodeUnknownOutcome = "outcome.unknown" // no outcome of this position is held
	CodePruned         = "state.pruned"    // this height's state is no longer held
	CodeFuture         = "state.future"    // this height has not happened yet
)

// corrupt says which file is damaged and where, in bytes from its start.
func corrupt(file string, offset int64, what string) error {
	return fault.New(CodeCorrupt, fmt.Sprintf("The file %s is damaged at byte %d: %s. Restore the node's folder from a backup, or "+
		"let the node fetch its blocks from the other members again; docs/damage.md says how.", file, offset, what),
		"file", file, "offset", offset)
}

// explain adds what a person can do about a file system error.
func explain(doing string, err error) error {
	var known *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		f := fault.New(CodeFull, "The disk is full: "+doing+" failed. Free some space and start again.")
		return fmt.Errorf("%w: %w", f, err)
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		f := fault.New(CodeReadOnly, "The folder cannot be written: "+doing+" failed. Check its owner and permissions.")
		return fmt.Errorf("%w: %w", f, err)
	}
	return fmt.Errorf("store: %s: %w", doing, err)
}

// health remembers the first failure after which nothing may be written.
type health struct {
	mu     sync.Mutex
	err    error
	onFail func() // wakes those who wait for progress
}

// fail makes err the reason to refuse later writes, unless there is one already, and returns err.
func (h *health) fail(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
		if h.onFail != nil {
			go h.onFail() // the caller may hold a lock that the woken need
		}
	}
	return err
}

// wake has fn run after a failure.
func (h *health) wake(fn func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.onFail = fn
}

// check returns nil while the store may be written.
func (h *health) check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		return nil
	}
	why := h.err.Error()
	if first := (*fault.Error)(nil); errors.As(h.err, &first) {
		why = first.Message
	}
	f := fault.New(CodeFailed, "The store refuses to write because an earlier write failed. Repair the cause and start the node again: "+why)
	return fmt.Errorf("%w: %w", f, h.err)
}
