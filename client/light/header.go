package light

import (
	"bytes"
	"encoding/hex"
	"slices"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

// validators is a set whose form has been checked: CometBFT's order, no key twice, a total that cannot overflow.
type validators struct {
	list  []*types.Validator
	total int64
	hash  [32]byte
}

// plain is the set as files have it.
func (v *validators) plain() []proof.Validator {
	list := make([]proof.Validator, 0, len(v.list))
	for _, one := range v.list {
		list = append(list, proof.Validator{Key: one.PubKey.Bytes(), Power: one.VotingPower})
	}
	return list
}

// newValidators takes a set in CometBFT's order: power descending, then address.
func newValidators(set []proof.Validator) (*validators, error) {
	if len(set) == 0 {
		return nil, fault.New("proof.bad_validators", "a set of validators is empty")
	}
	v := &validators{}
	seen := make(map[string]bool, len(set))
	for _, s := range set {
		if seen[string(s.Key)] {
			return nil, fault.New("proof.bad_validators", "a set of validators has the same key twice", "key", hex.EncodeToString(s.Key))
		}
		seen[string(s.Key)] = true
		if s.Power <= 0 || s.Power > types.MaxTotalVotingPower-v.total {
			return nil, fault.New("proof.bad_validators", "a set of validators has a power that is not positive, or more in total than can be",
				"key", hex.EncodeToString(s.Key), "power", s.Power)
		}
		key, err := publicKey(s.Key)
		if err != nil {
			return nil, err
		}
		v.total += s.Power
		v.list = append(v.list, types.NewValidator(key, s.Power))
	}
	if !slices.IsSortedFunc(v.list, compareValidators) {
		return nil, fault.New("proof.bad_validators", "a set of validators is not in order of power and address")
	}
	v.hash = [32]byte((&types.ValidatorSet{Validators: v.list}).Hash())
	return v, nil
}

func compareValidators(a, b *types.Validator) int {
	if a.VotingPower != b.VotingPower {
		if a.VotingPower > b.VotingPower {
			return -1
		}
		return 1
	}
	return bytes.Compare(a.Address, b.Address)
}

// headerHash is CometBFT's hash of a header whose validators are v.
func headerHash(network string, v *validators, h *proof.Header) [32]byte {
	header := types.Header{
		Version:            cmtversion.Consensus{Block: h.BlockVersion, App: h.AppVersion},
		ChainID:            network,
		Height:             h.Height,
		Time:               unixNano(h.Time),
		LastCommitHash:     h.LastCommitHash[:],
		DataHash:           h.DataHash[:],
		ValidatorsHash:     v.hash[:],
		NextValidatorsHash: h.NextValidatorsHash[:],
		ConsensusHash:      h.ConsensusHash[:],
		AppHash:            h.AppHash[:],
		LastResultsHash:    h.LastResultsHash[:],
		EvidenceHash:       h.EvidenceHash[:],
		ProposerAddress:    h.Proposer[:],
	}
	if h.Height != 1 {
		header.LastBlockID = types.BlockID{
			Hash:          h.LastBlock.Hash[:],
			PartSetHeader: types.PartSetHeader{Total: h.LastBlock.PartsTotal, Hash: h.LastBlock.PartsHash[:]},
		}
	}
	return [32]byte(header.Hash())
}

// tally says who signed a header.
type tally struct {
	signatures, validators int
	power, total           int64
}

// verifyCommit checks that every signature of the commit is a precommit of its validator for this header, and that
// together they have more than two thirds of the power.
func verifyCommit(network string, v *validators, hash [32]byte, height int64, c *proof.Commit) (tally, error) {
	t := tally{validators: len(v.list), total: v.total}
	last := -1
	for i := range c.Signatures {
		s := &c.Signatures[i]
		// Ascending order, so that nobody counts twice and there is one way to write a commit.
		if int(s.Validator) <= last || int(s.Validator) >= len(v.list) {
			return t, fault.New("proof.bad_signer", "a signature is by nobody in the set of validators, counted twice or out of order",
				"height", height, "validator", s.Validator)
		}
		last = int(s.Validator)
		signer := v.list[last]
		if !signer.PubKey.VerifySignature(signBytes(network, hash, height, c, s), s.Bytes) {
			return t, fault.New("proof.bad_signature", "a validator's signature on a header is not good; the file is damaged or forged",
				"height", height, "validator", s.Validator)
		}
		t.signatures++
		t.power += signer.VotingPower
	}
	// Totals are at most 2^60, so three times them fits.
	if 3*t.power <= 2*t.total {
		return t, fault.New("proof.too_little_power", "not more than two thirds of the validators' power signed a header",
			"height", height, "power", t.power, "total", t.total)
	}
	return t, nil
}

func signBytes(network string, hash [32]byte, height int64, c *proof.Commit, s *proof.Signature) []byte {
	return types.VoteSignBytes(network, &cmtproto.Vote{
		Type:   cmtproto.PrecommitType,
		Height: height,
		Round:  c.Round,
		BlockID: cmtproto.BlockID{
			Hash:          hash[:],
			PartSetHeader: cmtproto.PartSetHeader{Total: c.PartsTotal, Hash: c.PartsHash[:]},
		},
		Timestamp: unixNano(s.Time),
	})
}

func unixNano(ns int64) time.Time { return time.Unix(0, ns).UTC() }
