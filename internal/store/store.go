package store

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/cockroachdb/pebble/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dureledger/dure/ledger/fault"
)

// Options adjusts a store. The zero value is right for a node; sizes that are zero get their defaults.
type Options struct {
	Logger       *slog.Logger // default slog.Default()
	SegmentBytes int64        // length at which the next segment file starts, default 64 MiB
	CacheBytes   int          // decoded blocks kept for readers, beside the last one, default 8 MiB
	SyncOutcomes uint64       // outcomes after which the history's nodes are synced, default 65,536
	State        StateOptions

	// HistoryRoot makes a block's HistoryRoot of the tree's size and RFC 6962 root. If set, Open checks the tree against
	// the last block.
	HistoryRoot func(size uint64, root [32]byte) [32]byte

	FS      FS     // of segments, history and meta; default DiskFS
	StateFS vfs.FS // of Pebble; default the disk

	Metrics    prometheus.Registerer // where the store's metrics are registered; nil: nowhere
	migrations []migration           // the table; tests have others
}

func (o *Options) defaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	o.SegmentBytes = min(o.SegmentBytes, maxSegmentBytes)
	if o.CacheBytes <= 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.SyncOutcomes == 0 {
		o.SyncOutcomes = 1 << 16
	}
	if o.migrations == nil {
		o.migrations = migrations
	}
	if o.FS == nil {
		o.FS = DiskFS{}
	}
	o.FS = measured(o.FS, o.Metrics)
	if o.StateFS == nil {
		o.StateFS = vfs.Default
	}
	o.State.defaults()
}

// Store is a node's durable memory. Its methods are safe for concurrent use.
type Store struct {
	opts   Options
	lock   io.Closer
	health *health
	meta   *meta
	blocks *blockLog

	appendMu sync.Mutex // Append, Begin and Close
	closed   bool
	leaves   [][32]byte
	history  *History
	state    *State

	erasing sync.Mutex   // Erase
	copies  sync.RWMutex // held for reading while a Copy is open, for writing while a segment's file is replaced
	erased  erased

	syncing sync.WaitGroup // at most one run of syncHistory
	synced  uint64         // size up to which the history's nodes are on the disk, or being synced
	idle    chan struct{}  // holds a token while syncHistory does not run
}

// Open opens the store in dir, making it if it is not there, and repairs what a crash left: it cuts off a block that was
// being written and brings the history's nodes up to the last block. The state may be left behind: execute the blocks
// after State().FlushedHeight() again. Errors have the codes store.in_use, store.read_only, store.full, store.corrupt
// and store.too_new.
func Open(dir string, opts Options) (*Store, error) {
	opts.defaults()
	for _, sub := range []string{"", "blocks", "history", "meta"} {
		if err := opts.FS.MkdirAll(filepath.Join(dir, sub)); err != nil {
			return nil, explain("making "+filepath.Join(dir, sub), err)
		}
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		opts: opts, lock: lock, health: &health{}, idle: make(chan struct{}, 1),
		meta: &meta{fs: opts.FS, dir: filepath.Join(dir, "meta")},
	}
	s.erased.rest = Rest
	s.idle <- struct{}{}
	if err := s.open(dir); err != nil {
		_ = s.release()
		return nil, err
	}
	s.gauges(opts.Metrics)
	return s, nil
}

func (s *Store) open(dir string) error {
	if err := s.migrate(dir, s.opts.migrations); err != nil {
		return err
	}
	var base Base
	raw, err := s.meta.get(baseMeta)
	if err == nil && raw != nil {
		base, err = decodeBase(raw)
	}
	if err != nil {
		return err
	}
	s.blocks, err = openLog(s.opts.FS, filepath.Join(dir, "blocks"), base, s.opts.SegmentBytes, s.opts.CacheBytes, s.opts.Logger)
	if err != nil {
		return err
	}
	if err := s.openHistory(filepath.Join(dir, "history"), base); err != nil {
		return err
	}
	s.state, err = openState(s.opts.StateFS, filepath.Join(dir, "state"), s.opts.State, s.health, s.SyncedHeight, s.opts.Logger)
	if err != nil {
		return err
	}
	if flushed, last := s.state.FlushedHeight(), s.LastHeight(); flushed > last {
		return fault.New(CodeCorrupt, fmt.Sprintf("The state in %s is of block %d but the last block is %d: blocks that were on the disk are gone. "+
			"Restore the node's folder from a backup, or let the node fetch its blocks from the other members again; docs/damage.md says how.", dir, flushed, last),
			"folder", dir, "flushed", flushed, "last", last)
	}
	return nil
}

// Append makes the next block durable: when it returns nil, no crash takes the block away. Appending a block again, as a
// replay after a crash does, checks that it is the same and changes nothing; the error has code store.fork if it is not.
// After any failed write the store refuses to write (code store.failed). The block's slices are not kept.
func (s *Store) Append(b Block) error {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	if s.closed {
		return errClosed()
	}
	if err := s.health.check(); err != nil {
		return err
	}
	if err := checkBlock(&b); err != nil {
		return err
	}
	last, seq := s.blocks.bounds()
	if b.Height <= last {
		return s.blocks.same(&b)
	}
	if b.Height != last+1 || b.FirstSeq != seq {
		return fault.New(CodeOrder, fmt.Sprintf("Block %d at position %d does not follow block %d, which ends at position %d.",
			b.Height, b.FirstSeq, last, seq), "height", b.Height, "last", last)
	}
	if err := s.blocks.append(&b); err != nil {
		return s.health.fail(err)
	}
	if err := s.appendHistory(b.Entries); err != nil {
		return s.health.fail(err)
	}
	s.maybeSyncHistory()
	return nil
}

// Err is the reason why the store refuses to write, nil while it does not.
func (s *Store) Err() error { return s.health.check() }

// History is the Merkle tree over all outcomes, up to date with the last block.
func (s *Store) History() *History { return s.history }

// State is the flat state by height.
func (s *Store) State() *State { return s.state }

// Meta returns the small value that SetMeta stored under name, nil if there is none.
func (s *Store) Meta(name string) ([]byte, error) { return s.meta.get("user-" + name) }

// SetMeta replaces a small value (at most 3 MiB) and returns once it is on the disk. The name must be fit for a file.
func (s *Store) SetMeta(name string, value []byte) error {
	if err := s.health.check(); err != nil {
		return err
	}
	if err := s.meta.set("user-"+name, value); err != nil {
		return s.health.fail(err)
	}
	return nil
}

// Close writes what is queued and closes the folder. It returns the failure that made the store refuse writes, if any.
func (s *Store) Close() error {
	s.erasing.Lock()
	defer s.erasing.Unlock()
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	first := s.state.close()
	s.syncing.Wait()
	if s.health.check() == nil {
		if err := s.syncHistory(s.history.Size()); first == nil {
			first = err
		}
	}
	if err := s.health.check(); err != nil && first == nil {
		first = err
	}
	if err := s.release(); first == nil {
		first = err
	}
	return first
}

// release closes the files and gives the folder free.
func (s *Store) release() error {
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	if s.state != nil {
		note(s.state.close())
	}
	if s.history != nil {
		note(s.history.file.Close())
	}
	if s.blocks != nil {
		note(s.blocks.files.close())
	}
	note(s.lock.Close())
	return first
}
