package store

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble"
	"github.com/cockroachdb/pebble/vfs"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

// StateOptions adjusts the flat state. The defaults let four members share a small machine.
type StateOptions struct {
	QueueBlocks   int   // blocks that may wait to be written, default 256
	QueueBytes    int   // bytes of their keys and values, default 32 MiB
	GroupBytes    int   // bytes of changes written in one batch, default 1 MiB: above half a memtable Pebble sorts a batch again
	CacheBytes    int64 // Pebble's block cache, default 8 MiB
	MemTableBytes int   // Pebble's memtable, default 16 MiB
	PruneKeys     int   // keys that one step of pruning looks at, default 4,096
}

func (o *StateOptions) defaults() {
	set(&o.QueueBlocks, 256)
	set(&o.QueueBytes, 32<<20)
	set(&o.GroupBytes, 1<<20)
	set(&o.CacheBytes, 8<<20)
	set(&o.MemTableBytes, 16<<20)
	set(&o.PruneKeys, 4096)
}

func set[T int | int64](value *T, byDefault T) {
	if *value <= 0 {
		*value = byDefault
	}
}

// State is every key's value at every height that has not been pruned. Put queues a block's changes and a goroutine
// writes them, so that the state may be some blocks behind the segments, but never ahead.
//
// Writes are not synced one by one. Pebble's log keeps their order and a group of blocks is one batch with its height,
// so a crash loses some of the last blocks whole, and FlushedHeight tells from where to execute again.
type State struct {
	db     *pebble.DB
	dir    string
	opts   StateOptions
	health *health
	died   chan struct{} // closed when Pebble met a fatal error and must be left alone
	dying  sync.Once
	synced func() int64 // height up to which the segments are on the disk

	mu       sync.Mutex // guards what follows
	moved    *sync.Cond // something below changed, or health did
	queue    []blockChanges
	queued   int   // bytes in queue
	last     int64 // last height put, -1 if none
	flushed  int64 // last height written, -1 if none
	floor    int64 // heights below are pruned
	pruned   int64 // the floor up to which pruning has been through
	closing  bool
	stop     chan struct{} // closed with closing
	closed   sync.Once
	closeErr error
	work     sync.WaitGroup
	readers  sync.WaitGroup // heights that are being read
}

type blockChanges struct {
	height  int64
	changes []state.Change
	size    int
}

func openState(fs vfs.FS, dir string, opts StateOptions, h *health, synced func() int64, log *slog.Logger) (*State, error) {
	s := &State{dir: dir, opts: opts, health: h, synced: synced, stop: make(chan struct{}), died: make(chan struct{})}
	s.moved = sync.NewCond(&s.mu)
	h.wake(s.wake) // Pebble may fail while it opens
	err := s.openPebble(fs, dir, log)
	if err != nil {
		return nil, explain("opening the state in "+dir, err)
	}
	for name, value := range map[string]*int64{metaFlushed: &s.flushed, metaFloor: &s.floor, metaPruned: &s.pruned} {
		if *value, err = s.metaHeight(name); err != nil {
			_ = s.closePebble() // the first error says more
			return nil, explain("reading the state in "+dir, damagedState(dir, err))
		}
	}
	s.last = s.flushed
	s.work.Add(2)
	go s.run(s.flushLoop)
	go s.run(s.pruneLoop)
	return s, nil
}

func (s *State) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved.Broadcast()
}

// run turns Pebble's fatal errors, which arrive as panics, into the store's failure.
func (s *State) run(loop func() error) {
	defer s.work.Done()
	err := s.catch(loop)
	if err != nil {
		_ = s.health.fail(err) // Put, At and Close report it
	}
}

// Put queues the changes that a block made to the state; changes may be empty. The block must be on the disk (Append has
// returned) and follow the last one put; the first may be any, usually 0 with the genesis state. A block put already, as
// a replay after a crash does, is ignored. Put waits while the queue is full. The slices must not be changed afterwards.
func (s *State) Put(height int64, changes []state.Change) error {
	b := blockChanges{height, changes, 0}
	for _, c := range changes {
		b.size += len(c.Key) + len(c.Value) + 32
	}
	synced := s.synced()
	s.mu.Lock()
	defer s.mu.Unlock()
	if height <= s.last {
		return s.usable()
	}
	if height > synced || height < 0 || (s.last >= 0 && height != s.last+1) {
		return fault.New(CodeOrder, fmt.Sprintf("The state of block %d cannot follow that of block %d while the blocks on the disk end with %d.",
			height, s.last, synced), "height", height)
	}
	for s.usable() == nil && len(s.queue) > 0 && (len(s.queue) >= s.opts.QueueBlocks || s.queued+b.size > s.opts.QueueBytes) {
		s.moved.Wait()
	}
	if err := s.usable(); err != nil {
		return err
	}
	s.queue = append(s.queue, b)
	s.queued += b.size
	s.last = height
	s.moved.Broadcast()
	return nil
}

// usable says why nothing can be put or waited for. The caller holds mu.
func (s *State) usable() error {
	if s.closing {
		return errClosed()
	}
	return s.health.check()
}

// FlushedHeight is the last height whose changes are written, -1 if there is none. After a crash it may have gone back.
func (s *State) FlushedHeight() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flushed
}

// LastHeight is the last height put, -1 if there is none.
func (s *State) LastHeight() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Flush waits until everything put is written.
func (s *State) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waitFlushed(s.last)
}

// waitFlushed waits until height is written. The caller holds mu.
func (s *State) waitFlushed(height int64) error {
	for s.flushed < height {
		if err := s.usable(); err != nil {
			return err
		}
		s.moved.Wait()
	}
	return nil
}

// flushLoop writes what is queued, until closing, and then what is left.
func (s *State) flushLoop() error {
	for {
		group, done := s.takeGroup()
		if done {
			return nil
		}
		if err := s.write(group); err != nil {
			return explain("writing the state in "+s.dir, err)
		}
		s.mu.Lock()
		s.flushed = group[len(group)-1].height
		s.moved.Broadcast()
		s.mu.Unlock()
	}
}

func (s *State) takeGroup() (group []blockChanges, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.closing && s.health.check() == nil {
		s.moved.Wait()
	}
	if len(s.queue) == 0 || s.health.check() != nil {
		return nil, true
	}
	n, size := 0, 0
	for n < len(s.queue) && (n == 0 || size+s.queue[n].size <= s.opts.GroupBytes) {
		size += s.queue[n].size
		n++
	}
	group = s.queue[:n:n]
	s.queue = append([]blockChanges(nil), s.queue[n:]...)
	s.queued -= size
	s.moved.Broadcast()
	return group, false
}

func (s *State) write(group []blockChanges) error {
	size := 0
	for _, b := range group {
		size += b.size
	}
	batch := s.db.NewBatchWithSize(size + size/4 + 64)
	defer func() { _ = batch.Close() }() // frees memory only
	var key, value []byte
	for _, b := range group {
		for _, c := range b.changes {
			key = appendVersion(appendKey(key[:0], c.Key), b.height)
			value = appendValue(value[:0], c.Value)
			if err := batch.Set(key, value, nil); err != nil {
				return err
			}
		}
	}
	height := binary.BigEndian.AppendUint64(nil, uint64(group[len(group)-1].height))
	if err := batch.Set(metaKey(metaFlushed), height, nil); err != nil {
		return err
	}
	return batch.Commit(pebble.NoSync)
}

// close writes what is queued, unless the store has failed, and closes Pebble, which syncs its log.
func (s *State) close() error {
	s.closed.Do(func() {
		s.mu.Lock()
		s.closing = true
		close(s.stop)
		s.moved.Broadcast()
		s.mu.Unlock()
		ended := make(chan struct{})
		go func() {
			s.work.Wait()
			s.readers.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-s.died: // whoever waits for Pebble may wait for ever
		}
		s.closeErr = s.closePebble()
	})
	return s.closeErr
}
