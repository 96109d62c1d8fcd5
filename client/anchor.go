package client

import (
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// AnchorReadings anchors readings of devices. The actor is mostly a gateway.
func (d *Draft) AnchorReadings(actor tx.Address, anchor *streamv1.Anchor) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_StreamAnchor{StreamAnchor: anchor}})
}
