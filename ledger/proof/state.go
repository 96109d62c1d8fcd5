package proof

import (
	ics23 "github.com/cosmos/ics23/go"

	"github.com/dureledger/dure/ledger/fault"
)

// MaxStateProof is the largest state proof accepted, in bytes.
const MaxStateProof = 64 << 10

// VerifyState checks a serialised ICS-23 commitment proof (Tendermint spec): that key has value under root, or, when
// exists is false, that root holds no such key.
// Error codes: proof.malformed, proof.wrong_state.
func VerifyState(root [32]byte, proof, key, value []byte, exists bool) error {
	if len(proof) > MaxStateProof {
		return fault.New("proof.malformed", "the state proof is larger than any can be", "bytes", len(proof))
	}
	p := &ics23.CommitmentProof{}
	if err := p.Unmarshal(proof); err != nil {
		return fault.New("proof.malformed", "the state proof cannot be read: "+err.Error())
	}
	if exists {
		if !ics23.VerifyMembership(ics23.TendermintSpec, root[:], p, key, value) {
			return fault.New("proof.wrong_state", "the proof does not show that the state holds this value under this key")
		}
		return nil
	}
	if !ics23.VerifyNonMembership(ics23.TendermintSpec, root[:], p, key) {
		return fault.New("proof.wrong_state", "the proof does not show that the state holds nothing under this key")
	}
	return nil
}
