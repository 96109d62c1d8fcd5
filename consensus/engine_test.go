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

// loneEngine is the engine of a network of one member.
func loneEngine(t *testing.T, listen string) *Engine {
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
		Listen: listen, Rules: r, Ledger: exec.New(r), Store: fullDisk{}, Past: nothingBefore{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
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
	e := loneEngine(t, "127.0.0.1:0")
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	closedWithin(t, "the engine seems to run", e.Died())
	closedWithin(t, "the dead engine does not stop", stopped(e))
}

// An engine whose start failed can be stopped.
func TestStopAfterFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	e := loneEngine(t, taken.Addr().String())
	if err := e.Start(); err == nil {
		t.Fatal("started on a port that is taken")
	}
	closedWithin(t, "Stop hangs", stopped(e))
}
