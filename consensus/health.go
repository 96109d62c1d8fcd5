package consensus

import (
	"github.com/cometbft/cometbft/p2p"

	"github.com/dureledger/dure/ledger/fault"
)

// Refuses says why this node takes no transactions just now; nil if it does.
func (e *Engine) Refuses() *fault.Error { return e.ready() }

// Power is the voting power of this node's member and of the members whose nodes are connected, and that of all. Blocks
// need more than two thirds of all.
func (e *Engine) Power() (connected, total int64) {
	tip := e.Tip()
	if tip == nil {
		return 0, 0
	}
	peers := e.node.Switch().Peers()
	for _, m := range tip.Members {
		total += m.GetPower()
		if string(m.GetAddress()) == string(e.config.Member[:]) || peers.Has(p2p.ID(NodeID(m.GetNodeKey()))) {
			connected += m.GetPower()
		}
	}
	return connected, total
}
