package store

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble"
	"github.com/cockroachdb/pebble/vfs"

	"github.com/dureledger/dure/ledger/fault"
)

// mergeAt is how many tables lie above each other before they are merged; each has what filled a memtable, and together they have a gigabyte. Reads of
// the present are the tree's, so that few tables are worth little; each merge writes all that is there once more, at all members about the same time.
const mergeAt = 128

func (s *State) openPebble(fs vfs.FS, dir string, log *slog.Logger) (err error) {
	opts, h := s.opts, s.health
	cache := pebble.NewCache(opts.CacheBytes)
	defer cache.Unref()
	logger := pebbleLogger{dir, log.With("part", "state"), h, s.die}
	options := &pebble.Options{
		FS:                          tableFS{fs, s.failRead, s.dead},
		Cache:                       cache,
		MemTableSize:                uint64(opts.MemTableBytes),
		MemTableStopWritesThreshold: 3,
		MaxConcurrentCompactions:    func() int { return 1 },
		MaxOpenFiles:                256,
		LBaseMaxBytes:               256 << 20,
		L0CompactionThreshold:       2 * mergeAt, // Pebble counts each table twice here
		L0StopWritesThreshold:       2 * mergeAt,
		Levels:                      []pebble.LevelOptions{{Compression: pebble.NoCompression, TargetFileSize: 16 << 20}},
		BytesPerSync:                512 << 10,
		WALBytesPerSync:             512 << 10, // spreads the writing of a log that is not synced
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      logger,
		EventListener: &pebble.EventListener{
			// Pebble would try again for ever while its memtables fill up.
			BackgroundError: func(err error) { _ = h.fail(explain("writing the state in "+dir, err)) },
		},
	}
	if err := makeFolder(fs, dir); err != nil {
		return err
	}
	if err := checkMarkers(fs, dir); err != nil {
		return err
	}
	err = s.apart(func() (err error) {
		defer func() { // on a folder in which files are missing it may meet anything
			p := recover()
			if bug, is := p.(runtime.Error); is {
				err = bug
			} else if p != nil {
				panic(p)
			}
		}()
		s.db, err = pebble.Open(dir, options)
		return err
	})
	return damagedState(dir, err)
}

// checkMarkers refuses a folder with tables but without the file that says which of them count: Pebble would begin anew
// and remove them.
func checkMarkers(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	used := slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, ".sst") })
	if used && !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "marker.manifest.") }) {
		return damagedState(dir, errors.New("its marker.manifest file is missing"))
	}
	return nil
}

// damagedState says that the state cannot be read and what a person can do; other errors it leaves as they are.
func damagedState(dir string, err error) error {
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EIO),
		errors.Is(err, iofs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EAGAIN):
		return err
	}
	return fault.New(CodeCorrupt, fmt.Sprintf("The state in %s is damaged: %v. Move that folder away and start again: the node makes it anew from its blocks, "+
		"which takes as long as executing them. If it does not have all of them, docs/damage.md says what to do.", dir, err), "folder", dir)
}

// makeFolder makes dir durably: Pebble syncs what is in its folder, but not that the folder is there.
func makeFolder(fs vfs.FS, dir string) error {
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	parent, err := fs.OpenDir(fs.PathDir(dir))
	if err != nil {
		return err
	}
	err = parent.Sync()
	if cerr := parent.Close(); err == nil {
		err = cerr
	}
	return err
}

// catch returns the errors that fn panics with. Pebble does that when it cannot go on, with its locks held, so it must be
// left alone from then on.
func (s *State) catch(fn func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		cause, isError := p.(error)
		if _, isBug := p.(runtime.Error); isBug || !isError {
			panic(p)
		}
		err = s.health.fail(explain("writing the state in "+s.dir, cause))
		s.die()
	}()
	return fn()
}

// failRead makes it the store's failure that a table cannot be read.
func (s *State) failRead(doing string, err error) {
	_ = s.health.fail(explain(doing, err))
	s.die()
}

// die leaves Pebble alone from now on: its locks may be held for ever.
func (s *State) die() { s.dying.Do(func() { close(s.died) }) }

func (s *State) dead() bool {
	select {
	case <-s.died:
		return true
	default:
		return false
	}
}

// apart runs fn in a goroutine of its own, which Fatalf may end or leave waiting for one that it ended.
func (s *State) apart(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		defer close(result)
		result <- s.catch(fn)
	}()
	select {
	case err, ok := <-result:
		if ok {
			return err
		}
	case <-s.died:
	}
	return s.health.check()
}

// closePebble closes the database, unless that met a fatal error.
func (s *State) closePebble() error {
	if s.dead() {
		return s.health.check()
	}
	return explain("closing the state in "+s.dir, s.apart(func() error { return s.db.Close() }))
}

// pebbleFatal is an error after which Pebble must not continue.
type pebbleFatal struct {
	message string
	cause   error // may be nil
}

func (p pebbleFatal) Error() string { return "writing the state: " + p.message }
func (p pebbleFatal) Unwrap() error { return p.cause }

// pebbleLogger passes Pebble's errors on. What it says about its files is left out.
type pebbleLogger struct {
	dir    string
	log    *slog.Logger
	health *health
	die    func()
}

// Infof is for debugging only.
func (l pebbleLogger) Infof(format string, args ...any) {
	l.log.Debug(strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Errorf reports what Pebble can live with.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error(strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Fatalf must not return. It ends the goroutine, Pebble's or ours, and makes the error the store's failure: the node stops
// with a message, where a panic in a goroutine of Pebble would end the process with a stack trace.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	fatal := pebbleFatal{message: strings.TrimSpace(fmt.Sprintf(format, args...))}
	for _, arg := range args {
		if err, is := arg.(error); is {
			fatal.cause = err
		}
	}
	l.log.Error(fatal.Error())
	_ = l.health.fail(explain("writing the state in "+l.dir, fatal))
	l.die()
	runtime.Goexit()
}
