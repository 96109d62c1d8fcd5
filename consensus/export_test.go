package consensus

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/p2p"

	"github.com/dureledger/dure/ledger/tx"
)

// Hostile is the engine of a member that breaks the rules when told to, and keeps them otherwise.
type Hostile struct {
	*Engine
	app   *hostileApp
	salts uint64
}

// hostileApp proposes what it is told to and finds every proposal good.
type hostileApp struct {
	*app
	bad atomic.Pointer[[][]byte]
}

func NewHostile(ctx context.Context, c Config) (*Hostile, error) {
	h := &Hostile{Engine: assemble(c)}
	h.app = &hostileApp{app: h.Engine.app}
	return h, h.connect(ctx, h.app)
}

func (a *hostileApp) PrepareProposal(ctx context.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	if bad := a.bad.Load(); bad != nil {
		return &abci.ResponsePrepareProposal{Txs: *bad}, nil
	}
	return a.app.PrepareProposal(ctx, req)
}

func (a *hostileApp) ProcessProposal(context.Context, *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

// Propose makes these batches its proposals; none: it proposes as everybody.
func (h *Hostile) Propose(batches ...[]byte) {
	if len(batches) == 0 {
		h.app.bad.Store(nil)
		return
	}
	h.app.bad.Store(&batches)
}

// Seal makes a batch, another one each time.
func (h *Hostile) Seal(txs []*tx.Tx, expires time.Time) ([]byte, error) {
	h.salts++
	b, err := sealBatch(h.config.Genesis.NetworkID, h.config.Member, h.config.NodeKey, txs, expires.UnixMilli(), h.salts)
	if err != nil {
		return nil, err
	}
	return b.raw, nil
}

// Push sends a batch to all others and waits until it has left.
func (h *Hostile) Push(raw []byte) { h.Send(pushFrame(raw).bytes) }

// Announce sends as many hashes as one frame holds, of batches that do not exist.
func (h *Hostile) Announce() {
	hashes := make([]Hash, maxHashes)
	for i := range hashes {
		h.salts++
		binary.BigEndian.PutUint64(hashes[i][:], h.salts)
	}
	h.Send(hashesFrame(frameAnnounce, hashes).bytes)
}

// Send sends any bytes to all others.
func (h *Hostile) Send(b []byte) {
	h.node.Switch().Peers().ForEach(func(peer p2p.Peer) {
		peer.Send(p2p.Envelope{ChannelID: batchChannel, Message: &frame{b}})
	})
}
