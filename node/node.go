package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dureledger/dure/api"
	"github.com/dureledger/dure/consensus"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
)

// Node is a running member's node.
type Node struct {
	home    Home
	config  *Config
	log     *slog.Logger
	rules   exec.Rules
	storage *storage
	index   *index.Index
	engine  *consensus.Engine
	api     *api.Server
	http    *http.Server
	listen  net.Listener
	observe *observer
	ledger  *ledger
	trace   *tracing
	admin   *admin
	snaps   *snapshots

	stopIndex context.CancelFunc
	indexDone chan error

	stopErasing context.CancelFunc // nil when nothing is erased
	erasing     chan struct{}
}

// Start starts the node of a home folder. It returns when the API answers; ctx bounds only the start. Whatever fails,
// nothing is left half-started.
func Start(ctx context.Context, home Home, config *Config, log *slog.Logger, version string) (*Node, error) {
	return StartWith(ctx, home, config, log, version, all.New())
}

// StartWith is Start of a binary with other rules than this one's: for tests of an upgrade from one to the other.
func StartWith(ctx context.Context, home Home, config *Config, log *slog.Logger, version string, rules exec.Rules) (_ *Node, err error) {
	n := &Node{home: home, config: config, log: log, rules: rules, observe: newObserver(config, log)}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Stop())
		}
	}()
	if err := home.usable(); err != nil {
		return nil, err
	}
	g, err := home.ReadGenesis()
	if err != nil {
		return nil, err
	}
	if n.listen, err = listen(config, log); err != nil {
		return nil, err
	}
	if err := n.observe.open(config); err != nil {
		return nil, err
	}
	if err := portFree(config.P2PListen); err != nil {
		return nil, err
	}
	if n.trace, err = newTracing(ctx, config, g.NetworkID, version, log); err != nil {
		return nil, err
	}
	if err := n.openStores(ctx, g); err != nil {
		return nil, err
	}
	l, err := n.startEngine(ctx, g, version)
	if err != nil {
		return nil, err
	}
	n.ledger = l
	n.measure(l)
	n.startIndex(l)
	n.startErasing(l)
	n.serve(l)
	if n.admin, err = startAdmin(n); err != nil {
		return nil, err
	}
	log.Info("node started", "network", g.NetworkID, "member", config.Member, "api", n.listen.Addr().String())
	return n, nil
}

func (n *Node) openStores(ctx context.Context, g *genesis.Genesis) (err error) {
	if err := n.forgetUnfinished(); err != nil {
		return err
	}
	dir := n.home.data("ledger")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the node's folder cannot be written: %w; choose another with --home or change its owner", err)
	}
	opts := store.Options{Logger: n.log, HistoryRoot: proof.HistoryRoot, Metrics: n.observe.registry}
	if n.storage, err = openStorage(dir, opts); err != nil {
		return err
	}
	if err := n.storage.belongs(g.NetworkID, n.home.Genesis()); err != nil {
		return err
	}
	if n.snaps, err = newSnapshots(n.home, n.config.SnapshotKeep, n.storage, n.log); err != nil {
		return err
	}
	if !n.config.Index {
		return nil
	}
	if n.index, err = n.openIndex(ctx, g); err != nil {
		return err
	}
	n.index.KeepReadings(n.config.ReadingsKeep)
	n.storage.index = n.index
	return nil
}

func (n *Node) openIndex(ctx context.Context, g *genesis.Genesis) (*index.Index, error) {
	if n.config.IndexDatabase != "" {
		return index.Connect(ctx, n.config.postgres(), g)
	}
	x, err := index.Open(filepath.Join(n.home.data(""), "index.db"), g)
	if err != nil {
		return nil, fmt.Errorf("%w; it can be deleted at any time and is made again from the ledger", err)
	}
	return x, nil
}

func (n *Node) startEngine(ctx context.Context, g *genesis.Genesis, version string) (*ledger, error) {
	member, err := tx.ParseAddress(n.config.Member)
	if err != nil {
		return nil, fault.New("config.member", fmt.Sprintf("The setting member is not a member's address: %v. Is %s there and whole? `dure init` wrote it; restore it from a backup.", err, n.home.Config()))
	}
	nodeKey, validatorKey, signer, err := n.keys()
	if err != nil {
		return nil, err
	}
	restored, decided, err := restore(n.storage, n.rules)
	if err != nil {
		return nil, err
	}
	begin, err := n.stateSync(ctx, g)
	if err != nil {
		return nil, err
	}
	l := &ledger{genesis: g, member: member, version: version, store: n.storage, stats: newStats(), log: n.log, trail: n.trace.trail,
		period: time.Duration(max(1, n.config.WitnessPeriod)) * time.Second}
	if l.cosigned, err = openCosigned(n.home, n.log); err != nil {
		return nil, err
	}
	if n.config.ReadingsKeep > 0 {
		if err := consensus.ShortenLog(n.home.data("consensus")); err != nil {
			return nil, err
		}
	}
	retain := &retainer{keep: n.config.BlocksKeep, age: n.config.ReadingsKeep, ledger: l, snaps: n.snaps, durable: -1}
	n.engine, err = consensus.NewEngine(ctx, consensus.Config{
		Home: n.home.data("consensus"), Genesis: g, Member: member, NodeKey: nodeKey, ValidatorKey: validatorKey, Signer: signer,
		Listen: n.config.P2PListen, Peers: n.config.P2PPeers, Rules: n.rules, Ledger: restored, Decided: decided,
		Store: n.storage, Past: n.storage, Log: n.log, Metrics: n.observe.registry, Trail: n.trace.trail,
		Snapshots: n.snaps, Sync: begin, Retain: retain.below,
		OnCommit: func(r *exec.Result, tip *consensus.Tip) {
			l.stats.committed(len(r.Applied))
			n.prune(r.Height)
			if n.snaps.due(r, n.config.SnapshotInterval) {
				n.snaps.make(tip)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	l.engine = n.engine
	if err := n.engine.Start(); err != nil {
		return nil, err
	}
	select {
	case <-n.engine.Ready():
		return l, nil
	case <-n.engine.Died():
		return nil, errors.New("consensus could not begin with a snapshot; the log says why. Without sync.servers the node begins with the first block")
	case <-ctx.Done():
		return nil, fmt.Errorf("stopped before a snapshot was there to begin with: %w; without sync.servers the node begins with the first block", ctx.Err())
	}
}

// pruneEvery is how many blocks pass between prunings: each looks at every key.
const pruneEvery = 5000

// prune gives up states older than the configuration keeps.
func (n *Node) prune(height int64) {
	if keep := n.config.StateKeep; keep > 0 && height > keep && height%pruneEvery == 0 {
		if err := n.storage.State().Prune(height - keep); err != nil {
			n.log.Warn("old states could not be pruned", "error", err)
		}
	}
}

// startIndex follows the ledger until Stop. A database that fails does not stop the node: the index falls behind and
// catches up later. If the ledger cannot be read, lists and searches end and everything else goes on.
func (n *Node) startIndex(l *ledger) {
	if n.index == nil {
		return
	}
	n.index.Measure(n.observe.registry, l, func() int64 { return l.engine.Tip().Height })
	ctx, cancel := context.WithCancel(context.Background())
	n.stopIndex, n.indexDone = cancel, make(chan error, 1)
	go func() {
		err := n.index.Follow(ctx, l, n.log)
		if err != nil {
			n.log.Error("the index stopped because the ledger could not be read for it; start the node again", "error", err)
		}
		n.indexDone <- err
	}()
}

func (n *Node) serve(l *ledger) {
	readers, _ := n.config.readers() // checked when it was loaded
	n.api = api.New(l, n.index, api.Options{
		Hosts: n.config.APIHosts, Access: api.Access(n.config.APIAccess), Readers: readers, ReadingsKeep: n.config.ReadingsKeep, Log: n.log, Metrics: n.observe.registry, Checks: api.Checks{Live: n.live, Ready: n.ready},
	})
	mux := http.NewServeMux()
	mux.Handle("/cometbft/", http.StripPrefix("/cometbft", n.engine.RPC()))
	mux.Handle(snapshotsPath, n.snaps)
	mux.Handle("/", n.api)
	n.observe.routes(mux)
	n.observe.serve()
	n.http = n.api.HTTP()
	n.http.Handler = mux
	go func() {
		if err := n.http.Serve(n.listen); err != nil && !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("the API stopped", "error", err)
		}
	}()
}

// Address is where the API listens.
func (n *Node) Address() string { return n.listen.Addr().String() }

// MetricsAddress is where /metrics is answered: the API's address unless metrics.listen says otherwise.
func (n *Node) MetricsAddress() string { return n.observe.address(n.listen.Addr()) }

// Done is closed when consensus has stopped, also by itself because the node could not go on.
func (n *Node) Done() <-chan struct{} { return n.engine.Died() }

// Err is why the node had to stop by itself, nil if it did not.
func (n *Node) Err() error {
	if n.storage != nil && n.storage.Err() != nil {
		return n.storage.Err()
	}
	if n.engine != nil {
		return n.engine.Err()
	}
	return nil
}

// stopTimeout is how long requests under way may take to end.
const stopTimeout = 5 * time.Second

// Stop ends the API, consensus, index and store, in this order. It may be called on a node that did not start.
func (n *Node) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	errs := []error{n.observe.stop(ctx)}
	if n.admin != nil {
		errs = append(errs, n.admin.stop())
	}
	if n.http != nil {
		n.api.Stop()
		if err := n.http.Shutdown(ctx); err != nil {
			errs = append(errs, n.http.Close())
		}
	} else if n.listen != nil {
		errs = append(errs, n.listen.Close())
	}
	if n.stopErasing != nil {
		n.stopErasing()
		<-n.erasing
	}
	if n.engine != nil {
		errs = append(errs, n.engine.Stop())
	}
	errs = append(errs, n.trace.stop(ctx))
	if n.stopIndex != nil {
		n.stopIndex()
		<-n.indexDone
	}
	if n.index != nil {
		errs = append(errs, n.index.Close())
	}
	if n.snaps != nil {
		n.snaps.close()
	}
	if n.storage != nil {
		errs = append(errs, n.storage.Close())
	}
	return errors.Join(errs...)
}

func listen(c *Config, log *slog.Logger) (net.Listener, error) {
	l, err := net.Listen("tcp", c.APIListen)
	if err != nil {
		return nil, taken(c.APIListen, "api.listen", err)
	}
	if c.APITLSCert == "" {
		return l, nil
	}
	certs, err := newCertificates(c, log)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return certs.listener(l), nil
}

// portFree says clearly, before anything else starts, that the peers' port is taken.
func portFree(hostport string) error {
	l, err := net.Listen("tcp", hostport)
	if err != nil {
		return taken(hostport, "p2p.listen", err)
	}
	return l.Close()
}

func taken(hostport, key string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use by another program; stop it or choose another port with setting %s", hostport, key)
	}
	return fmt.Errorf("cannot listen on %s (setting %s): %w", hostport, key, err)
}
