package node

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/dureledger/dure/api"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/consensus"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// ledger is the node as the API sees it.
type ledger struct {
	genesis *genesis.Genesis
	member  tx.Address
	version string
	store   *storage
	engine  *consensus.Engine
	stats   *stats
	log     *slog.Logger
	trail   *consensus.Trail

	cosigned *cosigned
	period   time.Duration // between the checkpoints offered to witnesses
}

var _ api.Ledger = (*ledger)(nil)

// source gives headers to the builders of proofs.
type source struct {
	*consensus.Engine
	*storage
}

// Submit implements api.Ledger.
func (l *ledger) Submit(ctx context.Context, raw [][]byte, wait bool) []api.Submission {
	begun := time.Now()
	out := make([]api.Submission, len(raw))
	for i, a := range l.engine.Pool().Submit(ctx, raw, wait) {
		out[i] = api.Submission{ID: a.ID, Outcome: a.Outcome}
		if a.Refusal != nil {
			out[i].Err = &api.Refused{Error: a.Refusal, Retryable: a.Retryable, RetryAfter: a.RetryAfter}
		}
	}
	l.answered(out, begun)
	if wait {
		l.stats.finality(time.Since(begun))
	}
	return out
}

// answered ends the traces of what was submitted at begun. What a client will send again is not ended yet: a trace has one
// root.
func (l *ledger) answered(submissions []api.Submission, begun time.Time) {
	if l.trail == nil {
		return
	}
	for _, s := range submissions {
		status, code := "accepted", s.Outcome.GetRefusal().GetCode()
		switch {
		case s.Err != nil && s.Err.Retryable:
			continue
		case s.Err != nil:
			status, code = "refused", s.Err.Code
		case s.Outcome != nil:
			status = statusName(s.Outcome)
		}
		l.trail.Answered(s.ID, begun, status, code)
	}
}

// statusName is ok, failed or void.
func statusName(o *ledgerv1.Outcome) string {
	return strings.ToLower(strings.TrimPrefix(o.GetStatus().String(), "STATUS_"))
}

// State implements api.Ledger.
func (l *ledger) State() (state.Reader, int64) {
	return l.engine.State()
}

// StateAt implements api.Ledger.
func (l *ledger) StateAt(ctx context.Context, height int64) (state.Reader, error) {
	if _, tree, ok := l.engine.TipAt(height); ok {
		return tree, nil
	}
	past, err := l.store.State().At(height)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() {
		if err := past.Close(); err != nil {
			l.log.Warn("a past state could not be closed", "error", err)
		}
	})
	return past, nil
}

// Find implements api.Ledger.
func (l *ledger) Find(id [32]byte) (api.Entry, bool, error) {
	e, ok, err := l.look(id)
	if err == nil && !ok {
		err = l.pruned(id)
	}
	return e, ok, err
}

func (l *ledger) look(id [32]byte) (api.Entry, bool, error) {
	if place, ok := l.engine.Recent(id); ok { // before the index has it, or without one
		e, err := l.store.entry(place.Seq)
		return e, err == nil, err
	}
	return l.store.find(id)
}

// Entries implements api.Ledger.
func (l *ledger) Entries(from uint64, most int) ([]api.Entry, error) {
	stored, err := l.store.Entries(from, most)
	if err != nil {
		return nil, err
	}
	out := make([]api.Entry, len(stored))
	for i, c := range stored {
		if out[i], err = decodeEntry(c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Size implements api.Ledger.
func (l *ledger) Size() uint64 { return l.engine.Tip().HistorySize }

// Advanced implements api.Ledger.
func (l *ledger) Advanced() <-chan struct{} { return l.engine.Tip().Next() }

// Block implements api.Ledger.
func (l *ledger) Block(_ context.Context, height int64) (*api.Block, error) {
	if height == 0 {
		height = l.engine.Tip().Height
	}
	info, err := l.engine.BlockAt(height)
	if err != nil {
		return nil, err
	}
	out := &api.Block{
		Height: height, Time: info.Time, Hash: info.Hash, Proposer: info.Proposer, AppHash: info.AppHash, Batches: info.Batches,
	}
	entries, err := l.store.EntriesOfHeight(height)
	if err != nil {
		return nil, err
	}
	for _, c := range entries {
		e, err := decodeEntry(c)
		if err != nil {
			return nil, err
		}
		out.Transactions = append(out.Transactions, [32]byte(e.Outcome.GetId()))
	}
	return out, nil
}

// proven returns the newest header that can be proven and the block before it, whose roots it signs; not below least.
func (l *ledger) proven(ctx context.Context, least int64) (int64, *store.Block, error) {
	for {
		tip := l.engine.Tip()
		height := tip.Height
		if _, err := l.engine.CommitAt(height + 1); err == nil {
			height++ // decided, not executed yet
		}
		if height >= max(least, 2) {
			block, err := l.store.BlockAt(height - 1)
			return height, block, err
		}
		select {
		case <-ctx.Done():
			return 0, nil, fault.New("receipt.not_yet", "the block that signs this outcome is not decided yet; ask again in a moment", "height", least)
		case <-tip.Next():
		}
	}
}

// Receipt implements api.Ledger.
func (l *ledger) Receipt(ctx context.Context, id [32]byte, trusted int64) ([]byte, error) {
	e, err := l.committed(ctx, id)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	height, block, err := l.proven(ctx, max(e.Outcome.GetHeight()+1, trusted))
	if err != nil {
		return nil, err
	}
	return l.receipt(e.Outcome.GetSeq(), trusted, height, block, false)
}

// committed is a transaction of which there can be a receipt.
func (l *ledger) committed(ctx context.Context, id [32]byte) (api.Entry, error) {
	e, ok, err := l.locate(ctx, id)
	if err != nil {
		return e, err
	}
	if err := l.pruned(id); !ok && err != nil {
		return e, err
	}
	if index := l.store.index; !ok && index != nil && index.Seq() < l.Size() {
		return e, fault.New("tx.unknown", fmt.Sprintf("this node's index has no transaction with this id yet, and %d are still to come; ask again when it has caught up", l.Size()-index.Seq()),
			"tx", fmt.Sprintf("%x", id), "missing", l.Size()-index.Seq())
	}
	if !ok {
		return e, fault.New("tx.unknown", "no transaction with this id has been committed", "tx", fmt.Sprintf("%x", id))
	}
	return e, nil
}

// receipt is that of an outcome on the header of height, which signs what was after block; witnessed: with the cosignatures
// of that header's checkpoint.
func (l *ledger) receipt(seq uint64, trusted, height int64, block *store.Block, witnessed bool) ([]byte, error) {
	path, err := l.store.History().Inclusion(seq, block.HistorySize)
	if err != nil {
		return nil, err
	}
	stored, err := l.store.Entry(seq)
	if err != nil {
		return nil, err
	}
	leaf := light.Leaf{Transaction: stored.Raw, Outcome: stored.Outcome, Size: block.HistorySize, StateRoot: block.StateRoot}
	for _, node := range path {
		leaf.Path = append(leaf.Path, [32]byte(node))
	}
	if witnessed {
		file, err := l.checkpoint(height, height, block)
		if err != nil {
			return nil, err
		}
		c, err := proof.DecodeCheckpoint(file)
		if err != nil {
			return nil, err
		}
		leaf.Cosignatures = c.Lines
	}
	return light.BuildReceipt(source{l.engine, l.store}, trusted, height, leaf)
}

// proofTimeout is how long a caller waits for the block that signs an outcome.
const proofTimeout = 5 * time.Second

// locate finds a transaction, giving the index a moment to catch up with what was just committed.
func (l *ledger) locate(ctx context.Context, id [32]byte) (api.Entry, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	for {
		e, ok, err := l.look(id)
		if ok || err != nil || l.store.index == nil || l.store.index.Seq() >= l.Size() {
			return e, ok, err
		}
		select {
		case <-ctx.Done():
			return e, false, nil
		case <-time.After(indexPoll):
		}
	}
}

// indexPoll is how often a lagging index is looked at again.
const indexPoll = 20 * time.Millisecond

// Checkpoint implements api.Ledger.
func (l *ledger) Checkpoint(ctx context.Context, trusted int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	height, block, err := l.proven(ctx, trusted)
	if err != nil {
		return nil, err
	}
	return l.checkpoint(trusted, height, block)
}

func (l *ledger) checkpoint(trusted, height int64, block *store.Block) ([]byte, error) {
	root, err := l.store.History().Root(block.HistorySize)
	if err != nil {
		return nil, err
	}
	file, err := light.BuildCheckpoint(source{l.engine, l.store}, trusted, height, block.HistorySize, root, block.StateRoot)
	if err != nil {
		return nil, err
	}
	return l.withCosignatures(file)
}

// StateProof implements api.Ledger.
func (l *ledger) StateProof(ctx context.Context, key []byte) (*api.StateProof, error) {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	height, block, err := l.proven(ctx, 0)
	if err != nil {
		return nil, err
	}
	tip, tree, ok := l.engine.TipAt(height - 1)
	if !ok {
		return nil, fault.New("state.pruned", "the state of this height is not kept for proofs any more; ask again", "height", height-1)
	}
	p, err := tree.Prove(key)
	if err != nil {
		return nil, err
	}
	out := &api.StateProof{Height: tip.Height, StateRoot: tip.StateRoot}
	out.Value, out.Exists = tree.Get(key)
	out.Proof, err = p.Marshal()
	if err != nil {
		return nil, fmt.Errorf("state proof: %w", err)
	}
	out.Checkpoint, err = l.checkpoint(0, height, block)
	return out, err
}

// Status implements api.Ledger.
func (l *ledger) Status() api.Status {
	t := l.engine.Tip()
	perSecond, finality := l.stats.average()
	return api.Status{
		Member: l.member, Height: t.Height, Time: time.UnixMilli(t.Time).UTC(), AppHash: t.AppHash, StateRoot: t.StateRoot,
		HistoryRoot: t.HistoryRoot, StateKeys: t.Keys, Transactions: t.HistorySize, Peers: l.engine.Peers(), CatchingUp: l.engine.CatchingUp(),
		TransactionsPerSecond: perSecond, Finality: finality, PoolTransactions: l.engine.Pool().Size(), PoolCapacity: consensus.PoolTxs,
		Version: l.version,
	}
}

// Genesis implements api.Ledger.
func (l *ledger) Genesis() *genesis.Genesis { return l.genesis }
