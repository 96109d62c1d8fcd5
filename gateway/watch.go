package gateway

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// heeded are the events that event acts on.
var heeded = []string{"device.challenged", "device.commanded", "device.revoked", "account.key_rotated"}

// watch follows the ledger and tells the doors what it says of the devices that are here. While no node answers it tries on; meanwhile
// what is known of a device counts for half a minute.
func (g *Gateway) watch(ctx context.Context) {
	cursor := ""
	for ctx.Err() == nil {
		for seen, err := range g.cfg.Client.Watch(ctx, &apiv1.WatchTransactionsRequest{Cursor: cursor, Events: heeded}) {
			if err != nil {
				if ctx.Err() == nil {
					g.cfg.Log.Warn("the ledger cannot be followed; trying again", "error", err)
				}
				if refusal := (*client.Refusal)(nil); errors.As(err, &refusal) {
					cursor = "" // that place is not to be had, as after a node was made anew: what was missed is asked for before the next message
				}
				break
			}
			cursor = seen.GetCursor()
			for _, e := range seen.GetTransaction().GetOutcome().GetEvents() {
				g.event(seen.GetTransaction().GetId(), e)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// event acts on what concerns a device that is here: its challenge, and whatever may change who may speak for it.
func (g *Gateway) event(transaction string, e *apiv1.Event) {
	field, _, _ := strings.Cut(e.GetName(), ".") // "device" or "account", as the field is called
	fields := e.GetFields().GetFields()
	device, err := tx.ParseAddress(fields[field].GetStringValue())
	if err != nil || !g.roster.knows(device) {
		return
	}
	switch e.GetName() {
	case "device.challenged":
		g.each(func(d Door) { d.Challenge(device, fields["nonce"].GetStringValue()) })
	case "device.commanded":
		g.each(func(d Door) { d.Commanded(device, transaction) })
	case "device.revoked", "account.key_rotated":
		g.roster.forget(device)
		g.each(func(d Door) { d.Changed(device) })
	}
}
