package consensus

import (
	"context"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/dureledger/dure/ledger/exec"
)

// Snapshot is a state that a node offers to others, as its peers see it.
type Snapshot struct {
	Height   int64
	Format   uint32
	Chunks   uint32
	Hash     []byte // of Metadata
	Metadata []byte
}

// Snapshots are the states that this node offers to new nodes, and the one that it begins with itself. Chunks have at most
// MaxSnapshotChunk bytes.
type Snapshots interface {
	// List gives the snapshots there are, at most ten.
	List() ([]Snapshot, error)
	// Chunk gives a piece of one of them.
	Chunk(height int64, index uint32) ([]byte, error)
	// Begin prepares to receive a snapshot and forgets what was received before. It refuses what cannot be one.
	Begin(s Snapshot) error
	// Take receives a piece and refuses it if it is not the one that the snapshot's metadata announces.
	Take(index uint32, chunk []byte) error
	// Finish checks everything received against the app hash that the validators signed, stores it, and returns the
	// ledger as of that height. time is the block's. If it refuses, nothing has been stored.
	Finish(height, time int64, appHash [32]byte) (*exec.Ledger, error)
}

// MaxSnapshotChunk bounds a chunk: CometBFT's message is at most 16 MB.
const MaxSnapshotChunk = 15 << 20

// incoming is the snapshot being received.
type incoming struct {
	Snapshot
	appHash [32]byte
	senders map[uint32]string
}

// ListSnapshots implements abci.Application.
func (a *app) ListSnapshots(context.Context, *abci.RequestListSnapshots) (*abci.ResponseListSnapshots, error) {
	out := &abci.ResponseListSnapshots{}
	if a.snapshots == nil {
		return out, nil
	}
	list, err := a.snapshots.List()
	if err != nil {
		a.log.Warn("snapshots cannot be listed", "error", err)
		return out, nil
	}
	for _, s := range list {
		out.Snapshots = append(out.Snapshots, &abci.Snapshot{
			Height: uint64(s.Height), Format: s.Format, Chunks: s.Chunks, Hash: s.Hash, Metadata: s.Metadata,
		})
	}
	return out, nil
}

// LoadSnapshotChunk implements abci.Application. A chunk that is gone is answered empty, which says so.
func (a *app) LoadSnapshotChunk(_ context.Context, req *abci.RequestLoadSnapshotChunk) (*abci.ResponseLoadSnapshotChunk, error) {
	if a.snapshots == nil {
		return &abci.ResponseLoadSnapshotChunk{}, nil
	}
	chunk, err := a.snapshots.Chunk(int64(req.Height), req.Chunk)
	if err != nil {
		a.log.Warn("a piece of a snapshot that a peer asked for cannot be read", "height", req.Height, "chunk", req.Chunk, "error", err)
		chunk = nil
	}
	return &abci.ResponseLoadSnapshotChunk{Chunk: chunk}, nil
}

// OfferSnapshot implements abci.Application. The app hash in it is verified; the rest is what peers say.
func (a *app) OfferSnapshot(_ context.Context, req *abci.RequestOfferSnapshot) (*abci.ResponseOfferSnapshot, error) {
	s := req.GetSnapshot()
	if a.snapshots == nil || a.provider == nil || len(req.GetAppHash()) != 32 {
		return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_ABORT}, nil
	}
	in := &incoming{
		Snapshot: Snapshot{Height: int64(s.GetHeight()), Format: s.GetFormat(), Chunks: s.GetChunks(), Hash: s.GetHash(), Metadata: s.GetMetadata()},
		appHash:  [32]byte(req.GetAppHash()), senders: map[uint32]string{},
	}
	if err := a.snapshots.Begin(in.Snapshot); err != nil {
		a.log.Warn("a snapshot was refused", "height", in.Height, "error", err)
		return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_REJECT_SENDER}, nil
	}
	a.incoming = in
	a.log.Info("beginning with a snapshot", "height", in.Height, "chunks", in.Chunks)
	return &abci.ResponseOfferSnapshot{Result: abci.ResponseOfferSnapshot_ACCEPT}, nil
}

// ApplySnapshotChunk implements abci.Application. Whoever sends what the snapshot does not announce is named and asked no
// more; if the whole does not have the signed app hash, all who sent of it are.
func (a *app) ApplySnapshotChunk(_ context.Context, req *abci.RequestApplySnapshotChunk) (*abci.ResponseApplySnapshotChunk, error) {
	in := a.incoming
	if in == nil {
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ABORT}, nil
	}
	if err := a.snapshots.Take(req.Index, req.Chunk); err != nil {
		a.log.Warn("a peer sent a false piece of a snapshot and is asked no more", "peer", req.Sender, "chunk", req.Index, "error", err)
		return &abci.ResponseApplySnapshotChunk{
			Result: abci.ResponseApplySnapshotChunk_ACCEPT, RefetchChunks: []uint32{req.Index}, RejectSenders: []string{req.Sender},
		}, nil
	}
	in.senders[req.Index] = req.Sender
	if len(in.senders) < int(in.Chunks) {
		return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ACCEPT}, nil
	}
	a.incoming = nil
	if err := a.adopt(in); err != nil {
		out := &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT, RejectSenders: in.peers()}
		a.log.Error("a snapshot is not the state that the validators signed; its senders are asked no more", "height", in.Height,
			"peers", out.RejectSenders, "error", err)
		return out, nil
	}
	return &abci.ResponseApplySnapshotChunk{Result: abci.ResponseApplySnapshotChunk_ACCEPT}, nil
}

// adopt makes a snapshot that was received in full the ledger.
func (a *app) adopt(in *incoming) error {
	header, err := a.provider.headerOf(in.Height)
	if err != nil {
		return err
	}
	l, err := a.snapshots.Finish(in.Height, header.Time.UnixMilli(), in.appHash)
	if err != nil {
		return err
	}
	if l.Height() != in.Height || l.AppHash() != in.appHash {
		return fmt.Errorf("the ledger of the snapshot is at block %d with another app hash", l.Height())
	}
	a.window.Lock()
	a.ledger = l
	a.window.Unlock()
	a.publish()
	a.log.Info("the snapshot is verified and stored", "height", in.Height)
	return nil
}

// peers are those that sent of it, once each.
func (in *incoming) peers() []string {
	var out []string
	seen := map[string]bool{}
	for i := range in.Chunks {
		if peer := in.senders[i]; !seen[peer] {
			seen[peer] = true
			out = append(out, peer)
		}
	}
	return out
}
