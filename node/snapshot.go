package node

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dureledger/dure/consensus"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

// A snapshot is a folder data/snapshots/HEIGHT with files 00000000, 00000001 … and "hashes", the SHA-256 of each of them
// one after the other, which is its metadata. The first byte of a chunk says what is in it:
//
//	'b'  the first chunk, alone: height of the block before the first outcome carried, size of the history then,
//	     number and hashes of its frontier
//	'o'  outcomes and transactions, as pairs, in order, up to the snapshot's height: all that may still be replayed,
//	     and at least one block that may not, which shows that none is left out
//	's'  keys and values of the state, as pairs, in order
//
// Nothing in it has to be believed: outcomes and frontier make the history root, each transaction is in its outcome by its
// hash, keys and values make the state root, and both roots are in the app hash that the validators signed. All members
// make the same bytes, so that a new node can fetch from several at once.
const (
	snapshotFormat  = 1
	snapshotHashes  = "hashes"
	chunkBase       = 'b'
	chunkOutcomes   = 'o'
	chunkState      = 's'
	maxSnapshotMeta = 3 << 20 // bytes; CometBFT's message is at most 4 MB
)

// snapshots makes, keeps and receives snapshots. It implements consensus.Snapshots.
type snapshots struct {
	dir   string
	keep  int
	store *storage
	log   *slog.Logger
	in    receiver

	making atomic.Pointer[consensus.Tip] // nil while none is made

	made int64      // the multiple of the interval for which one was made last, or would have been
	mu   sync.Mutex // held while one is made
	stop chan struct{}
	work sync.WaitGroup
}

func newSnapshots(home Home, keep int64, s *storage, log *slog.Logger) (*snapshots, error) {
	out := &snapshots{dir: home.data("snapshots"), keep: int(min(max(keep, 1), 10)), store: s, log: log, stop: make(chan struct{})}
	if err := os.MkdirAll(out.dir, 0o700); err != nil {
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	return out, nil
}

// due says whether the members make a snapshot of a block: the first with outcomes from a multiple of the interval on.
// That one is followed by another block at once, also in a network that is idle, and the snapshot is verified by it.
func (s *snapshots) due(r *exec.Result, interval int64) bool {
	if interval <= 0 || len(r.Applied) == 0 || r.Height < interval || r.Height/interval == s.made {
		return false
	}
	s.made = r.Height / interval
	before, err := s.store.BlockAt(s.made * interval)
	return err == nil && before.FirstSeq == r.HistorySize-uint64(len(r.Applied))
}

// make begins to make the snapshot of a tip, unless one is being made: members that cannot keep up leave one out.
func (s *snapshots) make(tip *consensus.Tip) {
	if !s.mu.TryLock() {
		return
	}
	s.work.Add(1)
	s.making.Store(tip)
	tree := tip.Tree() // before it is none of the last
	go func() {
		defer s.work.Done()
		defer s.mu.Unlock()
		defer s.making.Store(nil)
		began := time.Now()
		if err := s.write(tip, tree); err != nil {
			s.log.Warn("a snapshot could not be made", "height", tip.Height, "error", err)
			return
		}
		s.log.Info("snapshot made", "height", tip.Height, "took", time.Since(began).Round(time.Millisecond))
		s.drop()
	}()
}

// close waits until none is being made.
func (s *snapshots) close() {
	close(s.stop)
	s.work.Wait()
}

var errStopping = errors.New("the node stops")

// snapshotWriter writes the files of one snapshot and rests after each for as long as it took, so that the commit path
// keeps most of a small machine.
type snapshotWriter struct {
	dir    string
	stop   <-chan struct{}
	n      int
	hashes []byte
	began  time.Time
}

// maxRest bounds a rest, also when a clock jumps.
const maxRest = 5 * time.Second

func (w *snapshotWriter) write(kind byte, content []byte) error {
	chunk := append([]byte{kind}, content...)
	if len(chunk) > consensus.MaxSnapshotChunk {
		return errors.New("a value is too large for a snapshot")
	}
	if err := os.WriteFile(filepath.Join(w.dir, chunkName(w.n)), chunk, 0o600); err != nil {
		return err
	}
	sum := sha256.Sum256(chunk)
	w.hashes = append(w.hashes, sum[:]...)
	if w.n++; len(w.hashes) > maxSnapshotMeta {
		return errors.New("the state is too large for a snapshot")
	}
	rest := time.NewTimer(min(time.Since(w.began), maxRest))
	defer rest.Stop()
	select {
	case <-w.stop:
		return errStopping
	case <-rest.C:
	}
	w.began = time.Now()
	return nil
}

func chunkName(n int) string { return fmt.Sprintf("%08d", n) }

func (s *snapshots) write(tip *consensus.Tip, tree *state.Tree) error {
	target := filepath.Join(s.dir, strconv.FormatInt(tip.Height, 10))
	if _, err := os.Stat(target); err == nil {
		return nil // the block was executed again after a crash
	}
	fresh := filepath.Join(s.dir, "new")
	if err := errors.Join(os.RemoveAll(fresh), os.MkdirAll(fresh, 0o700)); err != nil {
		return err
	}
	w := &snapshotWriter{dir: fresh, stop: s.stop, began: time.Now()}
	if err := s.writeOutcomes(w, tip); err != nil {
		return err
	}
	if err := writeState(w, tree); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(fresh, snapshotHashes), w.hashes, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, target)
}

// writeOutcomes writes the base and all outcomes after it.
func (s *snapshots) writeOutcomes(w *snapshotWriter, tip *consensus.Tip) error {
	base, seq, err := s.base(tip)
	if err != nil {
		return err
	}
	return s.writeSince(w, tip, base, seq)
}

func (s *snapshots) writeSince(w *snapshotWriter, tip *consensus.Tip, base int64, seq uint64) error {
	frontier, err := s.store.History().Frontier(seq)
	if err != nil {
		return err
	}
	raw := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(base)), seq)
	raw = binary.AppendUvarint(raw, uint64(len(frontier)))
	for i := range frontier {
		raw = append(raw, frontier[i][:]...)
	}
	if err := w.write(chunkBase, raw); err != nil {
		return err
	}
	chunks := chunker{emit: func(c []byte) error { return w.write(chunkOutcomes, c) }}
	for seq < tip.HistorySize {
		entries, err := s.store.Entries(seq, int(min(1000, tip.HistorySize-seq)))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Erased() {
				return fault.New("tx.erased", fmt.Sprintf("Outcome %d belongs into the snapshot with its transaction, but that was erased (readings.keep). "+
					"A later snapshot will do without it.", e.Seq), "seq", e.Seq)
			}
			if err := chunks.put(e.Outcome, e.Raw); err != nil {
				return err
			}
		}
		seq += uint64(len(entries))
	}
	return chunks.flush()
}

// base is the height before the first outcome that a snapshot carries, and the size of the history then: before the last
// block whose outcomes cannot be replayed any more, or the beginning.
func (s *snapshots) base(tip *consensus.Tip) (height int64, seq uint64, err error) {
	from, err := s.store.HeightSince(tip.Time - windowReach)
	if err != nil || from <= s.store.FirstHeight() {
		return s.store.before(s.store.FirstHeight(), err)
	}
	b, err := s.store.BlockAt(min(from, tip.Height))
	if err != nil || b.FirstSeq == 0 {
		return 0, 0, err
	}
	last, err := s.store.Entry(b.FirstSeq - 1)
	if err != nil {
		return s.store.before(s.store.FirstHeight(), nil)
	}
	return s.store.before(last.Height, nil)
}

// before is the height before a block and the size of the history then.
func (s *storage) before(height int64, err error) (int64, uint64, error) {
	if err != nil {
		return 0, 0, err
	}
	b, err := s.BlockAt(height)
	if err != nil {
		return 0, 0, err
	}
	return height - 1, b.FirstSeq, nil
}

func writeState(w *snapshotWriter, tree *state.Tree) (err error) {
	chunks := chunker{emit: func(c []byte) error { return w.write(chunkState, c) }}
	tree.Ascend(nil, nil, func(key, value []byte) bool {
		err = chunks.put(key, value)
		return err == nil
	})
	if err != nil {
		return err
	}
	return chunks.flush()
}

// heights are those of the snapshots there are, newest first.
func (s *snapshots) heights() ([]int64, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	var out []int64
	for _, e := range entries {
		if h, err := strconv.ParseInt(e.Name(), 10, 64); err == nil {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

// drop removes all but the newest.
func (s *snapshots) drop() {
	heights, err := s.heights()
	for i := s.keep; i < len(heights); i++ {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, strconv.FormatInt(heights[i], 10))))
	}
	if err != nil {
		s.log.Warn("old snapshots could not be removed", "error", err)
	}
}

// List implements consensus.Snapshots.
func (s *snapshots) List() ([]consensus.Snapshot, error) {
	heights, err := s.heights()
	if err != nil {
		return nil, err
	}
	var out []consensus.Snapshot
	for _, h := range heights[:min(len(heights), 10)] {
		meta, err := os.ReadFile(filepath.Join(s.dir, strconv.FormatInt(h, 10), snapshotHashes))
		if err != nil {
			return out, fmt.Errorf("snapshots: %w", err)
		}
		sum := sha256.Sum256(meta)
		out = append(out, consensus.Snapshot{Height: h, Format: snapshotFormat, Chunks: uint32(len(meta) / 32), Hash: sum[:], Metadata: meta})
	}
	return out, nil
}

// Chunk implements consensus.Snapshots.
func (s *snapshots) Chunk(height int64, index uint32) ([]byte, error) {
	return os.ReadFile(filepath.Join(s.dir, strconv.FormatInt(height, 10), chunkName(int(index))))
}
