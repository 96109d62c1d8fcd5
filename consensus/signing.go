package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/libs/protoio"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/dureledger/dure/ledger/fault"
)

// openSigning is a validator's key with what it has signed so far, which file has; known is false if that is not there. A
// file that is not as it was written is refused: it is what keeps a validator from signing twice, and a wrong height in
// it would let it. What was signed last is in it with its signature, so no change of its numbers goes unseen. The key
// itself is not written down.
func openSigning(file string, key ValidatorKey) (pv *privval.FilePV, known bool, err error) {
	pv = privval.NewFilePV(key.private, "", file)
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return pv, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("consensus: the signing state cannot be read: %w", err)
	}
	if err := cmtjson.Unmarshal(raw, &pv.LastSignState); err != nil {
		return nil, false, badSigningState(file, err)
	}
	if err := verifySigningState(&pv.LastSignState, key); err != nil {
		return nil, false, badSigningState(file, err)
	}
	return pv, true, nil
}

// newSigning writes the file for a key that has signed nothing, unless there is one. The key is no part of it.
func newSigning(file string) (err error) {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	defer func() { // CometBFT panics when it cannot write
		if p := recover(); p != nil {
			err = fmt.Errorf("signing state: %v", p)
		}
	}()
	privval.NewFilePV(ed25519.GenPrivKey(), "", file).LastSignState.Save()
	return nil
}

func badSigningState(file string, why error) error {
	return fault.New(CodeDamaged, fmt.Sprintf("The file %s, which keeps this validator from signing twice, is damaged: %v. Never restore it from a backup. Move it away: "+
		"docs/damage.md says when the validator may vote again.", file, why), "file", file)
}

func verifySigningState(s *privval.FilePVLastSignState, key ValidatorKey) error {
	if s.Height == 0 && s.Round == 0 && s.Step == 0 && len(s.Signature) == 0 && len(s.SignBytes) == 0 {
		return nil // nothing has been signed yet
	}
	if !key.private.PubKey().VerifySignature(s.SignBytes, s.Signature) {
		return errors.New("its signature is not by the validator's key over what it says was signed")
	}
	height, round, step, err := signedPlace(s.SignBytes)
	if err != nil {
		return err
	}
	if s.Height != height || int64(s.Round) != round || s.Step != step {
		return fmt.Errorf("it says height %d, round %d, step %d, but what was signed is of height %d, round %d, step %d",
			s.Height, s.Round, s.Step, height, round, step)
	}
	return nil
}

// Steps as privval numbers them.
const (
	stepPropose int8 = iota + 1
	stepPrevote
	stepPrecommit
)

// signedPlace reads what canonical bytes were signed for. Votes and proposals start with the same fields.
func signedPlace(signed []byte) (height, round int64, step int8, err error) {
	vote := cmtproto.CanonicalVote{}
	if err := protoio.UnmarshalDelimited(signed, &vote); err == nil && vote.Type == cmtproto.PrevoteType {
		return vote.Height, vote.Round, stepPrevote, nil
	} else if err == nil && vote.Type == cmtproto.PrecommitType {
		return vote.Height, vote.Round, stepPrecommit, nil
	}
	proposal := cmtproto.CanonicalProposal{}
	if _, err := protoio.NewDelimitedReader(bytes.NewReader(signed), maxSignedBytes).ReadMsg(&proposal); err != nil || proposal.Type != cmtproto.ProposalType {
		return 0, 0, 0, errors.New("what was signed is neither a vote nor a proposal")
	}
	return proposal.Height, proposal.Round, stepPropose, nil
}

// maxSignedBytes bounds the canonical form of a proposal; it has some hashes and the network's id.
const maxSignedBytes = 4 << 10
