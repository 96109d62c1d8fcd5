package consensus

import (
	"fmt"
	"net/http"
	"time"

	rpcserver "github.com/cometbft/cometbft/rpc/jsonrpc/server"
	"github.com/cometbft/cometbft/types"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// HeaderAt gives the header of a decided block. Code block.unknown.
func (e *Engine) HeaderAt(height int64) (*types.Header, error) {
	meta := e.node.BlockStore().LoadBlockMeta(height)
	if meta == nil {
		return nil, e.unknownBlock(height)
	}
	return &meta.Header, nil
}

// CommitAt gives the signatures that decided a block: those in the next block, or for the newest those seen here.
func (e *Engine) CommitAt(height int64) (*types.Commit, error) {
	if c := e.node.BlockStore().LoadBlockCommit(height); c != nil {
		return c, nil
	}
	if c := e.node.BlockStore().LoadSeenCommit(height); c != nil {
		return c, nil
	}
	return nil, e.unknownBlock(height)
}

// ValidatorsAt gives the set that signs headers of a height.
func (e *Engine) ValidatorsAt(height int64) (*types.ValidatorSet, error) {
	set, err := e.env.StateStore.LoadValidators(height)
	if err != nil {
		return nil, fmt.Errorf("validators of height %d: %w", height, err)
	}
	return set, nil
}

// Height of the newest block decided, which the ledger may be about to execute.
func (e *Engine) Height() int64 { return e.node.BlockStore().Height() }

// BlockInfo is what a reader wants to know of a block.
type BlockInfo struct {
	Height   int64
	Time     time.Time
	Hash     [32]byte
	Proposer tx.Address // zero if its validator is no member any more
	AppHash  []byte
	Batches  int
}

// BlockAt describes a decided block. Code block.unknown.
func (e *Engine) BlockAt(height int64) (*BlockInfo, error) {
	meta := e.node.BlockStore().LoadBlockMeta(height)
	if meta == nil {
		return nil, e.unknownBlock(height)
	}
	out := &BlockInfo{
		Height: height, Time: meta.Header.Time, Hash: [32]byte(meta.BlockID.Hash), AppHash: meta.Header.AppHash, Batches: meta.NumTxs,
	}
	if tip := e.Tip(); tip != nil {
		for _, m := range tip.Members {
			if string(validatorAddress(m.GetValidatorKey())) == string(meta.Header.ProposerAddress) {
				out.Proposer = tx.Address(m.GetAddress())
			}
		}
	}
	return out, nil
}

func (e *Engine) unknownBlock(height int64) error {
	base, newest := e.node.BlockStore().Base(), e.Height()
	if height > 0 && height < base {
		return fault.New("block.pruned", fmt.Sprintf("This node does not hold block %d any more, or never did; the oldest it holds is %d. Ask another member's node.", height, base),
			"height", height, "oldest", base, "newest", newest)
	}
	return fault.New("block.unknown", fmt.Sprintf("there is no block %d here; the newest is %d", height, newest),
		"height", height, "newest", newest)
}

// RPC serves the routes of CometBFT's own RPC that its light client asks: status, header, commit and validators, read-only.
func (e *Engine) RPC() http.Handler {
	all := e.env.GetRoutes()
	some := map[string]*rpcserver.RPCFunc{}
	for _, name := range []string{"health", "status", "header", "commit", "validators", "consensus_params"} {
		some[name] = all[name]
	}
	mux := http.NewServeMux()
	rpcserver.RegisterRPCFuncs(mux, some, &logger{log: e.config.Log})
	return mux
}
