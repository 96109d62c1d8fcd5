package consensus

import (
	"io"
	"log/slog"
	"slices"
	"testing"

	cmtcfg "github.com/cometbft/cometbft/config"
	cmtconsensus "github.com/cometbft/cometbft/consensus"
	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/p2p"
	cmttypes "github.com/cometbft/cometbft/types"
)

// A node that does not get on, although a peer is further, makes the connections to those peers anew and no others. One that gets on, or whose
// peers are no further, keeps them; one that fetches whole blocks has more patience.
func TestLaggard(t *testing.T) {
	const here = 7
	at := place{height: here, step: cstypes.RoundStepCommit, parts: "___"}
	sw := p2p.MakeConnectedSwitches(cmtcfg.DefaultP2PConfig(), 4, func(_ int, sw *p2p.Switch) *p2p.Switch { return sw }, p2p.Connect2Switches)
	t.Cleanup(func() {
		for _, s := range sw {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
	var ahead []p2p.ID
	for i, peer := range sw[0].Peers().Copy() {
		height := int64(here - 1 + i) // one behind, one at the same block, one further
		state := cmtconsensus.NewPeerState(peer)
		state.ApplyNewRoundStepMessage(&cmtconsensus.NewRoundStepMessage{Height: height, Step: cstypes.RoundStepNewHeight})
		peer.Set(cmttypes.PeerStateKey, state)
		if height > here {
			ahead = append(ahead, peer.ID())
		}
	}
	var parted []p2p.ID
	lag := &laggard{here: func() place { return at }, further: func(height int64) []p2p.Peer { return further(sw[0].Peers().Copy(), height) }, log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		redial: func(peer p2p.Peer, _ any) { parted = append(parted, peer.ID()) }}
	look := func(times int) []p2p.ID {
		parted = nil
		for range times {
			lag.look()
		}
		return parted
	}

	look(1)
	if got := look(stuckLooks - 1); got != nil {
		t.Errorf("parted too soon from %v", got)
	}
	if got := look(1); !slices.Equal(got, ahead) || len(ahead) != 1 {
		t.Errorf("parted from %v, %v are further", got, ahead)
	}
	for _, change := range []func(){
		func() { at.parts = "__x" },
		func() { at.step = cstypes.RoundStepNewHeight },
		func() { at.round++ },
		func() { at.syncing = true },
	} {
		if got := look(stuckLooks - 1); got != nil {
			t.Errorf("parted from %v", got)
		}
		change()
	}
	if got := look(stuckSyncLooks); got != nil {
		t.Errorf("while blocks are fetched: parted from %v", got)
	}
	if got := look(1); !slices.Equal(got, ahead) {
		t.Errorf("while blocks are fetched: not parted, %v", got)
	}
	at = place{height: here + 1}
	if got := look(3 * stuckSyncLooks); got != nil {
		t.Errorf("nobody is further: parted from %v", got)
	}
}
