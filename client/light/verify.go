package light

import (
	"bytes"
	"encoding/hex"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
)

// Grounds is what a verification rests on, and the header it ends at.
type Grounds struct {
	// Network is the network id.
	Network string
	// Basis is what was trusted to begin with.
	Basis Basis
	// Changes of validators between the basis and the header, each signed by more than two thirds of the set before.
	Changes int
	// Height, Time and Header (its hash) of the header that signs what was verified.
	Height int64
	Time   time.Time
	Header [32]byte
	// Signatures on the header out of Validators, having Power out of TotalPower.
	Signatures, Validators int
	Power, TotalPower      int64
}

// Verified is a receipt that holds.
type Verified struct {
	Grounds
	// ID of the transaction, and TxHash, the SHA-256 of the transaction as executed.
	ID     [32]byte
	TxHash [32]byte
	// Transaction as executed; nil if the receipt leaves it out.
	Transaction []byte
	// Outcome is what happened: status, refusal, events. Serialised is the leaf of the history log, as signed.
	Outcome    *ledgerv1.Outcome
	Serialised []byte
	// Executed is the time of the block that executed the transaction, to the millisecond.
	Executed time.Time
	// Cosignatures by witnesses that were asked for, all good, and how many others the receipt carries: those are not verified.
	Cosignatures []proof.Cosignature
	Others       int
}

// OK says whether every action of the transaction happened.
func (v *Verified) OK() bool { return v.Outcome.GetStatus() == ledgerv1.Status_STATUS_OK }

// VerifyReceipt verifies a receipt file from the anchor, whoever has cosigned it.
// Error codes: those of [Anchor.VerifyWitnessed].
func (a *Anchor) VerifyReceipt(file []byte) (*Verified, error) {
	return a.VerifyWitnessed(file, proof.Policy{})
}

// VerifyWitnessed verifies a receipt file from the anchor, and that the policy's witnesses have cosigned the checkpoint of
// its last header. Whose word counts is the verifier's own choice: neither the file nor the network decides it.
//
// Error codes: those of [proof.DecodeReceipt] and [proof.Checkpoint.VerifyCosignatures]; receipt.wrong_network,
// receipt.bad_outcome, proof.before_anchor, proof.out_of_order, proof.wrong_header, proof.bad_signer, proof.bad_signature, proof.too_little_power,
// proof.bad_validators, proof.wrong_validators, proof.no_change.
func (a *Anchor) VerifyWitnessed(file []byte, policy proof.Policy) (*Verified, error) {
	r, err := proof.DecodeReceipt(file)
	if err != nil {
		return nil, err
	}
	if r.Network != a.network {
		return nil, fault.New("receipt.wrong_network", "the receipt is from another network than the one you trust",
			"receipt", r.Network, "trusted", a.network)
	}
	t, err := a.follow(&r.Evidence)
	if err != nil {
		return nil, err
	}
	o, err := r.Parsed()
	if err != nil {
		return nil, err
	}
	if o.GetHeight() < 1 || o.GetHeight() >= r.Evidence.Header.Height {
		return nil, fault.New("receipt.bad_outcome", "the outcome claims a block that the header cannot speak for",
			"block", o.GetHeight(), "header", r.Evidence.Header.Height)
	}
	c, err := r.Checkpoint(t.hash, t.set.plain())
	if err != nil {
		return nil, err
	}
	cosignatures, err := c.VerifyCosignatures(policy)
	if err != nil {
		return nil, err
	}
	return &Verified{
		Grounds: a.grounds(&r.Evidence, t), Cosignatures: cosignatures, Others: len(r.Cosignatures) - len(cosignatures),
		ID: [32]byte(o.GetId()), TxHash: [32]byte(o.GetTxHash()), Transaction: r.Transaction,
		Outcome: o, Serialised: r.Outcome, Executed: time.UnixMilli(o.GetTime()).UTC(),
	}, nil
}

func (a *Anchor) grounds(e *proof.Evidence, t *trail) Grounds {
	return Grounds{
		Network: a.network, Basis: a.basis, Changes: t.changes,
		Height: e.Header.Height, Time: unixNano(e.Header.Time), Header: t.hash,
		Signatures: t.tally.signatures, Validators: t.tally.validators, Power: t.tally.power, TotalPower: t.tally.total,
	}
}

// VerifiedCheckpoint is a checkpoint that holds.
type VerifiedCheckpoint struct {
	Grounds
	Checkpoint   *proof.Checkpoint
	Cosignatures []proof.Cosignature
	anchor       *Anchor
}

// Anchor is the checkpoint as the point to verify from. It rests on what the checkpoint was verified from.
func (v *VerifiedCheckpoint) Anchor() *Anchor { return v.anchor }

// VerifyCheckpoint verifies a checkpoint file from the anchor, and that the policy's witnesses have cosigned it.
//
// Error codes: those of [proof.DecodeCheckpoint] and [proof.Checkpoint.VerifyCosignatures]; checkpoint.wrong_network,
// checkpoint.wrong_header, checkpoint.wrong_validators, and those of evidence as in [Anchor.VerifyReceipt].
func (a *Anchor) VerifyCheckpoint(file []byte, policy proof.Policy) (*VerifiedCheckpoint, error) {
	c, err := proof.DecodeCheckpoint(file)
	if err != nil {
		return nil, err
	}
	if c.Network != a.network {
		return nil, fault.New("checkpoint.wrong_network", "the checkpoint is from another network than the one you trust",
			"checkpoint", c.Network, "trusted", a.network)
	}
	cosignatures, err := c.VerifyCosignatures(policy)
	if err != nil {
		return nil, err
	}
	t, err := a.follow(&c.Evidence)
	if err != nil {
		return nil, err
	}
	if err := matchHeader(c, t.hash); err != nil {
		return nil, err
	}
	v, err := newValidators(c.Validators)
	if err != nil {
		return nil, err
	}
	if v.hash != t.set.hash {
		return nil, fault.New("checkpoint.wrong_validators", "the checkpoint names other validators than those who signed its header", "height", c.Height)
	}
	next := anchorAt(c, v, cosignatures)
	next.basis.Through = &a.basis
	return &VerifiedCheckpoint{Grounds: a.grounds(&c.Evidence, t), Checkpoint: c, Cosignatures: cosignatures, anchor: next}, nil
}

// StateProof is what a node says about one key of the state.
type StateProof struct {
	Key []byte
	// Exists is false when the state holds nothing under Key; Value is then empty.
	Exists bool
	Value  []byte
	// Proof is a serialised cosmos.ics23.v1.CommitmentProof against the state root.
	Proof []byte
	// Checkpoint is a checkpoint file whose header signs the state root.
	Checkpoint []byte
}

// VerifyStateProof verifies a value of the state, or its absence, as of the block before the checkpoint's header.
// Error codes: those of [Anchor.VerifyCheckpoint] and [state.VerifyProof].
func (a *Anchor) VerifyStateProof(p StateProof, policy proof.Policy) (*VerifiedCheckpoint, error) {
	v, err := a.VerifyCheckpoint(p.Checkpoint, policy)
	if err != nil {
		return nil, err
	}
	value := append([]byte{}, p.Value...) // never nil, which would ask for absence
	if !p.Exists {
		if len(p.Value) > 0 {
			return nil, fault.New("proof.mismatch", "the answer says both that the key is absent and that it has a value")
		}
		value = nil
	}
	if err := state.VerifyProof(v.Checkpoint.StateRoot, p.Proof, p.Key, value); err != nil {
		return nil, err
	}
	return v, nil
}

// SameOutcome checks that two verified receipts, an old one and the one that refreshes it, say the same of the same
// transaction. Two that hold and contradict each other prove that validators signed two histories: keep both.
// Error codes: receipt.other_transaction, receipt.contradiction.
func SameOutcome(a, b *Verified) error {
	if a.Network != b.Network || a.ID != b.ID {
		return fault.New("receipt.other_transaction", "the two receipts are not about the same transaction",
			"first", hex.EncodeToString(a.ID[:]), "second", hex.EncodeToString(b.ID[:]))
	}
	if !bytes.Equal(a.Serialised, b.Serialised) {
		return fault.New("receipt.contradiction", "the two receipts hold and contradict each other: validators have signed two histories; keep both as proof",
			"transaction", hex.EncodeToString(a.ID[:]))
	}
	return nil
}
