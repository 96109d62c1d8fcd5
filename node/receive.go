package node

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/consensus"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/exec"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/modules/all"
)

// receiver is the snapshot that this node begins with: its chunks wait in a folder until all are there.
type receiver struct {
	dir    string
	height int64
	hashes []byte
}

// Begin implements consensus.Snapshots.
func (s *snapshots) Begin(o consensus.Snapshot) error {
	sum := sha256.Sum256(o.Metadata)
	switch {
	case o.Format != snapshotFormat:
		return fmt.Errorf("its format is %d, not %d", o.Format, snapshotFormat)
	case o.Height < 1 || o.Chunks < 1 || len(o.Metadata) > maxSnapshotMeta || len(o.Metadata) != 32*int(o.Chunks) || string(sum[:]) != string(o.Hash):
		return errors.New("its metadata is malformed")
	}
	s.in = receiver{dir: filepath.Join(s.dir, "received"), height: o.Height, hashes: o.Metadata}
	if err := errors.Join(os.RemoveAll(s.in.dir), os.MkdirAll(s.in.dir, 0o700)); err != nil {
		return fmt.Errorf("snapshots: %w", err)
	}
	return nil
}

// Take implements consensus.Snapshots.
func (s *snapshots) Take(index uint32, chunk []byte) error {
	sum, at := sha256.Sum256(chunk), 32*int(index)
	if at+32 > len(s.in.hashes) || len(chunk) == 0 || string(s.in.hashes[at:at+32]) != string(sum[:]) {
		return errors.New("it is not the piece that the snapshot announces")
	}
	return os.WriteFile(filepath.Join(s.in.dir, chunkName(int(index))), chunk, 0o600)
}

// Finish implements consensus.Snapshots. It goes through the chunks twice, to check them and to store their outcomes, so
// that only the state has to be in memory.
func (s *snapshots) Finish(height, time int64, appHash [32]byte) (*exec.Ledger, error) {
	defer os.RemoveAll(s.in.dir) // what is left of it is of no use
	checked := &parsed{height: height, time: time, tree: state.NewTree(), sink: func(*store.Block) error { return nil }}
	if err := checked.all(s.in); err != nil {
		return nil, err
	}
	root := checked.tree.Root()
	if checked.kind != chunkState || ledgerproof.AppHash(root, checked.history.Root()) != appHash {
		return nil, errors.New("its state and history do not make the app hash that the validators signed")
	}
	if err := s.store.SetMeta(snapshotMeta, []byte{1}); err != nil {
		return nil, err
	}
	if err := s.store.Begin(checked.base); err != nil {
		return nil, err
	}
	stored := &parsed{height: height, time: time, sink: func(b *store.Block) error {
		if b.Height == height {
			b.StateRoot, b.AppHash = root, appHash
		}
		return s.store.Append(*b)
	}}
	if err := stored.all(s.in); err != nil {
		return nil, err
	}
	if err := s.importState(height, checked.tree); err != nil {
		return nil, err
	}
	l, _, err := restore(s.store, all.New())
	return l, err
}

// parsed is a snapshot being taken apart. Without a tree the state is passed over.
type parsed struct {
	height, time int64
	base         store.Base
	tree         *state.Tree
	history      *exec.History
	block        *store.Block               // to which outcomes are being added
	sink         func(b *store.Block) error // gets each block when it is complete
	key          []byte                     // the last of the state
	kind         byte
}

var errSnapshot = errors.New("the snapshot is malformed")

// all goes through the chunks of a snapshot that was received in full.
func (p *parsed) all(in receiver) error {
	for i := range len(in.hashes) / 32 {
		chunk, err := os.ReadFile(filepath.Join(in.dir, chunkName(i)))
		if err != nil {
			return fmt.Errorf("snapshots: %w", err)
		}
		if err := p.chunk(i, chunk); err != nil {
			return fmt.Errorf("chunk %d: %w", i, err)
		}
	}
	if p.block == nil {
		return errSnapshot
	}
	if err := p.forward(p.height, p.time); err != nil {
		return err
	}
	return p.complete()
}

func (p *parsed) chunk(i int, chunk []byte) error {
	if len(chunk) == 0 || (i == 0) != (chunk[0] == chunkBase) {
		return errSnapshot
	}
	kind, content := chunk[0], chunk[1:]
	switch {
	case kind == chunkBase:
		return p.readBase(content)
	case kind == chunkOutcomes && p.kind != chunkState:
		return eachPair(content, p.outcome)
	case kind == chunkState:
		p.kind = kind
		return p.state(content)
	}
	return errSnapshot
}

// state adds keys and values, which come in order.
func (p *parsed) state(content []byte) error {
	if p.tree == nil {
		return nil
	}
	var changes []state.Change
	err := eachPair(content, func(key, value []byte) error {
		if bytes.Compare(key, p.key) <= 0 || len(key) > state.MaxKey || len(value) == 0 || len(value) > state.MaxValue {
			return errSnapshot
		}
		p.key = key
		changes = append(changes, state.Change{Key: bytes.Clone(key), Value: append([]byte{}, value...)})
		return nil
	})
	if err != nil {
		return err
	}
	p.key = bytes.Clone(p.key)
	p.tree = p.tree.Apply(changes)
	return nil
}

func (p *parsed) readBase(raw []byte) error {
	var numbers [3]uint64
	for i := range numbers {
		n, used := binary.Uvarint(raw)
		if used <= 0 || n > 1<<62 {
			return errSnapshot
		}
		numbers[i], raw = n, raw[used:]
	}
	if uint64(len(raw)) != 32*numbers[2] || int64(numbers[0]) >= p.height {
		return errSnapshot
	}
	p.base = store.Base{Height: int64(numbers[0]), HistorySize: numbers[1]}
	var frontier [][]byte
	for ; len(raw) > 0; raw = raw[32:] {
		p.base.Frontier, frontier = append(p.base.Frontier, [32]byte(raw)), append(frontier, raw[:32])
	}
	p.block = &store.Block{Height: p.base.Height, FirstSeq: p.base.HistorySize, HistorySize: p.base.HistorySize}
	var err error
	p.history, err = exec.NewHistory(p.base.HistorySize, frontier)
	return err
}

// outcome adds an outcome to its block. That outcomes are the right ones shows in the history root; that they follow each
// other, that each comes with its transaction, and that none that could still be replayed was left out, is checked here.
func (p *parsed) outcome(leaf, raw []byte) error {
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(leaf, o); err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	if o.GetSeq() != p.block.HistorySize || string(o.GetTxHash()) != string(sum[:]) || len(o.GetId()) != 32 {
		return fmt.Errorf("outcome %d is not in its place", o.GetSeq())
	}
	if first := o.GetSeq() == p.base.HistorySize; first && o.GetSeq() > 0 && o.GetTime() >= p.time-windowReach {
		return errors.New("the snapshot does not show all that could still be replayed")
	}
	if err := p.forward(o.GetHeight(), o.GetTime()); err != nil {
		return err
	}
	if err := p.history.Append(leaf); err != nil {
		return err
	}
	p.block.Entries = append(p.block.Entries, store.Entry{Outcome: leaf, Raw: raw})
	p.block.HistorySize++
	return nil
}

// maxEmpty bounds the blocks without outcomes between two with some.
const maxEmpty = 1 << 20

// forward completes blocks until the one of height and time is the last. Of a block without outcomes nothing is known but
// that it was.
func (p *parsed) forward(height, time int64) error {
	b := p.block
	if height < b.Height || height > p.height || height-b.Height > maxEmpty || height <= p.base.Height || time < b.Time || time > p.time ||
		height == b.Height && len(b.Entries) > 0 && time != b.Time {
		return fmt.Errorf("block %d does not follow block %d", height, b.Height)
	}
	for p.block.Height < height {
		if err := p.complete(); err != nil {
			return err
		}
		p.block = &store.Block{Height: p.block.Height + 1, Time: time, FirstSeq: p.block.HistorySize, HistorySize: p.block.HistorySize}
	}
	return nil
}

// complete passes the last block on. The one before the first is none.
func (p *parsed) complete() error {
	if p.block.Height == p.base.Height {
		return nil
	}
	p.block.HistoryRoot = p.history.Root()
	return p.sink(p.block)
}

// importState puts a verified state into the empty store. Consensus takes it over afterwards; a crash before that is found
// at the next start, which begins anew.
func (s *snapshots) importState(height int64, tree *state.Tree) error {
	var changes []state.Change
	tree.Ascend(nil, nil, func(key, value []byte) bool {
		changes = append(changes, state.Change{Key: key, Value: value})
		return true
	})
	const piece = 4096
	return s.store.State().Import(height, func() ([]state.Change, error) {
		if len(changes) == 0 {
			return nil, io.EOF
		}
		n := min(piece, len(changes))
		out := changes[:n]
		changes = changes[n:]
		return out, nil
	})
}
