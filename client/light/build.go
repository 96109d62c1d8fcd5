package light

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/mldsa65"
	"github.com/cometbft/cometbft/types"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

// Source gives a node's committed headers to the builders. consensus implements it over CometBFT's stores.
type Source interface {
	// HeaderAt gives the header of a height.
	HeaderAt(height int64) (*types.Header, error)
	// CommitAt gives the commit for the header of that height: from the next block, or as seen for the newest.
	CommitAt(height int64) (*types.Commit, error)
	// ValidatorsAt gives the set that signs headers of that height, in CometBFT's order.
	ValidatorsAt(height int64) (*types.ValidatorSet, error)
	// ChangeHeights lists, ascending, the heights h with from <= h < to whose header has NextValidatorsHash other than
	// ValidatorsHash. Heights where nothing changed may be among them. A node that gives validator updates to CometBFT
	// at height h keeps h+1 in a list.
	ChangeHeights(from, to int64) ([]int64, error)
}

// Keeper is a Source that keeps changes of validators apart from its headers, because it does not have all headers.
type Keeper interface {
	// KeptChange is the change in the header of a height, nil if nothing changed there; false if it is not kept apart.
	KeptChange(height int64) (*proof.Change, bool)
}

// Leaf is an outcome in the history log, as signed by the header that a receipt is built on.
type Leaf struct {
	// Transaction as executed; may be left out.
	Transaction []byte
	// Outcome is the serialised outcome.
	Outcome []byte
	// Size of the log in the header's app hash, and Path from the leaf to its root, lowest sibling first.
	Size uint64
	Path [][32]byte
	// StateRoot in the header's app hash.
	StateRoot [32]byte
	// Cosignatures on the checkpoint of the header, in any order; none for most receipts.
	Cosignatures []proof.Line
}

// BuildReceipt makes the receipt of a leaf, signed by the header of height, for a verifier who trusts the validators of
// height trusted (0: genesis). The header's app hash speaks of the block before it: the leaf's size, path and
// state root are those after block height-1.
//
// Error codes: proof.before_anchor, proof.incomplete, proof.too_large, receipt.wrong_app_hash, receipt.too_large, those of
// [proof.DecodeReceipt]. Errors of the source come wrapped.
func BuildReceipt(s Source, trusted, height int64, leaf Leaf) ([]byte, error) {
	e, network, err := buildEvidence(s, trusted, height)
	if err != nil {
		return nil, err
	}
	r := &proof.Receipt{
		Network: network, Transaction: leaf.Transaction, Outcome: leaf.Outcome,
		Size: leaf.Size, Path: leaf.Path, StateRoot: leaf.StateRoot, Evidence: *e, Cosignatures: slices.Clone(leaf.Cosignatures),
	}
	proof.SortLines(r.Cosignatures)
	return r.Encode()
}

// BuildCheckpoint makes the checkpoint of the header of height for a verifier who trusts the validators of height trusted
// (0: genesis). Size, root (RFC 6962) and stateRoot are those after block height-1. Error codes as [BuildReceipt], with
// checkpoint.wrong_app_hash.
func BuildCheckpoint(s Source, trusted, height int64, size uint64, root, stateRoot [32]byte) ([]byte, error) {
	e, network, err := buildEvidence(s, trusted, height)
	if err != nil {
		return nil, err
	}
	set, err := buildValidators(s, height)
	if err != nil {
		return nil, err
	}
	v, err := newValidators(set)
	if err != nil {
		return nil, err
	}
	c := &proof.Checkpoint{
		Network: network, Size: size, Root: root, Height: height, Time: e.Header.Time,
		Header: headerHash(network, v, &e.Header), StateRoot: stateRoot, Validators: set, Evidence: *e,
	}
	return c.Encode()
}

func buildEvidence(s Source, trusted, height int64) (*proof.Evidence, string, error) {
	trusted = max(trusted, 1)
	if height < trusted {
		return nil, "", fault.New("proof.before_anchor", "the height you trust is above the newest header that can be proven; try again in a moment",
			"trusted", trusted, "height", height)
	}
	changes, err := s.ChangeHeights(trusted, height)
	if err != nil {
		return nil, "", fmt.Errorf("light: heights of changes: %w", err)
	}
	e := &proof.Evidence{}
	keeper, _ := s.(Keeper)
	for _, h := range changes {
		if keeper != nil {
			if c, kept := keeper.KeptChange(h); kept {
				if c != nil {
					e.Changes = append(e.Changes, *c)
				}
				continue
			}
		}
		header, err := s.HeaderAt(h)
		if err != nil {
			return nil, "", fmt.Errorf("light: header %d: %w", h, err)
		}
		if bytes.Equal(header.NextValidatorsHash, header.ValidatorsHash) {
			continue
		}
		c := proof.Change{}
		if c.Header, c.Commit, err = buildSigned(s, header); err != nil {
			return nil, "", err
		}
		if c.Next, err = buildValidators(s, h+1); err != nil {
			return nil, "", err
		}
		e.Changes = append(e.Changes, c)
	}
	header, err := s.HeaderAt(height)
	if err != nil {
		return nil, "", fmt.Errorf("light: header %d: %w", height, err)
	}
	e.Header, e.Commit, err = buildSigned(s, header)
	return e, header.ChainID, err
}

func buildSigned(s Source, h *types.Header) (proof.Header, proof.Commit, error) {
	header, err := buildHeader(h)
	if err != nil {
		return proof.Header{}, proof.Commit{}, err
	}
	commit, err := buildCommit(s, h)
	return header, commit, err
}

func buildHeader(h *types.Header) (proof.Header, error) {
	r := proof.Header{
		BlockVersion: h.Version.Block, AppVersion: h.Version.App, Height: h.Height, Time: h.Time.UnixNano(),
	}
	type field struct {
		name     string
		to, from []byte
	}
	fields := []field{
		{"last commit hash", r.LastCommitHash[:], h.LastCommitHash},
		{"data hash", r.DataHash[:], h.DataHash},
		{"next validators hash", r.NextValidatorsHash[:], h.NextValidatorsHash},
		{"consensus hash", r.ConsensusHash[:], h.ConsensusHash},
		{"app hash", r.AppHash[:], h.AppHash},
		{"last results hash", r.LastResultsHash[:], h.LastResultsHash},
		{"evidence hash", r.EvidenceHash[:], h.EvidenceHash},
		{"proposer", r.Proposer[:], h.ProposerAddress},
	}
	if h.Height != 1 { // block 1 has none before it
		r.LastBlock.PartsTotal = h.LastBlockID.PartSetHeader.Total
		fields = append(fields,
			field{"last block hash", r.LastBlock.Hash[:], h.LastBlockID.Hash},
			field{"last block parts", r.LastBlock.PartsHash[:], h.LastBlockID.PartSetHeader.Hash})
	}
	for _, f := range fields {
		if len(f.from) != len(f.to) {
			return r, incomplete(h.Height, "its header's "+f.name+" has an unexpected length")
		}
		copy(f.to, f.from)
	}
	return r, nil
}

// buildCommit takes the first signatures, in the set's order of power, that have more than two thirds together. They
// are the ones that CometBFT itself has always verified, however the node came by the block.
func buildCommit(s Source, h *types.Header) (proof.Commit, error) {
	c, err := s.CommitAt(h.Height)
	if err != nil {
		return proof.Commit{}, fmt.Errorf("light: commit %d: %w", h.Height, err)
	}
	set, err := s.ValidatorsAt(h.Height)
	if err != nil {
		return proof.Commit{}, fmt.Errorf("light: validators %d: %w", h.Height, err)
	}
	if c.Height != h.Height || len(c.Signatures) != set.Size() || len(c.BlockID.PartSetHeader.Hash) != 32 {
		return proof.Commit{}, incomplete(h.Height, "its commit does not belong to it")
	}
	r := proof.Commit{Round: c.Round, PartsTotal: c.BlockID.PartSetHeader.Total, PartsHash: [32]byte(c.BlockID.PartSetHeader.Hash)}
	var power int64
	total := set.TotalVotingPower()
	for i, sig := range c.Signatures {
		if 3*power > 2*total {
			break
		}
		if sig.BlockIDFlag != types.BlockIDFlagCommit {
			continue
		}
		r.Signatures = append(r.Signatures, proof.Signature{Validator: uint16(i), Time: sig.Timestamp.UnixNano(), Bytes: sig.Signature})
		power += set.Validators[i].VotingPower
	}
	if 3*power <= 2*total {
		return proof.Commit{}, incomplete(h.Height, "its commit has not more than two thirds of the power")
	}
	return r, nil
}

func buildValidators(s Source, height int64) ([]proof.Validator, error) {
	set, err := s.ValidatorsAt(height)
	if err != nil {
		return nil, fmt.Errorf("light: validators %d: %w", height, err)
	}
	list := make([]proof.Validator, 0, set.Size())
	for _, v := range set.Validators {
		switch v.PubKey.(type) {
		case ed25519.PubKey, mldsa65.PubKey:
		default:
			return nil, incomplete(height, "it has a validator whose key is neither Ed25519 nor ML-DSA-65, which this format cannot carry")
		}
		list = append(list, proof.Validator{Key: v.PubKey.Bytes(), Power: v.VotingPower})
	}
	return list, nil
}

func incomplete(height int64, what string) error {
	return fault.New("proof.incomplete", "the node cannot prove this height: "+what, "height", height)
}
