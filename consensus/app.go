package consensus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/p2p"
	cmttime "github.com/cometbft/cometbft/types/time"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// staleAfter is how far behind this node's clock a proposed block's time may be before the proposer leaves the block
// empty: block time is the median of the votes for the block before, so after an idle hour it is an hour old, and
// transactions would seem to be valid too far ahead.
const staleAfter = 3 * time.Second

// notSaved is in the error of a block that the store did not take.
const notSaved = "could not be saved"

// Store keeps what was decided.
type Store interface {
	// SaveGenesis keeps the first state.
	SaveGenesis(changes []state.Change) error
	// Save returns when the block's outcomes are on disk. Saving the same block again, after a crash, does nothing.
	Save(r *exec.Result, batches []BatchRef) error
}

// Tip is the ledger after a block, for readers. It never changes.
type Tip struct {
	Height      int64
	Time        int64
	Keys        int // of the state
	HistorySize uint64
	StateRoot   [32]byte
	HistoryRoot [32]byte
	AppHash     [32]byte
	Parameters  *networkv1.Parameters
	Members     []*networkv1.Member

	nodeKeys map[tx.Address][]byte
	next     chan struct{}

	versions *versions
	tree     *state.Tree // nil when retired
	lent     atomic.Bool
}

// Next is closed when a later block is committed.
func (t *Tip) Next() <-chan struct{} { return t.next }

func (t *Tip) nodeKey(sealer tx.Address) []byte { return t.nodeKeys[sealer] }

// app is the ABCI side: CometBFT's three connections call it concurrently.
type app struct {
	abci.BaseApplication
	genesis  *genesis.Genesis
	ledger   *exec.Ledger // changed only by the consensus connection, under window
	versions versions     // of its state
	window   sync.RWMutex
	store    Store
	verifier *Verifier
	shelf    *shelf
	log      *slog.Logger
	metrics  *appMetrics
	trail    *Trail
	// awaited says whether a peer that this node was told to dial may help it to catch up; it may have become a member
	// in blocks that this node does not know yet.
	awaited func(id string) bool
	// snapshots are offered to new nodes; with provider this node begins with one of a peer's itself.
	snapshots Snapshots
	provider  *provider
	incoming  *incoming
	first     chan struct{} // closed with the first tip
	retain    func(height int64) int64
	// committed is called after each block, in order, with what it decided and the batches that can no longer be decided.
	committed func(r *exec.Result, tip *Tip, decided []BatchRef, expired []*batch)
	// patience is how long CometBFT waits for a proposal. Its consensus reads it in the goroutine in which it has blocks executed.
	patience *time.Duration
	began    time.Time // to execute the last block

	tip     atomic.Pointer[Tip]
	halt    atomic.Pointer[error] // why a block could not be executed
	pending *exec.Result
	refs    []BatchRef

	mu     sync.Mutex
	recent map[int64]*Tip
}

// recentTips is how many versions of the state are kept for proofs.
const recentTips = 4

// publish makes the ledger's newest version visible to readers.
func (a *app) publish() *Tip {
	l := a.ledger
	t := &Tip{
		Height: l.Height(), Time: l.Time(), Keys: l.Tree().Len(), HistorySize: l.HistorySize(), StateRoot: l.Tree().Root(),
		HistoryRoot: l.HistoryRoot(), AppHash: l.AppHash(), Parameters: l.Parameters(), Members: l.Members(),
		nodeKeys: map[tx.Address][]byte{}, next: make(chan struct{}), versions: &a.versions, tree: l.Tree(),
	}
	for _, m := range t.Members {
		t.nodeKeys[tx.Address(m.GetAddress())] = m.GetNodeKey()
	}
	a.mu.Lock()
	a.recent[t.Height] = t
	past, next := a.recent[t.Height-recentTips], a.recent[t.Height-recentTips+1]
	delete(a.recent, t.Height-recentTips)
	a.mu.Unlock()
	if old := a.tip.Swap(t); old != nil {
		close(old.next)
	} else if a.first != nil {
		close(a.first)
	}
	if past != nil {
		a.versions.retire(past, next)
	}
	return t
}

// findRecent looks a transaction up in the replay window.
func (a *app) findRecent(id [32]byte, notAfter int64) (exec.Place, bool) {
	a.window.RLock()
	defer a.window.RUnlock()
	return a.ledger.Find(id, notAfter)
}

// search is findRecent for those who do not know when the id expires.
func (a *app) search(id [32]byte) (exec.Place, bool) {
	a.window.RLock()
	defer a.window.RUnlock()
	return a.ledger.Search(id)
}

// tipAt returns a recent version.
func (a *app) tipAt(height int64) (*Tip, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.recent[height]
	return t, ok
}

// Info tells CometBFT how far the ledger is; it replays what is missing.
func (a *app) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	out := &abci.ResponseInfo{LastBlockHeight: a.ledger.Height()}
	if out.LastBlockHeight > 0 {
		hash := a.ledger.AppHash()
		out.LastBlockAppHash = hash[:]
	}
	return out, nil
}

// InitChain writes the first state.
func (a *app) InitChain(_ context.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	if req.ChainId != a.genesis.NetworkID {
		return nil, fmt.Errorf("consensus is for network %s, the genesis file for %s", req.ChainId, a.genesis.NetworkID)
	}
	changes, err := a.ledger.Genesis(a.genesis.Genesis)
	if err != nil {
		return nil, err
	}
	if err := a.store.SaveGenesis(changes); err != nil {
		return nil, err
	}
	a.publish()
	hash := a.ledger.AppHash()
	return &abci.ResponseInitChain{AppHash: hash[:]}, nil
}

// CheckTx lets into the mempool only hashes of batches that are on the shelf.
func (a *app) CheckTx(_ context.Context, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	if len(req.Tx) == len(Hash{}) {
		if _, waits := a.shelf.get(Hash(req.Tx)); waits {
			return &abci.ResponseCheckTx{}, nil
		}
	}
	return &abci.ResponseCheckTx{Code: 1, Log: "not the hash of a batch that waits"}, nil
}

// PrepareProposal fills a block with batches that ProcessProposal will accept.
func (a *app) PrepareProposal(_ context.Context, req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	defer a.metrics.time(stagePrepare)()
	if cmttime.Now().Sub(req.Time) > staleAfter {
		return &abci.ResponsePrepareProposal{}, nil
	}
	rules := newProposalRules(a.tip.Load(), a.shelf, req.Time.UnixMilli())
	return &abci.ResponsePrepareProposal{Txs: fill(a.shelf.lines(), rules, req.Height, req.MaxTxBytes)}, nil
}

// ProcessProposal accepts a block in which every batch is good; what this node has verified is only looked up.
func (a *app) ProcessProposal(_ context.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	defer a.metrics.time(stageProcess)()
	rules := newProposalRules(a.tip.Load(), a.shelf, req.Time.UnixMilli())
	for _, raw := range req.Txs {
		if err := a.judge(rules, raw); err != nil {
			a.log.Warn("proposal refused", "height", req.Height, "member", rules.tip.validatorName(req.ProposerAddress), "proposer", fmt.Sprintf("%X", req.ProposerAddress), "error", err)
			a.metrics.proposalRefused(rules.tip, req.ProposerAddress)
			return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
		}
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

// judge says whether a batch may be in a proposed block. The limits come before the signatures, so that a proposer can
// make others work no more than a block may, nor remember a batch that will never expire.
func (a *app) judge(rules *proposalRules, raw []byte) error {
	hash, began := sha256.Sum256(raw), time.Now()
	b, verified := a.verifier.Find(hash)
	if !verified {
		var err error
		if b, err = decodeBatch(a.genesis.NetworkID, raw, rules.tip.nodeKey); err != nil {
			return err
		}
	}
	err := rules.allow(b)
	if err == nil && !verified {
		if _, err = a.verifier.Verify(hash, raw, rules.tip.nodeKey); err == nil {
			a.trail.arrived(b, began)
		}
	}
	return err
}

// FinalizeBlock executes a decided block. It decides by the state before the block and the bytes alone, so replay and
// block sync, which skip ProcessProposal, come to the same result.
func (a *app) FinalizeBlock(_ context.Context, req *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	defer a.metrics.time(stageExecute)()
	a.began = time.Now()
	block := exec.Block{Height: req.Height, Time: req.Time.UnixMilli()}
	a.refs = a.refs[:0]
	tip := a.tip.Load()
	results := make([]*abci.ExecTxResult, len(req.Txs))
	for i, raw := range req.Txs {
		results[i] = &abci.ExecTxResult{}
		b, err := a.verifier.Verify(sha256.Sum256(raw), raw, tip.nodeKey)
		if b != nil && checkSealer(tip, b) != nil { // verified under an older node key: as if read now
			b, err = nil, checkSealer(tip, b)
		}
		if b != nil {
			a.refs = append(a.refs, BatchRef{b.hash, b.header.GetExpiresAt()})
		}
		block.Batches = append(block.Batches, decidedBatch(b, err))
	}
	block.Misbehaviours = a.misbehaviours(tip, req.Misbehavior)
	a.versions.release()
	a.pending = a.ledger.Execute(block)
	if halt := a.pending.Halt; halt != nil {
		a.pending = nil
		err := fmt.Errorf("block %d is not executed: %w", req.Height, halt)
		a.halt.Store(&err)
		a.log.Error("this node stops", "error", err)
		return nil, err
	}
	if keys := givenKeys(&block, a.pending); len(keys) > 0 {
		go a.verifier.expect(keys)
	}
	a.metrics.executed(tip, &block, a.pending)
	a.trail.executed(a.began)
	for _, what := range a.pending.Broken {
		a.log.Error("a fault of the software refused a transaction; please report it", "height", req.Height, "what", what)
	}
	out := &abci.ResponseFinalizeBlock{TxResults: results, AppHash: a.pending.AppHash[:]}
	for _, v := range a.pending.Validators {
		update, err := validatorUpdate(v)
		if err != nil {
			return nil, err
		}
		out.ValidatorUpdates = append(out.ValidatorUpdates, update)
	}
	return out, nil
}

func decidedBatch(b *batch, err error) exec.Batch {
	switch {
	case b == nil:
		return exec.Batch{Bad: err}
	case err != nil:
		return exec.Batch{Sealer: b.sealer, Bad: err}
	}
	return exec.Batch{Sealer: b.sealer, Txs: b.txs}
}

// Commit makes the block durable, adopts it, and tells those who wait.
func (a *app) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	defer a.metrics.time(stageCommit)()
	r := a.pending
	saved := a.metrics.time(stageSave)
	if err := a.store.Save(r, a.refs); err != nil {
		return nil, fmt.Errorf("block %d %s, so this node stops: %w", r.Height, notSaved, err)
	}
	saved()
	a.window.Lock()
	a.ledger.Commit(r)
	a.window.Unlock()
	a.pending = nil
	tip := a.publish()
	a.metrics.committed(r, len(a.refs), tip)
	a.trail.committed(r, tip)
	expired := a.shelf.advance(a.refs, r.Time)
	for _, ref := range a.refs {
		a.verifier.Forget(ref.Hash)
	}
	a.verifier.Prune(r.Time)
	a.committed(r, tip, a.refs, expired)
	*a.patience = patience(time.Since(a.began))
	out := &abci.ResponseCommit{}
	if a.retain != nil {
		out.RetainHeight = a.retain(r.Height)
	}
	return out, nil
}

// Query answers CometBFT's question whether a peer may connect: only members' nodes may.
func (a *app) Query(_ context.Context, req *abci.RequestQuery) (*abci.ResponseQuery, error) {
	id, ok := strings.CutPrefix(req.Path, "/p2p/filter/id/")
	if !ok {
		return &abci.ResponseQuery{}, nil // addresses are not filtered, keys are
	}
	if a.awaited != nil && a.awaited(id) {
		return &abci.ResponseQuery{}, nil
	}
	tip := a.tip.Load()
	if tip == nil { // before genesis is written the genesis file decides
		return peerAnswer(a.genesis.GetNetwork().GetMembers(), id), nil
	}
	return peerAnswer(tip.Members, id), nil
}

func peerAnswer(members []*networkv1.Member, id string) *abci.ResponseQuery {
	for _, m := range members {
		if string(p2p.PubKeyToID(ed25519.PubKey(m.GetNodeKey()))) == id {
			return &abci.ResponseQuery{}
		}
	}
	return &abci.ResponseQuery{Code: 1, Log: "not a member's node"}
}

// proposalRules are the limits of one block.
type proposalRules struct {
	tip   *Tip
	shelf *shelf
	time  int64
	seen  map[Hash]bool
	bytes map[tx.Address]uint64
	work  map[tx.Address]uint64
}

func newProposalRules(tip *Tip, s *shelf, time int64) *proposalRules {
	return &proposalRules{tip, s, time, map[Hash]bool{}, map[tx.Address]uint64{}, map[tx.Address]uint64{}}
}

// allow counts a batch into the block or says why it may not be in it.
func (p *proposalRules) allow(b *batch) error {
	expires := b.header.GetExpiresAt()
	bytes, work := p.bytes[b.sealer]+uint64(len(b.raw)), p.work[b.sealer]+b.header.GetSignatures()
	switch {
	case checkSealer(p.tip, b) != nil:
		return checkSealer(p.tip, b)
	case expires < p.time:
		return errors.New("batch: expired")
	case expires > p.time+MaxBatchLifeMS:
		return errors.New("batch: expires too far ahead")
	case p.seen[b.hash] || p.shelf.wasDecided(b.hash):
		return errors.New("batch: decided already")
	case bytes > p.tip.Parameters.GetMaxSealerBytes():
		return fmt.Errorf("%w: bytes of %v", errQuota, b.sealer)
	case work > p.tip.Parameters.GetMaxSealerSignatures():
		return fmt.Errorf("%w: signature work of %v", errQuota, b.sealer)
	}
	p.seen[b.hash], p.bytes[b.sealer], p.work[b.sealer] = true, bytes, work
	return nil
}

// checkSealer says whether the sealer is still the member it was when the seal was checked.
func checkSealer(tip *Tip, b *batch) error {
	if key := tip.nodeKey(b.sealer); key == nil || string(key) != string(b.key) {
		return fmt.Errorf("batch: %v is no member, or has another node key now", b.sealer)
	}
	return nil
}
