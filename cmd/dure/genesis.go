package main

import (
	"fmt"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/genesis"
)

// saveGenesis writes the genesis file a node gave, if it is the one the network id was made of.
func (a *app) saveGenesis(path string, n *apiv1.GetNetworkResponse) error {
	g, err := genesis.Parse(n.GetGenesis())
	if err != nil {
		return notVerified(err, "The node gave a bad genesis file. Ask another with --node.")
	}
	if g.NetworkID != n.GetNetwork() {
		return notVerified(fmt.Errorf("the genesis file the node gave is that of %s, not of %s", g.NetworkID, n.GetNetwork()), "Ask another node with --node.")
	}
	return writeNew(path, n.GetGenesis(), 0o644)
}
