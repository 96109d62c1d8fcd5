package simnet

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/dureledger/dure/node"
)

// StartTwin stops member i's node, copies its folder and starts both: two nodes that vote with one key, as when a backup
// is started beside the original. The members named in with know the twin alone, the others the original alone: a node
// takes no second connection by one node key. It returns the twin's number, for Client, Log and so on.
func (n *Network) StartTwin(i int, with ...int) int {
	n.t.Helper()
	n.StopNode(i)
	original := n.seats[i]
	seat := original
	seat.Home = node.Home(string(original.Home) + "-twin")
	ports := freePorts(n.t, 2)
	seat.API, seat.P2P = ports[0], ports[1]
	if err := os.CopyFS(string(seat.Home), os.DirFS(string(original.Home))); err != nil {
		n.t.Fatal(err)
	}
	twin := len(n.seats)
	n.seats, n.nodes, n.logs = append(n.seats, seat), append(n.nodes, nil), append(n.logs, &logbook{})
	n.rules = append(n.rules, n.rules[i])

	knowsTwin := func(peer string) bool {
		return slices.ContainsFunc(with, func(j int) bool { return strings.HasSuffix(peer, "@"+n.seats[j].P2P) })
	}
	n.configure(twin, func(c *node.Config) {
		c.APIListen, c.P2PListen = seat.API, seat.P2P
		c.P2PPeers = slices.DeleteFunc(c.P2PPeers, func(peer string) bool { return !knowsTwin(peer) })
	})
	n.configure(i, func(c *node.Config) { c.P2PPeers = slices.DeleteFunc(c.P2PPeers, knowsTwin) })
	for _, j := range with {
		n.StopNode(j)
		n.configure(j, func(c *node.Config) {
			for k, peer := range c.P2PPeers {
				if id, ok := strings.CutSuffix(peer, "@"+original.P2P); ok {
					c.P2PPeers[k] = fmt.Sprintf("%s@%s", id, seat.P2P)
				}
			}
		})
	}
	for _, j := range append([]int{i, twin}, with...) {
		n.StartNode(j)
	}
	return twin
}

// Peering is where member i's node listens for others, and the others' nodes as it dials them.
func (n *Network) Peering(i int) (listen string, peers []string) {
	n.configure(i, func(c *node.Config) { listen, peers = c.P2PListen, c.P2PPeers })
	return listen, peers
}

// configure changes the configuration of a node that is stopped.
func (n *Network) configure(i int, change func(*node.Config)) {
	n.t.Helper()
	file := n.seats[i].Home.Config()
	c, err := node.Load(file, func(string) (string, bool) { return "", false }, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	change(c)
	if err := c.Write(file); err != nil {
		n.t.Fatal(err)
	}
}
