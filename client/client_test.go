package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/clienttest"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// quickClock tells a time of its own; sleeping moves it on at once.
type quickClock struct {
	mu      sync.Mutex
	now     time.Time
	onSleep func(now time.Time)
}

func newClock() *quickClock {
	return &quickClock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
}

func (c *quickClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *quickClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.now = c.now.Add(d)
	now, tell := c.now, c.onSleep
	c.mu.Unlock()
	if tell != nil {
		tell(now)
	}
	return ctx.Err()
}

// world is a ledger with two nodes, and Alice who has 1,000,000 won.
type world struct {
	clock      *quickClock
	ledger     *clienttest.Ledger
	nodes      []*clienttest.Node
	client     *client.Client
	alice, bob tx.Signer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: newClock(), alice: signer(1), bob: signer(2)}
	w.ledger = clienttest.New("test", w.clock.Now)
	w.ledger.Open(w.alice.Key(), w.bob.Key())
	w.ledger.Fund("krw", 0, address(w.alice), "1000000")
	for range 2 {
		n := w.ledger.Serve()
		t.Cleanup(n.Server.Close)
		w.nodes = append(w.nodes, n)
	}
	w.client = w.dial(t, client.Config{})
	return w
}

func (w *world) dial(t *testing.T, cfg client.Config) *client.Client {
	t.Helper()
	for _, n := range w.nodes {
		cfg.Addresses = append(cfg.Addresses, n.URL)
	}
	cfg.Clock = w.clock
	c, err := client.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func signer(seed byte) tx.Signer {
	s, err := tx.NewEd25519Signer(slices.Repeat([]byte{seed}, 32))
	if err != nil {
		panic(err)
	}
	return s
}

func address(s tx.Signer) tx.Address { return s.Key().Address() }

func (w *world) pay(amount string) *client.Draft {
	return client.NewTransaction(w.ledger.ID).Transfer(address(w.alice), address(w.bob), "krw", amount, client.Memo("rent"))
}

func (w *world) wantPaid(t *testing.T, amount string, transactions int) {
	t.Helper()
	if got := w.ledger.Balance("krw", address(w.bob)); got != amount || w.ledger.Len() != transactions {
		t.Errorf("bob has %s after %d transactions, want %s after %d", got, w.ledger.Len(), amount, transactions)
	}
}

func TestSubmit(t *testing.T) {
	w := newWorld(t)
	signed, err := w.client.Sign(w.pay("500"), w.alice)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same bytes have one outcome
		outcome, err := w.client.Submit(t.Context(), signed)
		if err != nil || client.Check(outcome) != nil || outcome.GetId() != signed.ID {
			t.Fatalf("outcome %v, error %v", outcome, err)
		}
	}
	w.wantPaid(t, "500", 1)

	outcome, err := w.client.Do(t.Context(), w.pay("99000000"), w.alice)
	var refusal *client.Refusal
	if err != nil || !errors.As(client.Check(outcome), &refusal) || refusal.Code != "asset.insufficient_balance" {
		t.Errorf("overdraw: outcome %v, error %v", outcome, err)
	}
	if _, err := w.client.Find(t.Context(), strings.Repeat("0", 64)); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
}

func TestFailover(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"node down":     func(w *world) { w.nodes[0].Server.Close() },
		"request lost":  func(w *world) { w.nodes[0].Script("SubmitMany", clienttest.DropRequest) },
		"answer lost":   func(w *world) { w.nodes[0].Script("SubmitMany", clienttest.DropAnswer) },
		"shutting down": func(w *world) { w.nodes[0].Script("SubmitMany", clienttest.Unavailable) },
		"both answers lost": func(w *world) {
			for _, n := range w.nodes {
				n.Script("SubmitMany", clienttest.DropAnswer, clienttest.DropAnswer)
			}
		},
		"pool full": func(w *world) {
			for _, n := range w.nodes {
				n.Script("SubmitMany", clienttest.PoolFull, clienttest.PoolFull, clienttest.PoolFull)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			spoil(w)
			outcome, err := w.client.Do(t.Context(), w.pay("500"), w.alice)
			if err != nil || client.Check(outcome) != nil {
				t.Fatalf("outcome %v, error %v", outcome, err)
			}
			w.wantPaid(t, "500", 1)
		})
	}
}

func TestUnreachable(t *testing.T) {
	w := newWorld(t)
	signed, err := w.client.Sign(w.pay("500"), w.alice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Network(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range w.nodes {
		n.Script("SubmitMany", slices.Repeat([]clienttest.Fault{clienttest.DropRequest}, 1000)...)
	}
	var undecided *client.Undecided
	if _, err := w.client.Submit(t.Context(), signed); !errors.As(err, &undecided) || undecided.ID != signed.ID {
		t.Errorf("lost requests: %v, want *Undecided", err)
	}
	for _, n := range w.nodes {
		n.Server.Close()
	}
	var unreachable *client.Unreachable
	if _, err := w.dial(t, client.Config{}).Submit(t.Context(), signed); !errors.As(err, &unreachable) || errors.As(err, &undecided) {
		t.Errorf("no node: %v, want *Unreachable and no *Undecided", err)
	}
}

func TestWrongNetwork(t *testing.T) {
	w := newWorld(t)
	other := clienttest.New("other", w.clock.Now).Serve()
	t.Cleanup(other.Server.Close)
	var wrong *client.WrongNetwork
	_, err := w.dial(t, client.Config{Network: "other-00"}).Status(t.Context())
	if !errors.As(err, &wrong) || wrong.Want != "other-00" {
		t.Errorf("pinned to another network: %v", err)
	}
	mixed, err := client.Dial(client.Config{Addresses: []string{other.URL, w.nodes[0].URL}, Network: w.ledger.ID, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mixed.Do(t.Context(), w.pay("5"), w.alice); err != nil || other.Calls("SubmitMany") > 0 {
		t.Errorf("a node of another network among the addresses: %v, it got %d submissions", err, other.Calls("SubmitMany"))
	}
}

// recorder notes the different transactions that are submitted through it.
type recorder struct {
	mu    sync.Mutex
	seen  [][]byte
	onNew func(n int)
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/SubmitMany") {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		var m apiv1.SubmitManyRequest
		if err := proto.Unmarshal(body, &m); err != nil {
			return nil, err
		}
		r.note(m.GetTransactions()[0])
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (r *recorder) note(raw []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.seen, func(s []byte) bool { return bytes.Equal(s, raw) }) {
		r.seen = append(r.seen, raw)
		r.onNew(len(r.seen))
	}
}

// TestSigningAnew: nodes lose every submission until not_after is long past. Do signs again only when a later block is
// committed, and then the payment happens once.
func TestSigningAnew(t *testing.T) {
	w := newWorld(t)
	begun := w.clock.Now()
	for _, n := range w.nodes {
		n.Script("SubmitMany", slices.Repeat([]clienttest.Fault{clienttest.DropRequest}, 5000)...)
	}
	shown := false // a block later than the first not_after is committed
	transport := &recorder{onNew: func(n int) {
		if n == 2 && !shown {
			t.Error("signed anew before any block passed not_after")
		}
	}}
	w.clock.onSleep = func(now time.Time) {
		if !shown && now.Sub(begun) > 10*time.Minute {
			shown = true
			w.heal()
			w.ledger.Heartbeat()
		}
	}
	c := w.dial(t, client.Config{Transport: transport})
	outcome, err := c.Do(t.Context(), w.pay("500"), w.alice)
	if err != nil || client.Check(outcome) != nil {
		t.Fatalf("outcome %v, error %v", outcome, err)
	}
	if len(transport.seen) != 2 {
		t.Errorf("%d transactions were submitted, want 2", len(transport.seen))
	}
	w.wantPaid(t, "500", 1)
}

func (w *world) heal() {
	for _, n := range w.nodes {
		n.Clear("SubmitMany")
	}
}

// TestNoSigningAnew: the first submission went through but every answer is lost, beyond not_after. Do finds it.
func TestNoSigningAnew(t *testing.T) {
	w := newWorld(t)
	for _, n := range w.nodes {
		n.Script("SubmitMany", slices.Repeat([]clienttest.Fault{clienttest.DropAnswer}, 5000)...)
		n.Script("GetTransaction", slices.Repeat([]clienttest.Fault{clienttest.DropRequest}, 60)...)
	}
	w.clock.onSleep = func(time.Time) { w.ledger.Heartbeat() }
	outcome, err := w.client.Do(t.Context(), w.pay("500"), w.alice)
	if err != nil || client.Check(outcome) != nil {
		t.Fatalf("outcome %v, error %v", outcome, err)
	}
	w.wantPaid(t, "500", 1)
}

// TestIndexed: the lists have what was committed when they were waited for, not what came since.
func TestIndexed(t *testing.T) {
	w := newWorld(t)
	w.ledger.SetIndexLag(5)
	waited := 0
	w.clock.onSleep = func(time.Time) {
		waited++
		w.ledger.Heartbeat()
	}
	if err := w.client.Indexed(t.Context(), 0); err != nil || waited != 5 {
		t.Errorf("%v after %d blocks", err, waited)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.clock.onSleep = func(time.Time) { cancel() }
	if err := w.client.Indexed(ctx, 1<<40); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestIndexBehind: absence is believed only when the node's index has reached the block that is past not_after.
func TestIndexBehind(t *testing.T) {
	w := newWorld(t)
	for _, n := range w.nodes {
		n.Script("SubmitMany", slices.Repeat([]clienttest.Fault{clienttest.DropRequest}, 5000)...)
	}
	w.ledger.SetIndexLag(5)
	begun := w.clock.Now()
	w.clock.onSleep = func(now time.Time) {
		w.ledger.Heartbeat()
		if now.Sub(begun) > 5*time.Minute {
			w.ledger.SetIndexLag(0)
			w.heal()
		}
	}
	if outcome, err := w.client.Do(t.Context(), w.pay("500"), w.alice); err != nil || client.Check(outcome) != nil {
		t.Fatalf("outcome %v, error %v", outcome, err)
	}
	w.wantPaid(t, "500", 1)
}

func TestDoEndsWithContext(t *testing.T) {
	w := newWorld(t)
	for _, n := range w.nodes {
		n.Script("SubmitMany", slices.Repeat([]clienttest.Fault{clienttest.DropAnswer}, 5000)...)
		n.Script("GetTransaction", slices.Repeat([]clienttest.Fault{clienttest.DropRequest}, 5000)...)
	}
	ctx, cancel := context.WithCancel(t.Context())
	begun := w.clock.Now()
	w.clock.onSleep = func(now time.Time) {
		if now.Sub(begun) > time.Minute {
			cancel()
		}
	}
	var undecided *client.Undecided
	if _, err := w.client.Do(ctx, w.pay("500"), w.alice); !errors.As(err, &undecided) {
		t.Errorf("error %v, want *Undecided", err)
	}
}

func TestSubmitMany(t *testing.T) {
	w := newWorld(t)
	w.nodes[0].Script("SubmitMany", clienttest.None, clienttest.DropAnswer, clienttest.PoolFull)
	var txs []*client.Signed
	for i := range 2500 {
		s, err := w.client.Sign(w.pay("1").Salt(uint64(i)), w.alice)
		if err != nil {
			t.Fatal(err)
		}
		txs = append(txs, s)
	}
	bad := *txs[7]
	bad.Raw = slices.Clone(bad.Raw)
	bad.Raw[len(bad.Raw)-1] ^= 1
	txs[7] = &bad
	for i, r := range w.client.SubmitMany(t.Context(), txs) {
		var refusal *client.Refusal
		switch {
		case i == 7 && (!errors.As(r.Err, &refusal) || refusal.Code != "tx.bad_signature"):
			t.Errorf("the bad one: %v", r.Err)
		case i != 7 && (r.Err != nil || client.Check(r.Outcome) != nil || r.ID != txs[i].ID):
			t.Fatalf("%d: %v %v", i, r.Outcome, r.Err)
		}
	}
	w.wantPaid(t, "2499", 2499)
}

func TestWatchResumes(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.nodes[0].Script("WatchTransactions", clienttest.None, clienttest.None, clienttest.None, clienttest.DropAnswer)
	w.nodes[1].Script("WatchTransactions", clienttest.None, clienttest.DropAnswer, clienttest.DropAnswer)
	const count = 12
	for range count {
		if _, err := w.client.Do(ctx, w.pay("1"), w.alice); err != nil {
			t.Fatal(err)
		}
	}
	var seen []uint64
	for event, err := range w.client.Watch(ctx, &apiv1.WatchTransactionsRequest{Cursor: "0", Asset: "krw"}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, event.GetTransaction().GetOutcome().GetSeq()); len(seen) == count {
			break
		}
	}
	for i, seq := range seen {
		if seq != uint64(i) {
			t.Fatalf("saw %v, want each once, in order", seen)
		}
	}
}

func TestWatchFromNow(t *testing.T) {
	w := newWorld(t)
	if _, err := w.client.Do(t.Context(), w.pay("1"), w.alice); err != nil {
		t.Fatal(err)
	}
	// The first stream is cut at its first event; "now" must still mean when Watch was called.
	w.nodes[0].Script("WatchTransactions", clienttest.DropAnswer)
	w.nodes[1].Script("WatchTransactions", clienttest.DropAnswer)
	paid := make(chan error, 1)
	other := w.dial(t, client.Config{})
	w.nodes[0].OnWatch(func() {
		_, err := other.Do(context.Background(), w.pay("2"), w.alice)
		paid <- err
	})
	for event, err := range w.client.Watch(t.Context(), &apiv1.WatchTransactionsRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got := event.GetTransaction().GetOutcome().GetSeq(); got != 1 {
			t.Errorf("saw %d first, want 1", got)
		}
		break
	}
	if err := <-paid; err != nil {
		t.Fatal(err)
	}
}

func TestReads(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	if _, err := w.client.Do(ctx, w.pay("500"), w.alice); err != nil {
		t.Fatal(err)
	}
	balance, _, err := w.client.Balance(ctx, "krw", address(w.bob), 0)
	if err != nil || balance.GetAmount() != "500" {
		t.Errorf("balance %v, error %v", balance, err)
	}
	for account, err := range w.client.Accounts(ctx, tx.Address{}) {
		if err != nil || account.GetAddress() == "" {
			t.Errorf("account %v, error %v", account, err)
		}
	}
	if _, err := w.client.Account(ctx, tx.Address{1}); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("an unknown account: %v", err)
	}
	once := [32]byte{9}
	outcome, err := w.client.Do(ctx, w.pay("1").Once(once), w.alice)
	if err != nil {
		t.Fatal(err)
	}
	if id, used, err := w.client.OnceUsed(ctx, address(w.alice), once); !used || id != outcome.GetId() || err != nil {
		t.Errorf("once key: %s %v %v", id, used, err)
	}
	again, err := w.client.Do(ctx, w.pay("1").Once(once), w.alice)
	if err != nil || again.GetStatus() != client.StatusVoid || again.GetFields()["tx"] != outcome.GetId() {
		t.Errorf("once key again: %v %v", again, err)
	}
}

func TestDial(t *testing.T) {
	for _, addresses := range [][]string{nil, {""}, {"ftp://x"}, {"http://"}} {
		if _, err := client.Dial(client.Config{Addresses: addresses}); err == nil {
			t.Errorf("%q was taken", addresses)
		}
	}
	if _, err := client.Dial(client.Config{Addresses: []string{"https://x"}, CAFile: "client_test.go"}); err == nil {
		t.Error("a CA file without certificates was taken")
	}
}

func TestDraft(t *testing.T) {
	if _, err := client.NewTransaction("test-00112233445566778899aabbccddeeff").Sign(time.Now()); err == nil {
		t.Error("a transaction without actions was signed")
	}
	if _, err := client.NewTransaction("nonsense").Pause(tx.Address{}, "krw").Sign(time.Now()); err == nil {
		t.Error("a transaction for no network was signed")
	}
}
