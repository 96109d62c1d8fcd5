package api_test

import (
	"encoding/hex"
	"testing"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
)

const witnessKey = "auditor.example+01a77bfe+BC3tM7t9KmevWjctATl2OAMV9t6XAvH3X4h81faFgjqf"

func TestWitnessMethods(t *testing.T) {
	n := start(t)
	c := apiv1connect.NewLedgerServiceClient(n.client, n.url)
	id := n.pay(t, "1", "")

	receipt, err := c.GetReceipt(t.Context(), connect.NewRequest(&apiv1.GetReceiptRequest{Id: hex.EncodeToString(id[:]), Witnessed: true, Least: 1 << 31}))
	if err != nil || string(receipt.Msg.GetReceipt()) != "receipt of "+string(id[:])+" with 129" {
		t.Errorf("%q, %v", receipt.Msg.GetReceipt(), err)
	}
	offered, err := c.GetCheckpoint(t.Context(), connect.NewRequest(&apiv1.GetCheckpointRequest{Kind: apiv1.CheckpointKind_CHECKPOINT_KIND_TO_COSIGN}))
	if err != nil || string(offered.Msg.GetCheckpoint()) != "to cosign" {
		t.Errorf("%v, %v", offered, err)
	}
	_, err = c.GetCheckpoint(t.Context(), connect.NewRequest(&apiv1.GetCheckpointRequest{Kind: apiv1.CheckpointKind_CHECKPOINT_KIND_WITNESSED}))
	if connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("none is witnessed: %v", err)
	}
	_, err = c.GetCheckpoint(t.Context(), connect.NewRequest(&apiv1.GetCheckpointRequest{Kind: 7}))
	if connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("a kind that is none: %v", err)
	}
	added, err := c.AddCosignature(t.Context(), connect.NewRequest(&apiv1.AddCosignatureRequest{Height: 5, Witness: witnessKey, Signature: make([]byte, 72)}))
	if w := added.Msg.GetWitnessed(); err != nil || w.GetHeight() != 5 || w.GetCosignatures() != 3 || w.GetKnown() != 2 {
		t.Errorf("%v, %v", added, err)
	}
	_, err = c.AddCosignature(t.Context(), connect.NewRequest(&apiv1.AddCosignatureRequest{Height: 5, Witness: witnessKey[1:]}))
	if connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("a key with a typing mistake: %v", err)
	}
	status, err := c.GetStatus(t.Context(), connect.NewRequest(&apiv1.GetStatusRequest{}))
	if err != nil || status.Msg.GetWitnessed().GetHeight() != 7 {
		t.Errorf("%v, %v", status, err)
	}
}
