package store

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble"
	"github.com/cockroachdb/pebble/vfs"
)

func (s *State) openPebble(fs vfs.FS, dir string, log *slog.Logger) (err error) {
	opts, h := s.opts, s.health
	cache := pebble.NewCache(opts.CacheBytes)
	defer cache.Unref()
	logger := pebbleLogger{log.With("part", "state"), h, &s.dead}
	options := &pebble.Options{
		FS:                          fs,
		Cache:                       cache,
		MemTableSize:                uint64(opts.MemTableBytes),
		MemTableStopWritesThreshold: 3,
		MaxConcurrentCompactions:    func() int { return 1 },
		MaxOpenFiles:                256,
		BytesPerSync:                512 << 10,
		WALBytesPerSync:             512 << 10, // spreads the writing of a log that is not synced
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      logger,
		EventListener: &pebble.EventListener{
			// Pebble would try again for ever while its memtables fill up.
			BackgroundError: func(err error) { _ = h.fail(explain("writing the state", err)) },
		},
	}
	if err := makeFolder(fs, dir); err != nil {
		return err
	}
	return s.catch(func() error {
		s.db, err = pebble.Open(dir, options)
		return err
	})
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
		s.dead.Store(true)
		err = explain("writing the state", cause)
	}()
	return fn()
}

// closePebble leaves a database with a fatal error alone: its locks may be held for ever.
func (s *State) closePebble() error {
	if s.dead.Load() {
		return s.health.check()
	}
	return explain("closing the state", s.catch(s.db.Close))
}

// pebbleFatal is an error after which Pebble must not continue.
type pebbleFatal struct{ message string }

func (p pebbleFatal) Error() string { return "store: writing the state: " + p.message }

// pebbleLogger passes Pebble's errors on. What it says about its files is left out.
type pebbleLogger struct {
	log    *slog.Logger
	health *health
	dead   *atomic.Bool
}

// Infof is for debugging only.
func (l pebbleLogger) Infof(format string, args ...any) {
	l.log.Debug(strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Errorf reports what Pebble can live with.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error(strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Fatalf must not return. In our own goroutines the panic becomes the store's failure; in Pebble's it ends the process,
// which is what a disk that loses writes calls for.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	fatal := pebbleFatal{strings.TrimSpace(fmt.Sprintf(format, args...))}
	l.log.Error(fatal.message)
	l.dead.Store(true)
	_ = l.health.fail(fatal)
	panic(fatal)
}
