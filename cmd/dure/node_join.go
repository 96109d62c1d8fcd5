package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

// joining is what "dure join" is told.
type joining struct {
	home, name, member, genesis string
	keyType                     string
	peers                       []string
	power                       int64
	snapshot                    bool
	api, p2p                    string
}

// newJoin makes the folder of a node that joins a network that runs.
func newJoin(a *app) *cobra.Command {
	var j joining
	cmd := &cobra.Command{
		Use:   "join",
		Short: "Make the folder of a node that joins a running network",
		Long: `Makes a node's home folder for a network that runs: fresh keys, the genesis file, and a configuration that knows the
nodes given with --node as peers. Then it says what the members have to vote: the network lets in only nodes of members.

The genesis file is what the new node trusts; get it from a member you trust ("dure network show --genesis FILE" writes it).
Once voted in and started, the node fetches every block from the others, executes it, and checks it against the members'
signatures. With --from-snapshot it fetches the state of a recent block instead, checked against the members' signatures from
genesis on, and the blocks after it: a matter of minutes on any ledger, but this node then has no older outcomes, blocks and
receipts; ask another for those.

With power 0, the default, the new member does not vote on blocks. Raise it when the node has caught up (dure network propose
--power MEMBER=10): a voting member that is still fetching blocks counts as absent.`,
		Example: "  dure network show --genesis genesis.json --node https://bank.example:8080\n" +
			"  dure join --genesis genesis.json --name \"Fifth Bank\" --member 0x… --home /var/lib/dure --node https://bank.example:8080,https://city.example:8080",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.join(cmd.Context(), j) },
	}
	f := cmd.Flags()
	f.StringVar(&j.home, "home", "dure-node", "the node's folder; must not have a node yet")
	f.StringVar(&j.name, "name", "", "the member's name, for people")
	f.StringVar(&j.member, "member", "", "address of the account that acts for the member, or the name of its key")
	f.StringVar(&j.genesis, "genesis", "", "the network's genesis file, from a member you trust")
	f.StringSliceVar(&j.peers, "peer", nil, "id@host:port of members' nodes, besides those that --node names")
	f.Int64Var(&j.power, "power", 0, "voting power to ask for; 0: does not validate")
	keyTypeFlag(cmd, &j.keyType)
	f.BoolVar(&j.snapshot, "from-snapshot", false, "begin with the state of a recent block instead of the first block")
	f.StringVar(&j.api, "api-listen", "", "host:port of the new node's API (default 127.0.0.1:8080)")
	f.StringVar(&j.p2p, "p2p-listen", "", "host:port of the new node for its peers (default 127.0.0.1:26656)")
	for _, name := range []string{"name", "member", "genesis"} {
		must(cmd.MarkFlagRequired(name))
	}
	return cmd
}

func (a *app) join(ctx context.Context, j joining) error {
	kind, err := validatorKind(j.keyType)
	if err != nil {
		return err
	}
	member, err := a.party(j.member)
	if err != nil {
		return err
	}
	raw, err := readSmall(j.genesis, genesis.MaxFile)
	if err != nil {
		return err
	}
	g, err := genesis.Parse(raw)
	if err != nil {
		return usage(err.Error())
	}
	a.network = g.NetworkID
	c, err := a.ledger()
	if err != nil {
		return err
	}
	n, err := c.NetworkInfo(ctx)
	if err != nil {
		return err
	}
	peers, err := a.findPeers(ctx)
	if err != nil {
		return err
	}
	peers = append(peers, j.peers...)
	slices.Sort(peers)
	config, err := j.config(a, member.address, slices.Compact(peers))
	if err != nil {
		return err
	}
	home := node.Home(j.home)
	m, err := home.Create(j.name, member.address[:], j.power, &node.Validator{Kind: kind}, config)
	if err != nil {
		return err
	}
	if err := os.WriteFile(home.Genesis(), raw, 0o644); err != nil { // public
		return fmt.Errorf("genesis: %w", err)
	}
	votes := 2*len(n.GetMembers())/3 + 1
	fmt.Fprintf(a.out, `Made %s for %s in network %s, with %d peers.

The network lets it in once %d of its %d members have voted:
  1. Give %s to a member, which proposes it:   dure network propose --by MEMBER --add-member member.json
  2. The others vote:   dure network vote PROPOSAL --by MEMBER
Then:   dure start --home %s
So that the others can dial it too, they add %s@HOST:PORT to their p2p.peers.
`, home, j.name, g.NetworkID, len(config.P2PPeers), votes, len(n.GetMembers()), home.Card(), home, node.ID(m))
	return nil
}

func (j joining) config(a *app, member tx.Address, peers []string) (*node.Config, error) {
	set := map[string]string{"member": member.String(), "p2p.peers": strings.Join(peers, ",")}
	if j.api != "" {
		set["api.listen"] = j.api
	}
	if j.p2p != "" {
		set["p2p.listen"] = j.p2p
	}
	if j.snapshot {
		set["sync.servers"] = strings.Join(a.nodes, ",")
	}
	config, err := node.Load("", noEnv, set)
	if err != nil {
		return nil, usage(err.Error())
	}
	return config, nil
}

// findPeers asks the nodes of --node where their peers reach them.
func (a *app) findPeers(ctx context.Context) ([]string, error) {
	h, err := a.plainHTTP()
	if err != nil {
		return nil, err
	}
	var peers []string
	var failure error
	for _, address := range a.nodes {
		peer, err := peerOf(ctx, h, address)
		if err != nil {
			failure = err
			fmt.Fprintf(a.err, "%s does not say where its peers reach it (%v); give it with --peer\n", address, err)
			continue
		}
		peers = append(peers, peer)
	}
	if len(peers) == 0 && failure != nil {
		return nil, failure
	}
	return peers, nil
}

// plainHTTP is for what nodes serve besides the API.
func (a *app) plainHTTP() (*http.Client, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS13}
	if a.caFile != "" {
		pem, err := os.ReadFile(a.caFile)
		if err != nil {
			return nil, usage("--ca: " + err.Error())
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usage("--ca: " + a.caFile + " holds no PEM certificate")
		}
	}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: settings}}, nil
}

// peerOf is id@host:port of a node. A node that listens on all interfaces, or on loopback behind an address of another
// machine, is reached under the host of its API.
func peerOf(ctx context.Context, h *http.Client, address string) (string, error) {
	base, err := client.BaseURL(address)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String()+"/cometbft/status", nil)
	if err != nil {
		return "", err
	}
	response, err := h.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		Result struct {
			NodeInfo struct {
				ID         string `json:"id"`
				ListenAddr string `json:"listen_addr"`
			} `json:"node_info"`
		} `json:"result"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer); err != nil {
		return "", err
	}
	info := answer.Result.NodeInfo
	host, port, err := net.SplitHostPort(strings.TrimPrefix(info.ListenAddr, "tcp://"))
	if err != nil || len(info.ID) != 40 {
		return "", fmt.Errorf("it answers %q, %q", info.ID, info.ListenAddr)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = base.Hostname()
	}
	return info.ID + "@" + net.JoinHostPort(host, port), nil
}
