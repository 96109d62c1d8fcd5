package api

import (
	"context"
	"time"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
)

// Witnesses is the part of a node that offers checkpoints to outside witnesses and keeps their cosignatures. What it keeps
// decides nothing: whoever verifies chooses whose cosignatures count.
type Witnesses interface {
	// ToCosign is the checkpoint that witnesses are to cosign now, for a verifier who trusts the header of a height.
	// Codes checkpoint.not_yet, proof.before_anchor.
	ToCosign(ctx context.Context, trusted int64) ([]byte, error)
	// Witnessed is the newest checkpoint with at least so many cosignatures; 0: as the network's parameters ask for.
	// Code checkpoint.not_witnessed.
	Witnessed(ctx context.Context, trusted int64, least int) ([]byte, error)
	// WitnessedReceipt is a receipt on such a checkpoint's header, with its cosignatures.
	// Codes as of Ledger.Receipt and Witnessed.
	WitnessedReceipt(ctx context.Context, id [32]byte, trusted int64, least int) ([]byte, error)
	// AddCosignature verifies and keeps a witness's cosignature of the checkpoint of a height.
	// Codes checkpoint.unknown, checkpoint.not_offered, checkpoint.bad_cosignature, checkpoint.full.
	AddCosignature(ctx context.Context, height int64, w proof.Witness, signature []byte) (Witnessing, error)
	// Consistency proves that the history log of one size begins with that of a smaller one. Code checkpoint.not_yet.
	Consistency(from, size uint64) ([][]byte, error)
	// CosignedBy is what is kept of the cosignatures of a key, given by its address; false: nothing.
	CosignedBy(key tx.Address) (Cosigner, bool)
	// Witnessing is how the newest checkpoint is witnessed that has what the network's parameters ask for; false: none is.
	Witnessing() (Witnessing, bool)
}

// Cosigner is a witness as this node knows it: of the checkpoints whose cosignatures it keeps, how many it has cosigned, and the newest of these.
type Cosigner struct {
	Name           string
	Height         int64
	Time           time.Time // of the header
	Cosigned, Kept int       // checkpoints that it has cosigned, and that anybody has
}

// Witnessing is how a checkpoint is witnessed: how many cosignatures it has, how many of witnesses the network knows.
type Witnessing struct {
	Height              int64
	Cosignatures, Known int
}

func (w Witnessing) message() *apiv1.Witnessed {
	return &apiv1.Witnessed{Height: w.Height, Cosignatures: uint32(w.Cosignatures), Known: uint32(w.Known)}
}

// maxLeast is more cosignatures than a checkpoint can have.
const maxLeast = proof.MaxCosignatures + 1

func (s *ledgerService) GetCheckpoint(ctx context.Context, r *connect.Request[apiv1.GetCheckpointRequest]) (*connect.Response[apiv1.GetCheckpointResponse], error) {
	var file []byte
	var err error
	switch r.Msg.GetKind() {
	case apiv1.CheckpointKind_CHECKPOINT_KIND_UNSPECIFIED:
		file, err = s.ledger.Checkpoint(ctx, r.Msg.GetTrustedHeight())
	case apiv1.CheckpointKind_CHECKPOINT_KIND_TO_COSIGN:
		file, err = s.ledger.ToCosign(ctx, r.Msg.GetTrustedHeight())
	case apiv1.CheckpointKind_CHECKPOINT_KIND_WITNESSED:
		file, err = s.ledger.Witnessed(ctx, r.Msg.GetTrustedHeight(), int(min(r.Msg.GetLeast(), maxLeast)))
	default:
		err = fault.New("request.malformed", "kind: want one of those that the API names", "field", "kind")
	}
	if err != nil {
		return nil, err
	}
	out := &apiv1.GetCheckpointResponse{Checkpoint: file}
	if from := r.Msg.GetFromSize(); from > 0 {
		c, err := proof.DecodeCheckpoint(file)
		if err != nil {
			return nil, err
		}
		if out.Consistency, err = s.ledger.Consistency(from, c.Size); err != nil {
			return nil, err
		}
	}
	return connect.NewResponse(out), nil
}

func (s *ledgerService) AddCosignature(ctx context.Context, r *connect.Request[apiv1.AddCosignatureRequest]) (*connect.Response[apiv1.AddCosignatureResponse], error) {
	w, err := proof.ParseWitness(r.Msg.GetWitness())
	if err != nil {
		return nil, err
	}
	now, err := s.ledger.AddCosignature(ctx, r.Msg.GetHeight(), w, r.Msg.GetSignature())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.AddCosignatureResponse{Witnessed: now.message()}), nil
}
