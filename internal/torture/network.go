package torture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/node"
)

// Asset is the one that the accounts of a network hold.
const Asset = "krw"

// Setup says which network to make.
type Setup struct {
	// Dir is a folder for the members' homes; it must not have a network yet.
	Dir string
	// Binary is the dure to run.
	Binary string
	// Env are more environment variables (NAME=value) of some members' processes.
	Env map[int][]string
	// Members is how many there are, 4 if 0.
	Members int
	// Namespaces gives each member a network namespace of its own (root, Linux). Otherwise proxies join them.
	Namespaces bool
	// Seed of what the proxies do by chance.
	Seed uint64
	// LogLevel of the nodes; empty: theirs.
	LogLevel string
	// Accounts and the amount each holds from the start.
	Accounts []Holder
}

// Holder is an account with money.
type Holder struct {
	Signer tx.Signer
	Amount uint64
}

// Address is the account.
func (h Holder) Address() tx.Address { return h.Signer.Key().Address() }

// MemberSigner is the key that acts for a member.
func MemberSigner(i int) tx.Signer { return txtest.Ed25519(uint64(1000 + i)) }

// Network is a network of real processes.
type Network struct {
	setup   Setup
	fabric  fabric
	members []*member
	// owner is the member of an API's host:port.
	owner map[string]int
}

// New makes the homes of a network and what joins its members. Nothing runs yet; Close ends everything.
func New(s Setup) (*Network, error) {
	if s.Members == 0 {
		s.Members = 4
	}
	join := newProxies
	if s.Namespaces {
		join = newNamespaces
	}
	f, err := join(s.Members, s.Seed)
	if err != nil {
		return nil, err
	}
	n := &Network{setup: s, fabric: f, owner: map[string]int{}}
	if err := n.create(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return n, nil
}

func (n *Network) create() error {
	seats := make([]node.Seat, n.setup.Members)
	for i := range seats {
		api, p2p := n.fabric.listen(i)
		seats[i] = node.Seat{
			Home: node.Home(filepath.Join(n.setup.Dir, fmt.Sprintf("member%d", i))), Name: fmt.Sprintf("Member %d", i),
			Address: MemberSigner(i).Key().Address(), API: api, P2P: p2p,
		}
		n.owner[api] = i
	}
	if _, err := node.CreateNetwork("torture", seats, n.fund); err != nil {
		return fmt.Errorf("torture: %w", err)
	}
	ids := make([]string, len(seats))
	for i, s := range seats {
		card, err := node.ReadCard(s.Home.Card())
		if err != nil {
			return fmt.Errorf("torture: %w", err)
		}
		ids[i] = node.ID(card)
	}
	for i, s := range seats {
		var peers []string
		for j := range seats {
			if j != i {
				peers = append(peers, ids[j]+"@"+n.fabric.peer(i, j))
			}
		}
		n.members = append(n.members, &member{
			index: i, home: s.Home, api: s.API, binary: n.setup.Binary, env: n.setup.Env[i], peers: strings.Join(peers, ","), level: n.setup.LogLevel, fabric: n.fabric,
		})
	}
	return nil
}

func (n *Network) fund(g *ledgerv1.Genesis) {
	issuer := MemberSigner(0).Key().Address()
	g.Asset = &assetv1.Genesis{Classes: []*assetv1.GenesisClass{{Asset: Asset, Issuer: issuer[:], Name: "won"}}}
	for _, h := range n.setup.Accounts {
		a := h.Address()
		g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{
			Address: a[:], Sponsor: issuer[:], Kind: accountv1.KeyKind_KEY_KIND_ED25519,
		})
		g.Asset.Balances = append(g.Asset.Balances, &assetv1.GenesisBalance{Asset: Asset, Account: a[:], Amount: fmt.Sprint(h.Amount)})
	}
}

// Size is how many members there are.
func (n *Network) Size() int { return len(n.members) }

// Start starts the given members' nodes, all if none is named, and returns when each answers.
func (n *Network) Start(ctx context.Context, members ...int) error {
	for _, i := range n.orAll(members) {
		if err := n.members[i].start(); err != nil {
			return err
		}
	}
	for _, i := range n.orAll(members) {
		err := until(ctx, time.Minute, func(ctx context.Context) bool {
			s, err := n.Status(ctx, i)
			return err == nil && s.GetHeight() > 0 || n.members[i].ended()
		})
		if n.members[i].ended() {
			err = errors.New("it ended")
		}
		if err != nil {
			return fmt.Errorf("torture: member %d did not start: %w\n%s", i, err, n.members[i].tail())
		}
	}
	return nil
}

// Kill ends the given members' processes as kill -9 does, all if none is named.
func (n *Network) Kill(members ...int) {
	for _, i := range n.orAll(members) {
		n.members[i].kill()
	}
}

// Close ends all processes and what joins them.
func (n *Network) Close() error {
	n.Kill()
	return n.fabric.close()
}

func (n *Network) orAll(members []int) []int {
	if len(members) > 0 {
		return members
	}
	return n.all()
}

func (n *Network) all() []int {
	out := make([]int, len(n.members))
	for i := range out {
		out[i] = i
	}
	return out
}

// Client connects to the given members, all if none is named, the first preferred. A write goes on to the next member
// after a few seconds without an answer.
func (n *Network) Client(members ...int) *client.Client {
	return n.client(0, members...)
}

// client is Client with another patience than the usual one.
func (n *Network) client(patience time.Duration, members ...int) *client.Client {
	config := client.Config{Timeout: 3 * time.Second, CommitTimeout: 4 * time.Second, Patience: patience, Transport: n.transport()}
	for _, i := range n.orAll(members) {
		config.Addresses = append(config.Addresses, "http://"+n.members[i].api)
	}
	c, err := client.Dial(config)
	if err != nil {
		panic(err) // the addresses are ours
	}
	return c
}

// transport reaches each member's API where the member is.
func (n *Network) transport() http.RoundTripper {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			i, ok := n.owner[address]
			if !ok {
				return nil, fmt.Errorf("torture: %s is no member's", address)
			}
			return n.fabric.dial(ctx, i, address)
		},
		MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second,
	}
}

// Status is what a member says of itself.
func (n *Network) Status(ctx context.Context, i int) (*apiv1.GetStatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return n.members[i].ask(n).Status(ctx)
}

// Log is what a member has logged since the network was made.
func (n *Network) Log(i int) string {
	raw, err := os.ReadFile(n.members[i].home.Log())
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// until waits until ok, at most for within.
func until(ctx context.Context, within time.Duration, ok func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok(ctx) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
