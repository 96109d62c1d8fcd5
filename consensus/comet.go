package consensus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/mempool"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/dureledger/dure/ledger/genesis"
)

// maxBlockBytes bounds one block.
const maxBlockBytes = 8 << 20

// maxMembers is how many members a network may have (network.MaxMembers, which this package does not import).
const maxMembers = 100

// cometFolders says where CometBFT keeps what below a node's consensus folder.
func cometFolders(home string) *cmtcfg.Config { return cmtcfg.DefaultConfig().SetRoot(home) }

// cometConfig sets every knob that matters here on purpose; CometBFT's defaults are for the open internet.
func cometConfig(c Config) *cmtcfg.Config {
	config := cometFolders(c.Home)
	config.FilterPeers = true
	config.RPC.ListenAddress = "" // read-only routes are served by the node's own API

	config.P2P.ListenAddress = "tcp://" + c.Listen
	config.P2P.PexReactor = false
	config.P2P.AddrBookStrict = false
	config.P2P.AllowDuplicateIP = true // members may share a machine or an address translator
	config.P2P.MaxNumInboundPeers = 200
	config.P2P.MaxNumOutboundPeers = 200
	config.P2P.SendRate = 1 << 30
	config.P2P.RecvRate = 1 << 30
	config.P2P.MaxPacketMsgPayloadSize = 16 << 10
	config.P2P.FlushThrottleTimeout = 5 * time.Millisecond

	config.Mempool.Type = cmtcfg.MempoolTypeFlood
	config.Mempool.Broadcast = false // batches travel by our own reactor
	config.Mempool.Recheck = false
	config.Mempool.Size = maxMembers * sealerBatches // the shelf's quotas bound each member, so that none fills it
	config.Mempool.MaxTxBytes = len(Hash{})
	config.Mempool.MaxTxsBytes = int64(config.Mempool.Size * config.Mempool.MaxTxBytes)
	config.Mempool.CacheSize = 0 // the shelf knows what was there before

	config.Consensus.CreateEmptyBlocks = false
	config.Consensus.CreateEmptyBlocksInterval = 0
	config.Consensus.TimeoutPropose = leastPatience // app.Commit changes it
	config.Consensus.TimeoutPrevote = 500 * time.Millisecond
	config.Consensus.TimeoutPrecommit = 500 * time.Millisecond
	config.Consensus.TimeoutCommit = 100 * time.Millisecond
	config.Consensus.PeerGossipSleepDuration = gossipSleep(len(c.Genesis.GetNetwork().GetMembers()))
	config.Consensus.PeerQueryMaj23SleepDuration = time.Second

	config.TxIndex.Indexer = "null"
	config.Storage.DiscardABCIResponses = true
	return config
}

// gossipSleep is how often CometBFT looks, for each peer, whether it lacks something. With few members that is where
// latency comes from; with many, looking all the time would take the processor's time from real work.
func gossipSleep(members int) time.Duration {
	return time.Duration(max(5, members)) * time.Millisecond
}

// genesisDoc is the document CometBFT starts from, derived from ours.
func genesisDoc(g *genesis.Genesis) (*cmttypes.GenesisDoc, error) {
	doc := &cmttypes.GenesisDoc{
		ChainID: g.NetworkID, GenesisTime: time.UnixMilli(g.GetTime()).UTC(), InitialHeight: 1,
		ConsensusParams: cmttypes.DefaultConsensusParams(),
	}
	doc.ConsensusParams.Block.MaxBytes = maxBlockBytes
	doc.ConsensusParams.Validator.PubKeyTypes = ValidatorKeyTypes
	for _, m := range g.GetNetwork().GetMembers() {
		if m.GetPower() > 0 {
			key, err := validatorPublic(m.GetValidatorKey())
			if err != nil {
				return nil, fmt.Errorf("genesis: %s: %w", m.GetName(), err)
			}
			doc.Validators = append(doc.Validators, cmttypes.GenesisValidator{
				Address: key.Address(), PubKey: key, Power: m.GetPower(), Name: m.GetName(),
			})
		}
	}
	if err := doc.ValidateAndComplete(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return doc, nil
}

func makeFolders(config *cmtcfg.Config) error {
	for _, file := range []string{config.PrivValidatorStateFile(), config.P2P.AddrBookFile(), config.DBDir(), config.Consensus.WalFile()} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fmt.Errorf("consensus: %w", err)
		}
	}
	return nil
}

// noKeyCopy removes the copy of the validator's key that CometBFT's folder had before the key was read from where it is.
func noKeyCopy(config *cmtcfg.Config) error {
	if err := os.Remove(config.PrivValidatorKeyFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("consensus: %w", err)
	}
	return nil
}

// offer puts a batch's hash into CometBFT's mempool, which wakes consensus. It is all that the mempool is for: what a block has comes from the
// shelf, and the mempool would hash whole batches eight times.
func (e *Engine) offer(b *batch) error {
	if err := e.node.Mempool().CheckTx(b.hash[:], func(*abci.ResponseCheckTx) {}, mempool.TxInfo{}); err != nil {
		return fmt.Errorf("mempool: %w", err)
	}
	return nil
}

// withdraw takes hashes of batches out of CometBFT's mempool. A block is being committed, so the mempool is locked. Batches that were not offered
// here are not in it.
func (e *Engine) withdraw(decided []BatchRef, expired []*batch) {
	for _, ref := range decided {
		_ = e.node.Mempool().RemoveTxByKey(cmttypes.Tx(ref.Hash[:]).Key())
	}
	for _, b := range expired {
		_ = e.node.Mempool().RemoveTxByKey(cmttypes.Tx(b.hash[:]).Key())
	}
}
