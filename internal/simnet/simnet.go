// Package simnet runs networks of real nodes in one process for tests: real consensus over loopback sockets, real stores
// in temporary folders, the real API.
package simnet

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/ports"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/node"
)

// startTimeout bounds the start of a node.
const startTimeout = 60 * time.Second

// Network is a running network. Member i acts with Signer(i), person i with Person(i).
type Network struct {
	t       testing.TB
	seats   []node.Seat
	nodes   []*node.Node
	rules   []exec.Rules
	logs    []*logbook
	set     map[string]string
	kind    accountv1.KeyKind // of the validators' keys
	Genesis []byte
}

// People is how many accounts have money: person i holds a million "krw", issued by member 0.
const People = 8

// Signer is the key that acts for member i.
func Signer(i int) tx.Signer { return txtest.Ed25519(uint64(1000 + i)) }

// Person is the key of an account with money.
func Person(i int) tx.Signer { return txtest.Ed25519(uint64(2000 + i)) }

// Address is the account a signer acts for.
func Address(s tx.Signer) tx.Address { return s.Key().Address() }

// Start makes and starts a network of n members. It is stopped when the test ends.
func Start(t testing.TB, n int) *Network {
	t.Helper()
	return start(t, n, nil, func([]node.Seat) {}, func([]byte, []node.Seat) {})
}

// StartWith is Start with settings that every member has.
func StartWith(t testing.TB, n int, set map[string]string) *Network {
	t.Helper()
	return start(t, n, set, func([]node.Seat) {}, func([]byte, []node.Seat) {})
}

// StartPostQuantum is StartWith for members whose validators sign with ML-DSA-65, as do those of members that join.
func StartPostQuantum(t testing.TB, n int, set map[string]string) *Network {
	t.Helper()
	const kind = accountv1.KeyKind_KEY_KIND_ML_DSA_65
	net := start(t, n, set, func(seats []node.Seat) {
		for i := range seats {
			seats[i].Validator = &node.Validator{Kind: kind}
		}
	}, func([]byte, []node.Seat) {})
	net.kind = kind
	return net
}

// StartSeats is Start with changed seats; before runs when the genesis file and the homes are made and no node is started.
func StartSeats(t testing.TB, n int, change func(seats []node.Seat), before func(genesis []byte, seats []node.Seat)) *Network {
	t.Helper()
	return start(t, n, nil, change, before)
}

func start(t testing.TB, n int, set map[string]string, change func([]node.Seat), before func([]byte, []node.Seat)) *Network {
	t.Helper()
	net := &Network{t: t, set: set, kind: accountv1.KeyKind_KEY_KIND_ED25519, nodes: make([]*node.Node, n)}
	for range n {
		net.rules = append(net.rules, all.New())
		net.logs = append(net.logs, &logbook{})
	}
	ports := freePorts(t, 2*n)
	dir := t.TempDir()
	for i := range n {
		net.seats = append(net.seats, node.Seat{
			Home: node.Home(filepath.Join(dir, fmt.Sprintf("member%d", i))), Name: fmt.Sprintf("Member %d", i), Address: Address(Signer(i)),
			API: ports[2*i], P2P: ports[2*i+1],
		})
	}
	change(net.seats)
	var err error
	if net.Genesis, err = node.CreateNetwork("test", net.seats, fund); err != nil {
		t.Fatal(err)
	}
	before(net.Genesis, net.seats)
	t.Cleanup(net.stop)
	for i := range n {
		net.StartNode(i)
	}
	net.Ready()
	return net
}

// Origin is the one origin at which passkeys may sign; their relying party is localhost.
const Origin = "http://localhost"

func fund(g *ledgerv1.Genesis) {
	g.Network.Parameters.Origins = []string{Origin}
	issuer := Address(Signer(0))
	g.Asset = &assetv1.Genesis{Classes: []*assetv1.GenesisClass{{Asset: "krw", Issuer: issuer[:], Name: "won"}}}
	for i := range People {
		a := Address(Person(i))
		g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{
			Address: a[:], Sponsor: issuer[:], Kind: accountv1.KeyKind_KEY_KIND_ED25519,
		})
		g.Asset.Balances = append(g.Asset.Balances, &assetv1.GenesisBalance{Asset: "krw", Account: a[:], Amount: "1000000"})
	}
}

// StartNode starts member i's node, new or after StopNode.
func (n *Network) StartNode(i int) {
	n.t.Helper()
	if err := n.TryNode(i); err != nil {
		n.t.Fatalf("member %d: %v", i, err)
	}
}

// SetRules gives member i another binary from its next start on: one with these rules.
func (n *Network) SetRules(i int, rules exec.Rules) { n.rules[i] = rules }

// Node is member i's node, nil when it does not run.
func (n *Network) Node(i int) *node.Node { return n.nodes[i] }

// TryNode is StartNode for a node that may refuse to start.
func (n *Network) TryNode(i int) error {
	n.t.Helper()
	home := n.seats[i].Home
	config, err := node.Load(home.Config(), func(string) (string, bool) { return "", false }, n.set)
	if err != nil {
		n.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(n.logs[i], &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	n.nodes[i], err = node.StartWith(ctx, home, config, log, "test", n.rules[i])
	return err
}

// StopNode stops member i's node.
func (n *Network) StopNode(i int) {
	n.t.Helper()
	if n.nodes[i] == nil {
		return
	}
	if err := n.nodes[i].Stop(); err != nil {
		n.t.Errorf("member %d: stop: %v", i, err)
	}
	n.nodes[i] = nil
}

// Home is member i's folder.
func (n *Network) Home(i int) node.Home { return n.seats[i].Home }

// Join makes the home of a further member, which knows the others as peers, and returns its number and card. set changes
// settings. It is not started, and the network does not know it yet.
func (n *Network) Join(power int64, set map[string]string) (int, *networkv1.Member) {
	n.t.Helper()
	return n.JoinBy(Signer(len(n.seats)), n.kind, power, set)
}

// JoinBy is Join for the member for whose account a signer acts, who may have been one before, with a validator's key of any kind.
func (n *Network) JoinBy(account tx.Signer, kind accountv1.KeyKind, power int64, set map[string]string) (int, *networkv1.Member) {
	n.t.Helper()
	i, ports := len(n.seats), freePorts(n.t, 2)
	seat := node.Seat{
		Home: node.Home(filepath.Join(n.t.TempDir(), "home")), Name: fmt.Sprintf("Member %d", i), Address: Address(account), API: ports[0], P2P: ports[1],
	}
	var peers []string
	for _, other := range n.seats {
		card, err := node.ReadCard(other.Home.Card())
		if err != nil {
			n.t.Fatal(err)
		}
		peers = append(peers, node.ID(card)+"@"+other.P2P)
	}
	values := map[string]string{"member": seat.Address.String(), "api.listen": seat.API, "p2p.listen": seat.P2P, "p2p.peers": strings.Join(peers, ",")}
	maps.Copy(values, set)
	config, err := node.Load("", func(string) (string, bool) { return "", false }, values)
	if err != nil {
		n.t.Fatal(err)
	}
	card, err := seat.Home.Create(seat.Name, seat.Address[:], power, &node.Validator{Kind: kind}, config)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(seat.Home.Genesis(), n.Genesis, 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.seats, n.nodes, n.logs = append(n.seats, seat), append(n.nodes, nil), append(n.logs, &logbook{})
	n.rules = append(n.rules, all.New())
	return i, card
}

// Move makes member i run in another folder from its next start on.
func (n *Network) Move(i int, home node.Home) { n.seats[i].Home = home }

// URL is member i's API.
func (n *Network) URL(i int) string { return "http://" + n.seats[i].API }

// Client connects to the given members' nodes, all of them if none is named.
func (n *Network) Client(members ...int) *client.Client {
	n.t.Helper()
	config := client.Config{}
	if len(members) == 0 {
		for i := range n.seats {
			members = append(members, i)
		}
	}
	for _, i := range members {
		config.Addresses = append(config.Addresses, n.URL(i))
	}
	c, err := client.Dial(config)
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

// Ready waits until every running node has the first blocks.
func (n *Network) Ready() {
	n.t.Helper()
	for i, running := range n.nodes {
		if running != nil {
			n.Eventually(func() bool {
				s, err := n.Client(i).Status(context.Background())
				return err == nil && s.GetHeight() >= 1
			}, "member %d is not ready", i)
		}
	}
}

// patience is how long a test waits for what a network does at once or never.
const patience = time.Minute

// Within is a context for what must be done in a minute. A client carries a transaction through for as long as it may: in a network that stands
// still it must not wait until the whole test program is ended, which tells nothing of the nodes.
func Within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Eventually waits until ok is true and fails the test if it does not become so in a minute.
func (n *Network) Eventually(ok func() bool, format string, args ...any) {
	n.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatalf(format, args...)
		}
	}
}

// Log is the end of what member i's node has logged.
func (n *Network) Log(i int) string { return n.logs[i].String() }

func (n *Network) stop() {
	for i, running := range n.nodes {
		if running != nil {
			select {
			case <-running.Done():
				n.t.Errorf("member %d stopped by itself: %v", i, running.Err())
			default:
			}
		}
		n.StopNode(i)
		if n.t.Failed() {
			n.t.Logf("log of member %d:\n%s", i, n.Log(i))
		}
	}
}

// logbook keeps the last lines of a log; what is for debugging goes first.
type logbook struct {
	mu    sync.Mutex
	lines [][]byte
}

func (l *logbook) Write(line []byte) (int, error) {
	const most = 200
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == most {
		debug := slices.IndexFunc(l.lines, func(line []byte) bool { return bytes.Contains(line, []byte("level=DEBUG")) })
		l.lines = slices.Delete(l.lines, max(0, debug), max(0, debug)+1)
	}
	l.lines = append(l.lines, bytes.Clone(line))
	return len(line), nil
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(bytes.Join(l.lines, nil))
}

// freePorts are addresses that nobody else is given until the test ends.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	addresses, giveBack, err := ports.Addresses(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(giveBack)
	return addresses
}
