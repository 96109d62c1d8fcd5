package api_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/dureledger/dure/api"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// memory is an api.Ledger over a ledger in memory: transactions and state are real, blocks and proofs are plain.
type memory struct {
	*indextest.Ledger

	mu       sync.Mutex
	catching bool
	full     bool
	broken   error
	cosigner tx.Address
	waited   bool
	states   map[int64]state.Reader
}

func (m *memory) Submit(_ context.Context, raw [][]byte, wait bool) []api.Submission {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waited = wait
	out := make([]api.Submission, len(raw))
	if m.full {
		for i := range out {
			out[i].Err = &api.Refused{Error: fault.New("pool.full", "no room", "capacity", 10), Retryable: true, RetryAfter: 250 * time.Millisecond}
		}
		return out
	}
	for i, a := range m.Commit(raw...) {
		out[i].ID = a.ID
		switch {
		case a.Refused != nil:
			out[i].Err = &api.Refused{Error: a.Refused}
		case wait:
			out[i].Outcome = a.Outcome
		}
	}
	st, height := m.State()
	m.states[height] = st
	return out
}

func (m *memory) State() (state.Reader, int64) {
	st, height, _ := m.Ledger.State()
	return st, height
}

func (m *memory) StateAt(_ context.Context, height int64) (state.Reader, error) {
	if st, ok := m.states[height]; ok {
		return st, nil
	}
	return nil, fault.New("state.pruned", "the state of this height is not kept", "height", height)
}

func (m *memory) Find(id [32]byte) (api.Entry, bool, error) {
	e, ok := m.Ledger.Find(id)
	return e, ok, m.broken
}

func (m *memory) Block(_ context.Context, height int64) (*api.Block, error) {
	_, newest := m.State()
	if height == 0 {
		height = newest
	}
	ids, ok := m.Ledger.Block(height)
	if !ok {
		return nil, fault.New("block.unknown", "there is no block of this height yet", "height", height)
	}
	app, _, _ := m.Roots()
	return &api.Block{
		Height: height, Time: time.UnixMilli(indextest.Start + height*indextest.BlockTime), Hash: sha256.Sum256([]byte{byte(height)}),
		Proposer: indextest.Address(indextest.Member(int(height) % 4)), AppHash: app[:], Batches: 1, Transactions: ids,
	}, nil
}

func (m *memory) Receipt(_ context.Context, id [32]byte, _ int64) ([]byte, error) {
	e, ok := m.Ledger.Find(id)
	if !ok {
		return nil, fault.New("tx.unknown", "no such transaction")
	}
	return append([]byte("receipt of "), e.Outcome.GetId()...), nil
}

func (m *memory) Checkpoint(context.Context, int64) ([]byte, error) { return []byte("checkpoint"), nil }

func (m *memory) ToCosign(context.Context, int64) ([]byte, error) { return []byte("to cosign"), nil }

func (m *memory) Witnessed(_ context.Context, _ int64, least int) ([]byte, error) {
	return nil, fault.New("checkpoint.not_witnessed", "no checkpoint has so many cosignatures", "least", least)
}

func (m *memory) WitnessedReceipt(ctx context.Context, id [32]byte, _ int64, least int) ([]byte, error) {
	receipt, err := m.Receipt(ctx, id, 0)
	return fmt.Appendf(receipt, " with %d", least), err
}

func (m *memory) AddCosignature(_ context.Context, height int64, _ proof.Witness, _ []byte) (api.Witnessing, error) {
	return api.Witnessing{Height: height, Cosignatures: 3, Known: 2}, nil
}

func (m *memory) Consistency(uint64, uint64) ([][]byte, error) { return nil, nil }

func (m *memory) CosignedBy(key tx.Address) (api.Cosigner, bool) {
	if m.cosigner != key {
		return api.Cosigner{}, false
	}
	return api.Cosigner{Name: "car.example", Height: 41, Time: time.Unix(1_767_225_600, 0), Cosigned: 12, Kept: 15}, true
}

func (m *memory) Witnessing() (api.Witnessing, bool) {
	return api.Witnessing{Height: 7, Cosignatures: 3, Known: 2}, true
}

func (m *memory) StateProof(_ context.Context, key []byte) (*api.StateProof, error) {
	st, height, _ := m.Ledger.State()
	p, err := st.Prove(key)
	if err != nil {
		return nil, err
	}
	out := &api.StateProof{Height: height, StateRoot: st.Root(), Checkpoint: []byte("checkpoint")}
	out.Value, out.Exists = st.Get(key)
	out.Proof, err = p.Marshal()
	return out, err
}

func (m *memory) Status() api.Status {
	_, height, ms := m.Ledger.State()
	app, st, history := m.Roots()
	return api.Status{
		Member: indextest.Address(indextest.Member(0)), Height: height, Time: time.UnixMilli(ms), AppHash: app, StateRoot: st,
		HistoryRoot: history, Transactions: m.Size(), Peers: 3, CatchingUp: m.catching, TransactionsPerSecond: 1234.5,
		Finality: 412 * time.Millisecond, PoolTransactions: 1200, PoolCapacity: 20000, Version: "v0.1.0-test",
	}
}

func (m *memory) Genesis() *genesis.Genesis { return m.Ledger.Genesis() }

// node is a server on a real socket.
type node struct {
	*memory
	index  *index.Index
	server *api.Server
	url    string
	client *http.Client
}

func start(t testing.TB) *node { return startWith(t, api.Options{}) }

func startWith(t testing.TB, o api.Options) *node {
	t.Helper()
	l, err := indextest.New()
	if err != nil {
		t.Fatal(err)
	}
	n := &node{memory: &memory{Ledger: l, states: map[int64]state.Reader{}}}
	if n.index, err = index.Open(filepath.Join(t.TempDir(), "index.db"), l.Genesis()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	followed := make(chan error, 1)
	go func() { followed <- n.index.Follow(ctx, l, slog.New(slog.DiscardHandler)) }()
	o.Hosts = []string{"node.example"}
	n.server = api.New(n.memory, n.index, o)
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.url, n.client = "http://"+socket.Addr().String(), &http.Client{Timeout: 30 * time.Second}
	web := n.server.HTTP()
	go func() { _ = web.Serve(socket) }()
	t.Cleanup(func() {
		n.client.CloseIdleConnections()
		n.server.Stop()
		ended, stop := context.WithTimeout(context.Background(), 10*time.Second)
		defer stop()
		if err := web.Shutdown(ended); err != nil {
			t.Error("the server did not stop:", err)
		}
		cancel()
		if err := <-followed; err != nil {
			t.Error(err)
		}
		_ = n.index.Close()
	})
	return n
}

// indexed waits until the index has everything.
func (n *node) indexed(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); n.index.Seq() < n.Size(); {
		if time.Now().After(deadline) {
			t.Fatal("the index does not catch up")
		}
		<-time.After(5 * time.Millisecond)
	}
}

// pay commits a transfer between the first two people and returns its outcome's id.
func (n *node) pay(t testing.TB, amount, memo string) [32]byte {
	t.Helper()
	o, err := n.Do([]*txv1.Action{indextest.Transfer(indextest.Person(0), person(1), amount, memo)}, indextest.Person(0))
	if err != nil || o == nil {
		t.Fatal(o, err)
	}
	return [32]byte(o.GetId())
}

func person(i int) tx.Address { return indextest.Address(indextest.Person(i)) }

func (n *node) ledger(o ...connect.ClientOption) apiv1connect.LedgerServiceClient {
	return apiv1connect.NewLedgerServiceClient(n.client, n.url, o...)
}
