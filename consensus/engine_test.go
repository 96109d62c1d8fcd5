package consensus

import (
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// fullDisk is a store that can save no block.
type fullDisk struct{}

func (fullDisk) SaveGenesis([]state.Change) error    { return nil }
func (fullDisk) Save(*exec.Result, []BatchRef) error { return errors.New("the disk is full") }

// slowDisk is a store that takes a while over a block.
type slowDisk struct{ fullDisk }

const slow = 300 * time.Millisecond

func (slowDisk) Save(*exec.Result, []BatchRef) error {
	time.Sleep(slow)
	return nil
}

// loneEngine is the engine of a network of one member.
func loneEngine(t *testing.T, listen string, store Store) *Engine {
	t.Helper()
	public := testNodeKey.Public().(ed25519.PublicKey)
	rules := sealerRules{key: &public, voids: map[tx.Address]uint64{}}
	r := exec.Rules{Accounts: rules, Network: rules}
	g := &ledgerv1.Genesis{Time: time.Now().Add(-time.Minute).UnixMilli(), Network: &networkv1.Genesis{Members: []*networkv1.Member{
		{Name: "one", Address: testSealer[:], NodeKey: public, ValidatorKey: public, Power: 10},
	}}}
	home := t.TempDir()
	if err := FreshSigning(home); err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(t.Context(), Config{
		Home: home, Genesis: &genesis.Genesis{Genesis: g, NetworkID: testNetwork}, Member: testSealer, NodeKey: testNodeKey, ValidatorKey: testValidatorKey,
		Listen: listen, Rules: r, Ledger: exec.New(r), Store: store, Past: nothingBefore{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func closedWithin(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatal(what)
	}
}

func stopped(e *Engine) <-chan struct{} {
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Stop() }()
	return done
}

// A node that cannot save a block says that it is dead, rather than seem to run for ever.
func TestDiesWhenABlockCannotBeSaved(t *testing.T) {
	e := loneEngine(t, "127.0.0.1:0", fullDisk{})
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	closedWithin(t, "the engine seems to run", e.Died())
	closedWithin(t, "the dead engine does not stop", stopped(e))
}

// Who took long over a block has its consensus wait longer for the next proposal.
func TestPatienceGoesByTheLastBlock(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{0: time.Second, time.Second / 2: 3 * time.Second / 2, time.Minute: 3 * time.Second} {
		if got := patience(took); got != want {
			t.Errorf("after %v it waits %v, want %v", took, got, want)
		}
	}
	e := loneEngine(t, "127.0.0.1:0", slowDisk{})
	genesis := e.app.tip.Load()
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	closedWithin(t, "no block is committed", genesis.Next())
	closedWithin(t, "the engine does not stop", stopped(e))
	if waits := e.node.Config().Consensus.Propose(0); waits < leastPatience+slow || waits > mostPatience {
		t.Errorf("after a block of %v it waits %v for a proposal", slow, waits)
	}
}

// emptyDisk is a store that saves everything and keeps nothing.
type emptyDisk struct{ fullDisk }

func (emptyDisk) Save(*exec.Result, []BatchRef) error { return nil }

// A batch that is decided waits no longer, or its hash in CometBFT's mempool would call for block after block.
func TestADecidedBatchCallsForNoBlock(t *testing.T) {
	e := loneEngine(t, "127.0.0.1:0", emptyDisk{})
	b, err := sealBatch(testNetwork, testSealer, testNodeKey, []*tx.Tx{testTx(t, 1)}, time.Now().Add(time.Minute).UnixMilli(), 1)
	if err != nil {
		t.Fatal(err)
	}
	decided := make(chan struct{})
	e.config.OnCommit = func(*exec.Result, *Tip) {
		if e.app.shelf.wasDecided(b.hash) && e.Waiting() == 0 {
			e.config.OnCommit = nil
			close(decided)
		}
	}
	if err := e.accept(b.hash, b.raw); err != nil {
		t.Fatal(err)
	}
	if got := e.node.Mempool().Size(); got != 1 {
		t.Fatalf("%d batches call for a block, want 1", got)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	closedWithin(t, "the batch is not decided", decided)
	if got := e.node.Mempool().Size(); got != 0 {
		t.Errorf("%d batches call for a block, none waits", got)
	}
	closedWithin(t, "the engine does not stop", stopped(e))
}

// An engine whose start failed can be stopped.
func TestStopAfterFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	e := loneEngine(t, taken.Addr().String(), fullDisk{})
	if err := e.Start(); err == nil {
		t.Fatal("started on a port that is taken")
	}
	closedWithin(t, "Stop hangs", stopped(e))
}
