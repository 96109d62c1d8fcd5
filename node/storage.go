package node

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/consensus"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
)

// storage is the store as consensus, pool and API use it.
type storage struct {
	*store.Store
	index *index.Index // nil when this node keeps none

	mu      sync.Mutex
	changes []int64 // heights whose header announces other validators
	trail   *proof.Checkpoint
}

const changesMeta = "validator-changes"

func openStorage(dir string, opts store.Options) (*storage, error) {
	s, err := store.Open(dir, opts)
	if err != nil {
		return nil, err
	}
	raw, err := s.Meta(changesMeta)
	if err != nil {
		return nil, fmt.Errorf("validator changes: %w", err)
	}
	out := &storage{Store: s}
	for ; len(raw) >= 8; raw = raw[8:] {
		out.changes = append(out.changes, int64(binary.BigEndian.Uint64(raw)))
	}
	return out, out.loadTrail()
}

const networkMeta = "network"

// belongs refuses a ledger of another network than the genesis file's, and notes the network of a new one.
func (s *storage) belongs(network, genesisFile string) error {
	raw, err := s.Meta(networkMeta)
	if err != nil {
		return err
	}
	if len(raw) == 0 {
		return s.SetMeta(networkMeta, []byte(network))
	}
	if string(raw) != network {
		return fault.New("network.other", fmt.Sprintf("The ledger in this node's folder is of network %s, but %s is of network %s. "+
			"The genesis file is damaged or another one: copy it from another member.", raw, genesisFile, network), "ledger", string(raw), "genesis", network)
	}
	return nil
}

// SaveGenesis implements consensus.Store.
func (s *storage) SaveGenesis(changes []state.Change) error {
	if s.State().LastHeight() >= 0 {
		return nil // a crash before block 1 was executed brings genesis again
	}
	return s.State().Put(0, changes)
}

// Save implements consensus.Store: outcomes on disk first, then state.
func (s *storage) Save(r *exec.Result, batches []consensus.BatchRef) error {
	if len(r.Validators) > 0 {
		if err := s.addChange(r.Height + 1); err != nil {
			return err
		}
	}
	b := store.Block{
		Height: r.Height, Time: r.Time, AppHash: r.AppHash, StateRoot: r.StateRoot, HistoryRoot: r.HistoryRoot,
		HistorySize: r.HistorySize, FirstSeq: r.HistorySize - uint64(len(r.Applied)),
		Entries: make([]store.Entry, len(r.Applied)), Batches: make([]store.BatchRef, len(batches)),
	}
	for i := range r.Applied {
		b.Entries[i] = store.Entry{Outcome: r.Applied[i].Leaf, Raw: r.Applied[i].Raw}
	}
	for i, ref := range batches {
		b.Batches[i] = store.BatchRef{Hash: ref.Hash, ExpiresAt: ref.ExpiresAt}
	}
	if err := s.Append(b); err != nil {
		return err
	}
	return s.State().Put(r.Height, r.Changes)
}

// addChange remembers that the header of a height announces other validators than sign it.
func (s *storage) addChange(height int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.changes, height) {
		return nil
	}
	changes := append(slices.Clone(s.changes), height)
	slices.Sort(changes)
	var raw []byte
	for _, h := range changes {
		raw = binary.BigEndian.AppendUint64(raw, uint64(h))
	}
	if err := s.SetMeta(changesMeta, raw); err != nil {
		return fmt.Errorf("validator changes: %w", err)
	}
	s.changes = changes
	return nil
}

// ChangeHeights lists heights from <= h < to where validators changed.
func (s *storage) ChangeHeights(from, to int64) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []int64
	for _, h := range s.changes {
		if h >= from && h < to {
			out = append(out, h)
		}
	}
	return out, nil
}

// Outcome implements consensus.Past.
func (s *storage) Outcome(seq uint64) (*ledgerv1.Outcome, error) {
	e, err := s.entry(seq)
	return e.Outcome, err
}

// Find implements consensus.Past.
func (s *storage) Find(id [32]byte) (*ledgerv1.Outcome, bool, error) {
	e, ok, err := s.find(id)
	return e.Outcome, ok, err
}

func (s *storage) entry(seq uint64) (index.Entry, error) {
	c, err := s.Entry(seq)
	if err != nil {
		return index.Entry{}, err
	}
	return decodeEntry(c)
}

func (s *storage) find(id [32]byte) (index.Entry, bool, error) {
	if s.index == nil {
		return index.Entry{}, false, nil
	}
	ctx, cancel := lookupContext()
	defer cancel()
	seq, ok, err := s.index.SeqOf(ctx, id)
	if err != nil || !ok {
		return index.Entry{}, false, err
	}
	e, err := s.entry(seq)
	return e, err == nil, err
}

func decodeEntry(c store.Committed) (index.Entry, error) {
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(c.Outcome, o); err != nil {
		return index.Entry{}, fmt.Errorf("outcome %d: %w", c.Seq, err)
	}
	return index.Entry{Outcome: o, Raw: c.Raw, Rest: c.Rest}, nil
}

// notAfter reads when a stored transaction expires, and whether it carries a once key.
func notAfter(raw []byte) (int64, bool, error) {
	t, body := &txv1.Transaction{}, &txv1.Body{}
	if err := proto.Unmarshal(raw, t); err != nil {
		return 0, false, err
	}
	if err := proto.Unmarshal(t.GetNative().GetBody(), body); err != nil {
		return 0, false, err
	}
	return body.GetNotAfter(), len(body.GetOnce()) > 0, nil
}
