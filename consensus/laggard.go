package consensus

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/p2p"
	cmttypes "github.com/cometbft/cometbft/types"
)

const (
	// lookEvery is how often a node looks whether it gets on.
	lookEvery = time.Second
	// stuckLooks is for how many looks in a row it may stay where it is while peers are further; stuckSyncLooks while it fetches whole blocks, of
	// which one may take its time on a slow line.
	stuckLooks     = 10
	stuckSyncLooks = 60
)

// laggard notices that this node waits for a block that peers have, and that nothing comes of it. CometBFT sends a part of a block, or a vote, once
// on a connection and from then on takes the peer to have it. What came at a moment when it was of no use, such as a part before the votes that say
// which block it is of, is thrown away by the one and never sent again by the other (tendermint/tendermint#3721). Blocks that follow do not help, for
// this one comes first; the node would be where it is for ever. On a new connection nothing is taken to be known.
type laggard struct {
	here    func() place                    // may wait for a block that is being executed
	further func(height int64) []p2p.Peer   // who works on a later block
	redial  func(peer p2p.Peer, reason any) // ends a connection; a new one is made
	log     *slog.Logger

	last  place
	looks int // for which nothing has changed
}

// place is how far a node is in deciding blocks.
type place struct {
	syncing bool
	height  int64 // of the block that it works on
	round   int32
	step    cstypes.RoundStepType
	parts   string // of that block: which are here
}

// run looks until ctx ends or consensus does.
func (l *laggard) run(ctx context.Context, died <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-died:
			return
		case <-tick.C:
			l.look()
		}
	}
}

func (l *laggard) look() {
	at := l.here()
	waiting := l.further(at.height)
	if at != l.last || len(waiting) == 0 {
		l.last, l.looks = at, 0
		return
	}
	patience := stuckLooks
	if at.syncing {
		patience = stuckSyncLooks
	}
	if l.looks++; l.looks < patience {
		return
	}
	l.looks = 0
	for _, peer := range waiting {
		l.log.Warn("this node does not get a block that a peer has, so the connection is made anew", "height", at.height, "peer", peer.ID(),
			"address", peer.SocketAddr().String(), "waited", time.Duration(patience)*lookEvery)
		l.redial(peer, fmt.Errorf("block %d did not come for %v", at.height, time.Duration(patience)*lookEvery))
	}
}

// further are the peers that work on a later block; none while this node begins with a snapshot, which takes as long as it takes.
func (e *Engine) further(height int64) []p2p.Peer {
	if e.Tip() == nil {
		return nil
	}
	return further(e.node.Switch().Peers().Copy(), height)
}

func further(peers []p2p.Peer, height int64) []p2p.Peer {
	return slices.DeleteFunc(peers, func(peer p2p.Peer) bool {
		theirs, ok := peer.Get(cmttypes.PeerStateKey).(interface{ GetHeight() int64 })
		return !ok || theirs.GetHeight() <= height
	})
}

// place is where this node is now.
func (e *Engine) place() place {
	at := place{syncing: e.CatchingUp()}
	if consensus, ok := e.env.ConsensusState.(interface{ GetRoundState() *cstypes.RoundState }); ok {
		rs := consensus.GetRoundState()
		at.height, at.round, at.step = rs.Height, rs.Round, rs.Step
		if rs.ProposalBlockParts != nil {
			at.parts = rs.ProposalBlockParts.BitArray().String()
		}
	}
	if tip := e.Tip(); tip != nil { // it alone moves while whole blocks are fetched
		at.height = max(at.height, tip.Height+1)
	}
	return at
}
