package consensus

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"syscall"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/syndtr/goleveldb/leveldb/journal"

	"github.com/dureledger/dure/ledger/fault"
)

// CodeDamaged is the code of the refusal to run on files of consensus that are not as they were written.
const CodeDamaged = "consensus.damaged"

// damaged says which files cannot be used and what a person can do.
func damaged(where string, why any) *fault.Error {
	return fault.New(CodeDamaged, fmt.Sprintf("What consensus keeps in %s is damaged or incomplete: %v. Restore the node's folder from a backup, or let the "+
		"node fetch its blocks from the other members again; docs/damage.md says how.", where, why), "folder", where)
}

// explain makes an error of a database that could not be opened readable for people.
func explain(where string, err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, syscall.ENOSPC) || strings.Contains(text, "no space left on device"): // not every layer wraps
		return fault.New("consensus.full", fmt.Sprintf("The disk is full: %s could not be written (%s). Free some space and start again.", where, text))
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("consensus: %s cannot be used: %w; check its owner and permissions", where, err)
	case errors.Is(err, syscall.EAGAIN), strings.Contains(text, "resource temporarily unavailable"):
		return fmt.Errorf("consensus: %s is in use by another process: %w", where, err)
	}
	return damaged(where, text)
}

// startError explains why CometBFT could not be made. Its handshake, which compares the heights that the databases and
// the ledger are at and executes what the ledger lacks, gives texts only.
func startError(where string, err error) error {
	var refusal *fault.Error
	if errors.As(err, &refusal) {
		return err
	}
	if text := err.Error(); strings.Contains(text, "handshake") && !strings.Contains(text, notSaved) {
		return explain(where, err)
	}
	return fmt.Errorf("consensus: %w", err)
}

// guarded turns what CometBFT panics with while it starts, most often because its databases do not fit together or cannot
// be read, into an error. Where it happened is in the log at level debug.
func guarded(where string, log *slog.Logger, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Debug("consensus could not start", "panic", p, "stack", string(debug.Stack()))
			err = explain(where, fmt.Errorf("%v", p))
		}
	}()
	return fn()
}

// checkedDB opens a database through open, after looking at its journals: goleveldb leaves out what it cannot read of
// them and says nothing. Reads that fail are logged, for CometBFT panics on them.
func checkedDB(open cmtcfg.DBProvider, log *slog.Logger) cmtcfg.DBProvider {
	return func(ctx *cmtcfg.DBContext) (dbm.DB, error) {
		dir := filepath.Join(ctx.Config.DBDir(), ctx.ID+".db")
		if err := checkJournals(dir, log); err != nil {
			return nil, err
		}
		db, err := open(ctx)
		if err != nil {
			return nil, explain(dir, err)
		}
		return &tellingDB{DB: db, tell: func(err error) {
			log.Error("a database of consensus cannot be read, so this node stops", "error", damaged(dir, err))
		}}, nil
	}
}

// tellingDB says what is wrong before CometBFT panics. Its reads are made by many goroutines, and the panic of most ends
// the process.
type tellingDB struct {
	dbm.DB
	tell func(error)
	once sync.Once
}

// Get implements dbm.DB.
func (d *tellingDB) Get(key []byte) ([]byte, error) {
	value, err := d.DB.Get(key)
	if err != nil {
		d.once.Do(func() { d.tell(err) })
	}
	return value, err
}

// Has implements dbm.DB.
func (d *tellingDB) Has(key []byte) (bool, error) {
	has, err := d.DB.Has(key)
	if err != nil {
		d.once.Do(func() { d.tell(err) })
	}
	return has, err
}

// checkJournals refuses a database whose journals have something bad before something good: that is damage. Bad bytes at
// the very end are what a crash leaves; goleveldb leaves them out, and the ledger finds out if anything is missing.
func checkJournals(dir string, log *slog.Logger) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	sort.Strings(files)
	for i, file := range files {
		bad, err := readJournal(file)
		if err != nil {
			return err
		}
		if bad != nil && i < len(files)-1 {
			return damaged(file, bad)
		}
		if bad != nil {
			log.Warn("leaving out the end of a database's journal, which a crash left unfinished", "file", file, "why", bad)
		}
	}
	return nil
}

// readJournal returns what is bad at the end of a journal, nil if nothing is, and an error if something is bad before.
func readJournal(file string) (bad, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	dropped := &dropped{}
	r := journal.NewReader(f, dropped, false, true)
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dropped.err, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		before := dropped.err
		_, err = io.Copy(io.Discard, record)
		if err == nil && before != nil {
			return nil, damaged(file, before)
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // which is a record that ends in dropped bytes
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
}

// dropped remembers the first piece of a journal that cannot be read.
type dropped struct{ err error }

// Drop implements journal.Dropper.
func (d *dropped) Drop(err error) {
	if d.err == nil {
		d.err = err
	}
}
