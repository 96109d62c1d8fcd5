package consensus

import (
	"bytes"
	"context"
	stded25519 "crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/service"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	rpccore "github.com/cometbft/cometbft/rpc/core"
	cmttypes "github.com/cometbft/cometbft/types"
	cmttime "github.com/cometbft/cometbft/types/time"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Config is what an Engine starts from.
type Config struct {
	// Home is the folder for CometBFT's own data and the validator's signing state.
	Home    string
	Genesis *genesis.Genesis
	// Member is the account of the member this node belongs to; NodeKey its node key, ValidatorKey its voting key.
	Member       tx.Address
	NodeKey      stded25519.PrivateKey
	ValidatorKey ValidatorKey
	// Signer, if set, holds the voting key in a process of its own; ValidatorKey is not used then.
	Signer *Signer
	// Listen is host:port for peers; Peers are id@host:port of the other members' nodes.
	Listen string
	Peers  []string
	// Rules and Ledger are what runs: the ledger as of the last saved block.
	Rules  exec.Rules
	Ledger *exec.Ledger
	// Decided are batches of recent blocks that have not expired.
	Decided []BatchRef
	Store   Store
	Past    Past
	Log     *slog.Logger
	// Metrics is where the stages' and CometBFT's metrics are registered; nil: nowhere.
	Metrics prometheus.Registerer
	// Trail records traces of transactions; nil: none.
	Trail *Trail
	// OnCommit, if set, is called after every block, in order; it must return quickly.
	OnCommit func(*exec.Result, *Tip)
	// Retain, if set, is asked after every block for the height below which blocks may go; 0 for none.
	Retain func(height int64) int64
	// Snapshots, if set, are offered to new nodes. With Sync as well, a node without data begins with one of its peers'.
	Snapshots Snapshots
	Sync      *Sync
}

// Engine is a running member of the network's consensus.
type Engine struct {
	config  Config
	app     *app
	pool    *Pool
	sealer  *sealer
	reactor *Reactor
	node    *cmtnode.Node
	signer  *remoteSigner // nil when the key is in this node
	env     *rpccore.Environment
	stop    context.CancelFunc
	done    sync.WaitGroup
	died    chan struct{}
	clock   *clockWatch
	why     reason
	dbs     databases
	// compacted is the height below which Compact has nothing to do any more.
	compacted int64
	stuck     bool // it could not start
}

// NewEngine prepares CometBFT and replays blocks it has that the ledger has not.
func NewEngine(ctx context.Context, c Config) (*Engine, error) {
	e := assemble(c)
	if err := e.connect(ctx, e.app); err != nil {
		return nil, err
	}
	return e, nil
}

// assemble makes the parts of an engine and wires them.
func assemble(c Config) *Engine {
	verifier := NewVerifier(c.Genesis.NetworkID)
	e := &Engine{config: c, died: make(chan struct{}), dbs: databases{log: c.Log}, clock: &clockWatch{log: c.Log, now: cmttime.Now}}
	e.app = &app{
		genesis: c.Genesis, ledger: c.Ledger, store: c.Store, verifier: verifier, shelf: newShelf(c.Decided), log: c.Log,
		recent: map[int64]*Tip{}, committed: e.committed, snapshots: c.Snapshots, retain: c.Retain, first: make(chan struct{}),
	}
	e.app.awaited = e.awaited
	if c.Ledger.Height() > 0 {
		e.app.publish()
	}
	e.pool = newPool(c.Genesis.NetworkID, verifier, c.Rules, c.Log)
	e.pool.ready = e.ready
	e.pool.withTip, e.pool.recent, e.pool.past = e.app.withTip, e.app.findRecent, c.Past
	e.pool.undecided = func(h Hash) bool { _, waits := e.app.shelf.get(h); return waits }
	e.sealer = &sealer{pool: e.pool, member: c.Member, key: c.NodeKey, publish: e.publish, within: sealWithin}
	e.reactor = newReactor(e, c.Log)
	e.measure(c.Metrics)
	e.pool.trail, e.app.trail = c.Trail, c.Trail
	return e
}

// connect prepares CometBFT to run an application, which replays the blocks that it lacks.
func (e *Engine) connect(ctx context.Context, a abci.Application) error {
	config := cometConfig(e.config)
	e.app.patience = &config.Consensus.TimeoutPropose
	validator, err := e.validator(config)
	if err != nil {
		return err
	}
	err = guarded(config.DBDir(), e.config.Log, func() (err error) {
		if e.node, err = newNode(ctx, e.config, config, validator, e.app, a, e.reactor, &e.why, &e.dbs); err == nil {
			e.env, err = e.node.ConfigureRPC()
		}
		return err
	})
	if err != nil {
		e.closeSigner()
		err = errors.Join(err, e.dbs.close())
		if halt := e.app.halt.Load(); halt != nil { // said better than by CometBFT, which replayed the block
			return fmt.Errorf("consensus: %w", *halt)
		}
		return err
	}
	return nil
}

// validator is what signs this member's votes: the key in this node's folder, or the signer.
func (e *Engine) validator(config *cmtcfg.Config) (cmttypes.PrivValidator, error) {
	c := &e.config
	if err := errors.Join(makeFolders(config), noKeyCopy(config)); err != nil {
		return nil, err
	}
	if c.Signer == nil {
		return openValidator(config, *c, e.app)
	}
	var err error
	e.signer, err = listenForSigner(*c.Signer, c.Genesis.NetworkID, c.NodeKey, c.Log)
	return e.signer, err
}

// closeSigner lets nothing wait for the signer any more.
func (e *Engine) closeSigner() {
	if e.signer != nil {
		_ = e.signer.Close()
		e.signer.done.Wait()
	}
}

// newNode makes the CometBFT node of a, which is own or stands before it.
func newNode(ctx context.Context, c Config, config *cmtcfg.Config, validator cmttypes.PrivValidator, own *app, a abci.Application, r *Reactor, why *reason,
	dbs *databases) (*cmtnode.Node, error) {
	doc, err := genesisDoc(c.Genesis)
	if err != nil {
		return nil, err
	}
	options := []cmtnode.Option{cmtnode.CustomReactors(map[string]p2p.Reactor{"DURE": r})}
	if c.Sync != nil && own.ledger.Height() == 0 {
		own.provider = newProvider(c, doc)
		config.StateSync.Enable, config.StateSync.TempDir = true, config.DBDir()
		config.StateSync.DiscoveryTime = 5 * time.Second // the least there is
		options = append(options, cmtnode.StateProvider(own.provider))
	}
	node, err := cmtnode.NewNodeWithContext(ctx, config, validator, &p2p.NodeKey{PrivKey: ed25519.PrivKey(c.NodeKey)},
		proxy.NewConnSyncLocalClientCreator(a), func() (*cmttypes.GenesisDoc, error) { return doc, nil },
		checkedDB(dbs.provide, c.Log), cometMetrics(c.Metrics), &logger{c.Log, why},
		options...)
	if err != nil {
		return nil, startError(config.DBDir(), err)
	}
	return node, nil
}

// Start joins the network.
func (e *Engine) Start() error {
	if e.signer != nil {
		e.signer.wait()
	}
	if err := guarded(cometConfig(e.config).DBDir(), e.config.Log, e.node.Start); err != nil {
		e.stuck = true
		return fmt.Errorf("consensus: %w", err)
	}
	if e.signer != nil {
		passed := passedBy(e.node.Switch())
		e.signer.passed.Store(&passed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.stop = cancel
	dial := &dialer{sw: e.node.Switch(), self: p2p.PubKeyToID(ed25519.PubKey(e.config.NodeKey.Public().(stded25519.PublicKey))), peers: e.config.Peers, log: e.config.Log}
	lag := &laggard{here: e.place, further: e.further, redial: e.node.Switch().StopPeerForError, log: e.config.Log}
	go e.watch()
	e.done.Add(4)
	go func() { defer e.done.Done(); dial.run(ctx) }()
	go func() { defer e.done.Done(); e.pool.verify(ctx) }()
	go func() { defer e.done.Done(); e.sealer.run(ctx) }()
	go func() { defer e.done.Done(); lag.run(ctx, e.died) }()
	return nil
}

// watch closes died. When a block cannot be executed or saved CometBFT ends its consensus routine and nothing else: the
// node would seem to run for ever.
func (e *Engine) watch() {
	halted := make(chan struct{})
	if routine, ok := e.env.ConsensusState.(interface{ Wait() }); ok {
		go func() { routine.Wait(); close(halted) }()
	}
	select {
	case <-halted:
	case <-e.node.Quit():
	}
	close(e.died)
}

// Stop leaves the network and waits until nothing runs any more. It may be called on an engine that did not start.
func (e *Engine) Stop() error {
	if e.stop != nil {
		e.stop()
		e.done.Wait()
	}
	defer e.closeSigner()
	if e.stuck { // CometBFT would wait for ever for what it did not start
		return e.dbs.close()
	}
	err := e.node.Stop()
	if errors.Is(err, service.ErrNotStarted) {
		return nil
	}
	e.node.Wait()
	return err
}

// Err is why consensus ended by itself, nil if it did not.
func (e *Engine) Err() error {
	if halt := e.app.halt.Load(); halt != nil {
		return *halt
	}
	if err := e.why.get(); err != nil {
		return explain(cometConfig(e.config).DBDir(), err)
	}
	return nil
}

// Ready is closed when there is a ledger: at once, unless the node begins with a snapshot.
func (e *Engine) Ready() <-chan struct{} { return e.app.first }

// Died is closed when consensus has stopped, also by itself because it could not go on.
func (e *Engine) Died() <-chan struct{} { return e.died }

// awaited implements app.awaited.
func (e *Engine) awaited(id string) bool {
	return e.CatchingUp() && slices.ContainsFunc(e.config.Peers, func(peer string) bool { return strings.HasPrefix(peer, id+"@") })
}

// ready refuses transactions while this node could not have them ordered; another node may.
func (e *Engine) ready() *fault.Error {
	if e.CatchingUp() {
		return fault.New("node.catching_up", "this node is still catching up with the others; ask another, or again in a moment")
	}
	if key := e.Tip().nodeKey(e.config.Member); !bytes.Equal(key, e.config.NodeKey.Public().(stded25519.PublicKey)) {
		return fault.New("node.no_member", "this node does not run for a member, so what it seals is refused; ask another, and check its setting member and its node key",
			"member", e.config.Member)
	}
	return e.clock.refusal()
}

// Pool takes transactions.
func (e *Engine) Pool() *Pool { return e.pool }

// Tip is the newest committed ledger; nil before the first state is written.
func (e *Engine) Tip() *Tip { return e.app.tip.Load() }

// State is the newest committed state, and its height.
func (e *Engine) State() (*state.Tree, int64) {
	for {
		tip := e.Tip()
		if tree := tip.Tree(); tree != nil { // else others have come since
			return tree, tip.Height
		}
	}
}

// TipAt returns one of the last versions and its state.
func (e *Engine) TipAt(height int64) (*Tip, *state.Tree, bool) {
	tip, ok := e.app.tipAt(height)
	if !ok {
		return nil, nil, false
	}
	tree := tip.Tree()
	return tip, tree, tree != nil
}

// Recent finds where a transaction without a once key was applied, if it has not expired since.
func (e *Engine) Recent(id [32]byte) (exec.Place, bool) { return e.app.search(id) }

// Waiting is how many batches wait to be decided.
func (e *Engine) Waiting() int { return e.app.shelf.size() }

// Peers is how many other nodes are connected.
func (e *Engine) Peers() int { return e.node.Switch().Peers().Size() }

// CatchingUp says whether blocks are still fetched from others.
func (e *Engine) CatchingUp() bool { return e.node.ConsensusReactor().WaitSync() }

// committed follows a block: answers, then what was not decided in time.
func (e *Engine) committed(r *exec.Result, tip *Tip, decided []BatchRef, expired []*batch) {
	e.pool.decided(r)
	live := e.node != nil && !e.CatchingUp() && len(e.further(r.Height+1)) == 0 // no node yet: replayed
	e.clock.block(time.UnixMilli(r.Time), live)
	for _, b := range expired {
		if b.sealer == e.config.Member {
			e.pool.unsealed(b, r.Time)
		}
	}
	if e.node != nil {
		e.withdraw(decided, expired)
	}
	if e.config.OnCommit != nil {
		e.config.OnCommit(r, tip)
	}
}

// publish puts a batch of ours up for decision and sends it to the others, if there is room for it.
func (e *Engine) publish(b *batch) error {
	e.app.verifier.Add(b)
	if err := e.shelve(b); err != nil {
		e.app.verifier.Forget(b.hash)
		return err
	}
	e.reactor.Push(b.raw)
	return nil
}

// shelve puts a verified batch on the shelf and into CometBFT's mempool.
func (e *Engine) shelve(b *batch) error {
	fresh, err := e.app.shelf.put(b)
	if err != nil || !fresh {
		return err
	}
	if err := e.offer(b); err != nil {
		e.app.shelf.drop(b.hash) // what the mempool does not have would wait here for nothing
		return err
	}
	return nil
}

// accept implements batches.
func (e *Engine) accept(hash Hash, raw []byte) error {
	began := time.Now()
	tip := e.Tip()
	if tip == nil || e.CatchingUp() {
		return nil // it is announced again
	}
	if sealer, ok := claimedSealer(raw); ok && tip.nodeKey(sealer) != nil {
		if reason := e.app.shelf.unwelcome(sealer, len(raw)); reason != "" {
			e.reactor.metrics.over(tip.memberName(sealer), reason)
			return nil // it is announced again
		}
	}
	b, err := e.app.verifier.Verify(hash, raw, tip.nodeKey)
	switch {
	case errors.Is(err, errRelay):
		return err
	case err != nil:
		e.app.shelf.refuse(hash)
		e.app.shelf.disgraced(b.sealer)
		e.reactor.metrics.refuse(tip.memberName(b.sealer), refusedBad)
		return fmt.Errorf("sealer %s %v: %w", tip.memberName(b.sealer), b.sealer, err)
	}
	if expires := b.header.GetExpiresAt(); expires < tip.Time || expires > cmttime.Now().UnixMilli()+MaxBatchLifeMS {
		e.app.verifier.Forget(hash)
		e.app.shelf.refuse(hash)
		e.reactor.metrics.refuse(tip.memberName(b.sealer), refusedExpired)
		return fmt.Errorf("sealer %s %v: batch expired or valid too far ahead", tip.memberName(b.sealer), b.sealer)
	}
	e.config.Trail.arrived(b, began)
	if err := e.shelve(b); err != nil {
		e.app.verifier.Forget(hash)
		e.reactor.metrics.refuse(tip.memberName(b.sealer), refusedQuota)
		return err
	}
	e.reactor.metrics.accepted(tip.memberName(b.sealer), len(raw))
	return nil
}

func (e *Engine) holds(h Hash) bool                        { return e.app.shelf.holds(h) }
func (e *Engine) get(h Hash) ([]byte, bool)                { return e.app.shelf.get(h) }
func (e *Engine) waiting(d time.Duration, most int) []Hash { return e.app.shelf.waiting(d, most) }

// NodeID is the peer name of a node key: 40 hex digits.
func NodeID(key stded25519.PublicKey) string { return string(p2p.PubKeyToID(ed25519.PubKey(key))) }
