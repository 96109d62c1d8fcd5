package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	lightprovider "github.com/cometbft/cometbft/light/provider/http"
	cmtstate "github.com/cometbft/cometbft/proto/tendermint/state"
	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"

	"github.com/dureledger/dure/ledger/proof"
)

// Trust is which validators sign which heights, verified by whoever gives it: the set of height From, and every change of
// it in headers from From on and below Through.
type Trust struct {
	From, Through int64
	Validators    []proof.Validator
	Changes       []proof.Change
}

// Sync says how a node without data begins with a snapshot of its peers.
type Sync struct {
	// Servers are the API addresses of members' nodes (https://host:port), which show the signed headers.
	Servers []string
	// Trust gives what is trusted, up to height atLeast or later.
	Trust func(ctx context.Context, atLeast int64) (*Trust, error)
}

// provider implements CometBFT's statesync.StateProvider: signed headers from members' nodes, each verified against the
// validators that Trust says sign its height. It needs no header between.
type provider struct {
	network string
	doc     *types.GenesisDoc
	sync    *Sync
	log     *slog.Logger

	mu     sync.Mutex
	trust  *Trust
	blocks map[int64]*types.LightBlock
}

func newProvider(c Config, doc *types.GenesisDoc) *provider {
	return &provider{network: c.Genesis.NetworkID, doc: doc, sync: c.Sync, log: c.Log, blocks: map[int64]*types.LightBlock{}}
}

// AppHash implements statesync.StateProvider.
func (p *provider) AppHash(ctx context.Context, height uint64) ([]byte, error) {
	b, err := p.block(ctx, int64(height)+1)
	if err != nil {
		return nil, err
	}
	return b.AppHash, nil
}

// Commit implements statesync.StateProvider.
func (p *provider) Commit(ctx context.Context, height uint64) (*types.Commit, error) {
	b, err := p.block(ctx, int64(height))
	if err != nil {
		return nil, err
	}
	return b.Commit, nil
}

// State implements statesync.StateProvider: CometBFT's state as it was after the block of height.
func (p *provider) State(ctx context.Context, height uint64) (sm.State, error) {
	last, err := p.block(ctx, int64(height))
	if err != nil {
		return sm.State{}, err
	}
	current, err := p.block(ctx, int64(height)+1)
	if err != nil {
		return sm.State{}, err
	}
	next, err := p.validators(ctx, int64(height)+2, current.NextValidatorsHash)
	if err != nil {
		return sm.State{}, err
	}
	params := *p.doc.ConsensusParams // they never change
	if !bytes.Equal(params.Hash(), current.ConsensusHash) {
		return sm.State{}, errors.New("the network's consensus parameters are not those of this program's release; use the release that the members run")
	}
	return sm.State{
		ChainID: p.network, InitialHeight: 1,
		Version:         cmtstate.Version{Consensus: current.Version, Software: version.TMCoreSemVer},
		LastBlockHeight: last.Height, LastBlockTime: last.Time, LastBlockID: last.Commit.BlockID,
		AppHash: current.AppHash, LastResultsHash: current.LastResultsHash,
		LastValidators: last.ValidatorSet, Validators: current.ValidatorSet, NextValidators: next,
		LastHeightValidatorsChanged: int64(height) + 2,
		ConsensusParams:             params, LastHeightConsensusParamsChanged: current.Height,
	}, nil
}

// headerOf is a header that was verified before.
func (p *provider) headerOf(height int64) (*types.Header, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.blocks[height]
	if b == nil {
		return nil, fmt.Errorf("the header of block %d has not been verified", height)
	}
	return b.Header, nil
}

// block fetches a signed header from one server after the other until one shows a good one.
func (p *provider) block(ctx context.Context, height int64) (*types.LightBlock, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.blocks[height]; b != nil {
		return b, nil
	}
	want, err := p.signers(ctx, height)
	if err != nil {
		p.log.Warn("it is not known who signs a block", "height", height, "error", err)
		return nil, err
	}
	for _, server := range p.sync.Servers {
		b, e := p.fetch(ctx, server, height, want)
		if e == nil {
			if len(p.blocks) > maxKeptBlocks {
				clear(p.blocks)
			}
			p.blocks[height] = b
			return b, nil
		}
		p.log.Warn("a server does not show a good header", "server", server, "height", height, "error", e)
		err = errors.Join(err, fmt.Errorf("%s: %w", server, e))
	}
	return nil, err
}

// maxKeptBlocks bounds the headers that are remembered: three for each snapshot tried.
const maxKeptBlocks = 300

func (p *provider) fetch(ctx context.Context, server string, height int64, signers []byte) (*types.LightBlock, error) {
	client, err := rpcClient(server)
	if err != nil {
		return nil, err
	}
	b, err := lightprovider.NewWithClient(p.network, client).LightBlock(ctx, height)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(b.ValidatorsHash, signers) {
		return nil, fmt.Errorf("its block %d is signed by other validators than the network's", height)
	}
	return b, b.ValidatorSet.VerifyCommitLight(p.network, b.Commit.BlockID, height, b.Commit)
}

// signers is the hash of the set that signs a height. The caller holds mu.
func (p *provider) signers(ctx context.Context, height int64) ([]byte, error) {
	if p.trust == nil || p.trust.Through < height {
		t, err := p.sync.Trust(ctx, height)
		if err != nil {
			return nil, err
		}
		p.trust = t
	}
	return p.trust.signers(height)
}

func (t *Trust) signers(height int64) ([]byte, error) {
	if height < t.From || height > t.Through {
		return nil, fmt.Errorf("what is trusted reaches from block %d to %d, not to %d", t.From, t.Through, height)
	}
	set := make([]*types.Validator, len(t.Validators))
	for i, v := range t.Validators {
		key, err := validatorPublic(v.Key)
		if err != nil {
			return nil, err
		}
		set[i] = types.NewValidator(key, v.Power)
	}
	hash := types.NewValidatorSet(set).Hash()
	for i := range t.Changes {
		if t.Changes[i].Header.Height < height {
			hash = t.Changes[i].Header.NextValidatorsHash[:]
		}
	}
	return hash, nil
}

// validators fetches the set of a height, of which the hash is known.
func (p *provider) validators(ctx context.Context, height int64, hash []byte) (*types.ValidatorSet, error) {
	var failure error
	page, most := 1, maxMembers
	for _, server := range p.sync.Servers {
		client, err := rpcClient(server)
		if err != nil {
			return nil, err
		}
		answer, err := client.Validators(ctx, &height, &page, &most)
		if err != nil {
			failure = errors.Join(failure, fmt.Errorf("%s: %w", server, err))
			continue
		}
		set, err := types.ValidatorSetFromExistingValidators(answer.Validators)
		if err == nil && bytes.Equal(set.Hash(), hash) {
			return set, nil
		}
		failure = errors.Join(failure, fmt.Errorf("%s: the validators of block %d are not those that were signed (%w)", server, height, err))
	}
	p.log.Warn("no server shows the next validators", "height", height, "error", failure)
	return nil, failure
}

// rpcTimeout bounds one question to a server.
const rpcTimeout = 10 * time.Second

// rpcClient asks the CometBFT routes that a node's API serves.
func rpcClient(server string) (*rpchttp.HTTP, error) {
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	c, err := rpchttp.NewWithClient(strings.TrimRight(server, "/")+"/cometbft", "/websocket", &http.Client{Timeout: rpcTimeout})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", server, err)
	}
	return c, nil
}
