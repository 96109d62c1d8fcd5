package simnet_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/tx"
)

// off is the machine's clock with a difference.
type off struct{ by time.Duration }

func (o *off) Now() time.Time { return time.Now().Add(o.by) }

func (*off) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shown notes the requests that show who reads.
type shown struct {
	mu    sync.Mutex
	paths map[string]int
}

func (s *shown) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" || r.Header.Get("DPoP") != "" {
		s.mu.Lock()
		s.paths[r.URL.Path]++
		s.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(r)
}

func code(err error) string {
	var refusal *client.Refusal
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

func dial(t *testing.T, net *simnet.Network, config client.Config) *client.Client {
	t.Helper()
	config.Addresses = []string{net.URL(0), net.URL(1)}
	c, err := client.Dial(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A reader reads its own by the SDK on nodes that answer by account, across a lost node and a node that started again.
func TestReadingByAccount(t *testing.T) {
	auditor := simnet.Person(5) // no member, but named at the nodes
	net := simnet.StartWith(t, 4, map[string]string{"api.access": "consortium", "api.readers": simnet.Address(auditor).String()})
	writer := net.Client(0, 1)
	paid := pay(t, writer, 0, 1, "250") // submissions are taken from everybody
	if _, err := writer.Find(t.Context(), paid.GetId()); code(err) != "access.token_needed" {
		t.Fatalf("without a reader: %v", err)
	}
	alice, seen := simnet.Person(0), &shown{paths: map[string]int{}}
	asked := 0
	c := dial(t, net, client.Config{Transport: seen, Reader: func(context.Context) (tx.Address, tx.Signer, error) {
		asked++
		return simnet.Address(alice), alice, nil
	}})
	balance := func(c *client.Client, person int) error {
		_, _, err := c.Balance(t.Context(), "krw", simnet.Address(simnet.Person(person)), 0)
		return err
	}
	if err := balance(c, 0); err != nil {
		t.Fatal(err)
	}
	if err := balance(c, 2); code(err) != "access.not_yours" {
		t.Errorf("another's: %v", err)
	}
	if _, err := c.Find(t.Context(), paid.GetId()); err != nil {
		t.Error(err)
	}
	if err := balance(dial(t, net, client.Config{Reader: client.ReadAs(simnet.Address(simnet.Signer(2)), simnet.Signer(2))}), 2); err != nil {
		t.Errorf("a member: %v", err)
	}
	if err := balance(dial(t, net, client.Config{Reader: client.ReadAs(simnet.Address(auditor), auditor)}), 2); err != nil {
		t.Errorf("the auditor: %v", err)
	}
	onceKeys(t, net)
	if err := balance(dial(t, net, client.Config{Clock: &off{-2 * time.Hour}, Reader: client.ReadAs(simnet.Address(alice), alice)}), 0); err != nil {
		t.Errorf("with a clock that is late: %v", err)
	}
	var nobody *client.NoReader
	if err := balance(dial(t, net, client.Config{Reader: func(context.Context) (tx.Address, tx.Signer, error) {
		return tx.Address{}, nil, errors.New("no key here")
	}}), 0); !errors.As(err, &nobody) {
		t.Errorf("a reader that fails: %v", err)
	}

	watched := make(chan *apiv1.Transaction)
	ended := make(chan error, 1)
	go func() {
		for w, err := range c.Watch(t.Context(), &apiv1.WatchTransactionsRequest{Cursor: "0"}) {
			if err != nil {
				ended <- err
				return
			}
			watched <- w.GetTransaction()
		}
	}()
	if got := <-watched; got.GetId() != paid.GetId() {
		t.Errorf("watched %v", got)
	}
	net.StopNode(0)
	if err := balance(c, 0); err != nil {
		t.Errorf("at the other node: %v", err)
	}
	net.StartNode(0)
	pay(t, writer, 2, 3, "1") // not hers
	again := pay(t, writer, 0, 1, "251")
	if got := <-watched; got.GetId() != again.GetId() {
		t.Errorf("watched %v", got)
	}
	net.StopNode(1)
	net.StartNode(1)
	if err := balance(c, 0); err != nil {
		t.Errorf("at a node that does not know its old tokens: %v", err)
	}

	d := draft(t, writer).Freeze(simnet.Address(simnet.Signer(0)), simnet.Address(alice), client.Freezing{Basis: accountv1.Basis_BASIS_OWNER_REQUEST, Reason: "lost", Until: time.Now().Add(24 * time.Hour)})
	if o, err := writer.Do(simnet.Within(t), d, simnet.Signer(0)); err != nil || client.Check(o) != nil {
		t.Fatal(o, err)
	}
	if err := <-ended; code(err) != "access.frozen" {
		t.Errorf("the watch ended with %v", err)
	}
	if err := balance(c, 0); code(err) != "access.frozen" {
		t.Errorf("frozen: %v", err)
	}
	if asked != 1 {
		t.Errorf("the reader was asked %d times", asked)
	}
	for path := range seen.paths {
		if path == "/dure.api.v1.LedgerService/GetStatus" {
			t.Error("who reads is shown where nobody asked")
		}
	}
}

// onceKeys: an account proves that its transaction used a once key; of others' it is told no more than of those that were not used.
func onceKeys(t *testing.T, net *simnet.Network) {
	t.Helper()
	payer := simnet.Person(3)
	c := dial(t, net, client.Config{Reader: client.ReadAs(simnet.Address(payer), payer)})
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	invoice := [32]byte{1: 7}
	d := draft(t, c).Transfer(simnet.Address(payer), simnet.Address(simnet.Person(4)), "krw", "3").Once(invoice)
	paid, err := c.Do(simnet.Within(t), d, payer)
	if err != nil || client.Check(paid) != nil {
		t.Fatal(paid, err)
	}
	key := client.OnceKey(simnet.Address(payer), invoice)
	net.Eventually(func() bool { // the next block proves it
		value, exists, _, err := c.ProveState(t.Context(), key, anchor)
		return err == nil && exists && hex.EncodeToString(value) == paid.GetId()
	}, "the once key is not proven")
	if id, used, err := c.OnceUsed(t.Context(), simnet.Address(payer), invoice); err != nil || !used || id != paid.GetId() {
		t.Errorf("%s, %t, %v", id, used, err)
	}
	if _, used, err := c.OnceUsed(t.Context(), simnet.Address(payer), [32]byte{1}); err != nil || used {
		t.Errorf("one that was not used: %t, %v", used, err)
	}
	stranger := dial(t, net, client.Config{Reader: client.ReadAs(simnet.Address(simnet.Person(2)), simnet.Person(2))})
	own := simnet.Address(simnet.Person(2))
	for name, key := range map[string][]byte{"used by another": key, "not used": client.OnceKey(own, invoice), "its own account": append([]byte("Aa"), own[:]...), "part of a key": key[:32]} {
		if _, _, _, err := stranger.ProveState(t.Context(), key, anchor); code(err) != "access.not_yours" {
			t.Errorf("a proof of what is %s: %v", name, err)
		}
	}
}

// Nodes that answer everybody are sent nothing of who reads, and do not have the reader asked.
func TestOpenNodesAskNoReader(t *testing.T) {
	net := simnet.Start(t, 1)
	seen := &shown{paths: map[string]int{}}
	c, err := client.Dial(client.Config{Addresses: []string{net.URL(0)}, Transport: seen, Reader: func(context.Context) (tx.Address, tx.Signer, error) {
		t.Error("the reader was asked")
		return tx.Address{}, nil, errors.New("not needed")
	}})
	if err != nil {
		t.Fatal(err)
	}
	pay(t, c, 0, 1, "5")
	if got := balance(t, c, 1); got != "1000005" || len(seen.paths) != 0 {
		t.Errorf("%s; shown at %v", got, seen.paths)
	}
}

// A node that answered by account and now answers everybody is asked for no more tokens.
func TestANodeThatOpens(t *testing.T) {
	set := map[string]string{"api.access": "consortium"}
	net := simnet.StartWith(t, 1, set)
	clock, alice := &off{}, simnet.Person(0)
	c, err := client.Dial(client.Config{Addresses: []string{net.URL(0)}, Clock: clock, Reader: client.ReadAs(simnet.Address(alice), alice)})
	if err != nil {
		t.Fatal(err)
	}
	url := net.URL(0) + "/dure.api.v1.LedgerService/GetBlock"
	if h, err := c.ReadHeaders(t.Context(), http.MethodPost, url); err != nil || h.Get("DPoP") == "" {
		t.Error(h, err)
	}
	if _, _, err := c.Balance(t.Context(), "krw", simnet.Address(alice), 0); err != nil {
		t.Error(err)
	}
	set["api.access"] = "open"
	net.StopNode(0)
	net.StartNode(0)
	clock.by = 10 * time.Minute // its token has ended
	if got := balance(t, c, 1); got != "1000000" {
		t.Error(got)
	}
	if _, err := c.ReadHeaders(t.Context(), http.MethodPost, url); code(err) != "access.open" {
		t.Error(err)
	}
}
