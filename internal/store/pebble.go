package store

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble"
	"github.com/cockroachdb/pebble/vfs"
)

func openPebble(fs vfs.FS, dir string, opts StateOptions, h *health, dead *atomic.Bool, log *slog.Logger) (db *pebble.DB, err error) {
	cache := pebble.NewCache(opts.CacheBytes)
	defer cache.Unref()
	logger := pebbleLogger{log.With("part", "state"), h, dead}
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
	defer func() {
		if p, ok := recover().(pebbleFatal); ok {
			err = p
		}
	}()
	return pebble.Open(dir, options)
}

// closePebble leaves a database with a fatal error alone: its locks may be held for ever.
func (s *State) closePebble() (err error) {
	if s.dead.Load() {
		return s.health.check()
	}
	defer func() {
		if p, ok := recover().(pebbleFatal); ok {
			err = p
		}
	}()
	return explain("closing the state", s.db.Close())
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
