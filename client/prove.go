package client

import (
	"context"

	"github.com/dureledger/dure/client/light"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/proof"
)

// Receipt asks for the receipt file of a transaction, for a verifier who trusts the validators of a height already;
// 0 means genesis. It does not verify: see Prove.
func (c *Client) Receipt(ctx context.Context, id string, trusted int64) ([]byte, error) {
	res, err := read(ctx, c, &apiv1.GetReceiptRequest{Id: id, TrustedHeight: trusted},
		func(n *node) method[apiv1.GetReceiptRequest, apiv1.GetReceiptResponse] { return n.ledger.GetReceipt })
	return res.GetReceipt(), err
}

// Checkpoint asks for a checkpoint file of the newest header that can be proven. It does not verify.
func (c *Client) Checkpoint(ctx context.Context, trusted int64) ([]byte, error) {
	res, err := c.checkpoint(ctx, &apiv1.GetCheckpointRequest{TrustedHeight: trusted})
	return res.GetCheckpoint(), err
}

// Prove asks for the receipt of a transaction and verifies it from the anchor. It returns the file, to be kept, and
// what was verified. What does not verify is a *fault.Error with the codes of light.Anchor.VerifyReceipt.
func (c *Client) Prove(ctx context.Context, id string, anchor *light.Anchor) ([]byte, *light.Verified, error) {
	file, err := c.Receipt(ctx, id, anchor.Height())
	if err != nil {
		return nil, nil, err
	}
	verified, err := anchor.VerifyReceipt(file)
	return file, verified, err
}

// noPolicy asks for no witnesses.
var noPolicy = proof.Policy{}

// ProveState asks for the value under a raw state key, or its absence, and verifies it from the anchor.
func (c *Client) ProveState(ctx context.Context, key []byte, anchor *light.Anchor) (value []byte, exists bool, at *light.VerifiedCheckpoint, err error) {
	p, err := c.stateProof(ctx, key)
	if err != nil {
		return nil, false, nil, err
	}
	if at, err = anchor.VerifyStateProof(p, noPolicy); err != nil {
		return nil, false, nil, err
	}
	return p.Value, p.Exists, at, nil
}

// stateProof asks for a proof of what is under a raw state key. It does not verify.
func (c *Client) stateProof(ctx context.Context, key []byte) (light.StateProof, error) {
	res, err := read(ctx, c, &apiv1.GetStateProofRequest{Key: key},
		func(n *node) method[apiv1.GetStateProofRequest, apiv1.GetStateProofResponse] {
			return n.ledger.GetStateProof
		})
	return light.StateProof{
		Key: key, Exists: res.GetExists(), Value: res.GetValue(), Proof: res.GetProof(), Checkpoint: res.GetCheckpoint(),
	}, err
}

// WitnessedReceipt asks for a receipt on the header of the newest checkpoint that has at least so many cosignatures, which
// the receipt then carries; 0: as many as the network asks for. It does not verify: see light.Anchor.VerifyWitnessed.
// A node that has no such checkpoint yet says checkpoint.not_witnessed.
func (c *Client) WitnessedReceipt(ctx context.Context, id string, trusted int64, least int) ([]byte, error) {
	res, err := read(ctx, c, &apiv1.GetReceiptRequest{Id: id, TrustedHeight: trusted, Witnessed: true, Least: uint32(max(0, least))},
		func(n *node) method[apiv1.GetReceiptRequest, apiv1.GetReceiptResponse] { return n.ledger.GetReceipt })
	return res.GetReceipt(), err
}

// WitnessedCheckpoint asks for the newest checkpoint that has at least so many cosignatures; 0: as many as the network
// asks for. It does not verify.
func (c *Client) WitnessedCheckpoint(ctx context.Context, trusted int64, least int) ([]byte, error) {
	res, err := c.checkpoint(ctx, &apiv1.GetCheckpointRequest{
		TrustedHeight: trusted, Kind: apiv1.CheckpointKind_CHECKPOINT_KIND_WITNESSED, Least: uint32(max(0, least)),
	})
	return res.GetCheckpoint(), err
}

// CheckpointToCosign asks for the checkpoint that witnesses are to sign now, with a proof that its history begins with the
// one of fromSize outcomes. It does not verify: client/witness does.
func (c *Client) CheckpointToCosign(ctx context.Context, trusted int64, fromSize uint64) (file []byte, consistency [][]byte, err error) {
	res, err := c.checkpoint(ctx, &apiv1.GetCheckpointRequest{
		TrustedHeight: trusted, Kind: apiv1.CheckpointKind_CHECKPOINT_KIND_TO_COSIGN, FromSize: fromSize,
	})
	return res.GetCheckpoint(), res.GetConsistency(), err
}

// AddCosignature gives a node a cosignature of the checkpoint of a height to keep: unix seconds in 8 bytes, big-endian, and
// the Ed25519 signature.
func (c *Client) AddCosignature(ctx context.Context, height int64, w proof.Witness, signature []byte) error {
	_, err := read(ctx, c, &apiv1.AddCosignatureRequest{Height: height, Witness: w.String(), Signature: signature},
		func(n *node) method[apiv1.AddCosignatureRequest, apiv1.AddCosignatureResponse] {
			return n.ledger.AddCosignature
		})
	return err
}

func (c *Client) checkpoint(ctx context.Context, req *apiv1.GetCheckpointRequest) (*apiv1.GetCheckpointResponse, error) {
	return read(ctx, c, req, func(n *node) method[apiv1.GetCheckpointRequest, apiv1.GetCheckpointResponse] {
		return n.ledger.GetCheckpoint
	})
}

// CheckpointSince asks for the newest checkpoint, or the newest that as many witnesses have cosigned as the network asks for, with a proof that its
// history begins with the one of fromSize outcomes, unless that is 0. It does not verify: client/neighbour does.
func (c *Client) CheckpointSince(ctx context.Context, trusted int64, fromSize uint64, witnessed bool) (file []byte, consistency [][]byte, err error) {
	req := &apiv1.GetCheckpointRequest{TrustedHeight: trusted, FromSize: fromSize}
	if witnessed {
		req.Kind = apiv1.CheckpointKind_CHECKPOINT_KIND_WITNESSED
	}
	res, err := c.checkpoint(ctx, req)
	return res.GetCheckpoint(), res.GetConsistency(), err
}
