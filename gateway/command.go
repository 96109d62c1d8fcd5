package gateway

import (
	"context"
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	// lookPause is the first wait before commands are looked for again, lookTime how long that goes on.
	lookPause = 100 * time.Millisecond
	lookTime  = time.Minute
)

// Command is what a device is told to do: the receipt of the transaction that told it.
type Command struct {
	// Transaction is its id, 64 hex digits; a receipt has all commands of its transaction.
	Transaction string
	Receipt     []byte
}

// Commands are the receipts of the commands that a device has not answered and that have not expired, the oldest first. given says of
// which transactions it has the receipt. Code gateway.not_yet with what can be had when the node that was asked does not know a transaction
// that is wanted, if not empty, or cannot prove one yet.
func (g *Gateway) Commands(ctx context.Context, device tx.Address, wanted string, given func(transaction string) bool) ([]Command, error) {
	d, err := g.cfg.Client.Device(ctx, device)
	if err != nil {
		return nil, err
	}
	var out []Command
	known := wanted == ""
	for _, c := range d.GetCommands() {
		n := len(out)
		known = known || c.GetTransaction() == wanted
		if c.GetState() != "open" || given(c.GetTransaction()) || n > 0 && out[n-1].Transaction == c.GetTransaction() {
			continue
		}
		receipt, err := g.cfg.Client.Receipt(ctx, c.GetTransaction(), 0)
		if err != nil {
			return out, notYet(device, err)
		}
		out = append(out, Command{c.GetTransaction(), receipt})
	}
	if !known {
		return out, notYet(device, nil)
	}
	return out, nil
}

func notYet(device tx.Address, cause error) error {
	return fault.New("gateway.not_yet", "The node that was asked cannot show a command of "+device.String()+" yet. Ask again in a moment.", "device", device, "cause", cause)
}

// Look looks for commands until there is no error, a minute has gone by, whose error is returned, or life ends. A receipt is there a
// moment after its transaction, when the next block has signed it.
func Look(life context.Context, look func(context.Context) error) error {
	until := time.Now().Add(lookTime)
	for wait := lookPause; ; wait *= 2 {
		ctx, cancel := context.WithTimeout(life, AdmitTime)
		err := look(ctx)
		cancel()
		if life.Err() != nil {
			err = nil // nobody waits for it any more
		}
		if err == nil {
			return nil
		}
		if time.Now().Add(wait).After(until) {
			return err
		}
		select {
		case <-life.Done():
			return nil
		case <-time.After(wait):
		}
	}
}
