package consensus

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	cmttime "github.com/cometbft/cometbft/types/time"
)

// guardMargin is by how much the members' clocks may differ without the guard being misled.
const guardMargin = 10 * time.Second

// guard is a validator that does not know what it has signed: its signing state is lost, or the folder comes from a
// backup, which carries none because an old one would be worse. It does not vote until the ledger has a block later than
// the node's start. The time of a block is a median of votes for the block before it, so that block had not been decided
// when the node started, and what this key signed before, for that block at the most, is out of the way.
type guard struct {
	*privval.FilePV
	since time.Time // of the start, with margin
	tip   func() *Tip
	log   *slog.Logger

	mu     sync.Mutex
	height int64 // of the first block that is later, 0 while there is none
	warned bool
}

var errUnsure = errors.New("this validator does not know what it has signed, so it waits for a block later than its start before it votes")

// FreshSigning notes in a node's consensus folder that its validator key is new and has signed nothing. A file that is
// there is left alone. Writing it for a key that has signed can make the validator sign twice.
func FreshSigning(home string) error {
	config := cometFolders(home)
	if err := makeFolders(config); err != nil {
		return err
	}
	return newSigning(config.PrivValidatorStateFile())
}

// openValidator opens the voting key, guarded if its signing state is not there.
func openValidator(config *cmtcfg.Config, c Config, a *app) (cmttypes.PrivValidator, error) {
	pv, known, err := openSigning(config.PrivValidatorStateFile(), c.ValidatorKey)
	if err != nil {
		return nil, err
	}
	if known {
		return pv, nil
	}
	return &guard{FilePV: pv, since: cmttime.Now().Add(guardMargin), tip: a.tip.Load, log: c.Log}, nil
}

// GetPubKey implements types.PrivValidator.
func (g *guard) GetPubKey() (crypto.PubKey, error) { return g.FilePV.GetPubKey() }

// SignVote implements types.PrivValidator.
func (g *guard) SignVote(chainID string, vote *cmtproto.Vote) error {
	if err := g.allow(vote.Height); err != nil {
		return err
	}
	return g.FilePV.SignVote(chainID, vote)
}

// SignProposal implements types.PrivValidator.
func (g *guard) SignProposal(chainID string, proposal *cmtproto.Proposal) error {
	if err := g.allow(proposal.Height); err != nil {
		return err
	}
	return g.FilePV.SignProposal(chainID, proposal)
}

// allow says whether something of a height may be signed.
func (g *guard) allow(height int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.height == 0 {
		if t := g.tip(); t != nil && t.Time > g.since.UnixMilli() {
			g.height = t.Height
			g.log.Info("this validator votes from now on", "height", t.Height+1)
		} else if !g.warned {
			g.warned = true
			g.log.Warn("this validator does not vote yet: its signing state is missing, as after a restore, so it waits for a block later than now; "+
				"if the network cannot make one without it, and nothing else has voted with this key since the backup, start with --sign-at-once",
				"until", g.since.UTC().Format(time.RFC3339))
		}
	}
	if g.height == 0 || height <= g.height {
		return fmt.Errorf("height %d: %w", height, errUnsure)
	}
	return nil
}
