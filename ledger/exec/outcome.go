package exec

import (
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/tx"
)

var deterministic = proto.MarshalOptions{Deterministic: true}

// outcome says how a transaction ended, at the next place in the history.
func (r *run) outcome(t *tx.Tx, end ending) *ledgerv1.Outcome {
	o := &ledgerv1.Outcome{
		Id: t.ID[:], TxHash: t.Hash[:], Seq: r.seq, Height: r.block.Height, Position: r.position,
		Time: r.block.Time, Status: ledgerv1.Status_STATUS_OK, Work: r.view.Work(), Events: end.events,
	}
	if end.refusal != nil {
		o.Status, o.Refusal = ledgerv1.Status_STATUS_FAILED, Refusal(end.refusal, end.action)
	}
	return o
}

// apply gives the transaction its place in the history.
func (r *run) apply(t *tx.Tx, o *ledgerv1.Outcome, leaf []byte) {
	hash := merkle.LeafHash(leaf)
	r.seq++
	r.seen[t.ID] = true
	r.result.Applied = append(r.result.Applied, Applied{
		Outcome: o, Leaf: leaf, LeafHash: hash[:], Raw: t.Raw,
		NotAfter: t.Body.GetNotAfter(), once: len(t.Body.GetOnce()) > 0,
	})
}

// Refusal is the wire form of a fault.
func Refusal(f *fault.Error, action uint32) *ledgerv1.Refusal {
	out := &ledgerv1.Refusal{Code: f.Code, Message: f.Message, Action: action}
	for _, field := range f.Fields {
		out.Fields = append(out.Fields, &ledgerv1.Field{Name: field.Name, Value: field.Value})
	}
	return out
}
