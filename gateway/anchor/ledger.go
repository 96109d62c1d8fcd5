package anchor

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// Ledger takes anchors and knows what became of earlier ones.
type Ledger interface {
	// Anchor submits readings and returns the outcome with its events. It has an end of its own. An error that is no *client.Refusal, or a
	// retryable one, means that nothing is known.
	Anchor(ctx context.Context, anchor *streamv1.Anchor) (*apiv1.Outcome, error)
	// Find returns what was found of this very message of a device when it was taken before, nil if it never was. The ledger is known to have
	// a number as high as its in a block up to height.
	Find(ctx context.Context, device tx.Address, raw []byte, height int64) (*Result, error)
}

const (
	// carryTime is how long an anchor is tried: longer than a transaction is valid, so that at its end mostly is known what became of it.
	carryTime = 90 * time.Second
	findTime  = 15 * time.Second
	// findPage and findMost bound how many of a device's transactions are looked through, a page at a time.
	findPage = 10
	findMost = 100
)

// Account anchors with a gateway's account on the ledger that a client talks to.
type Account struct {
	Client  *client.Client
	Network string
	Address tx.Address
	Signer  tx.Signer
}

// Anchor implements Ledger.
func (a *Account) Anchor(ctx context.Context, anchor *streamv1.Anchor) (*apiv1.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, carryTime)
	defer cancel()
	return a.Client.Do(ctx, client.NewTransaction(a.Network).AnchorReadings(a.Address, anchor), a.Signer)
}

// Find implements Ledger. It reads the transactions that name the device, newest first, back to the one that must have the reading.
func (a *Account) Find(ctx context.Context, device tx.Address, raw []byte, height int64) (*Result, error) {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	if err := a.Client.Indexed(ctx, height); err != nil {
		return nil, err
	}
	sought, err := reading.Parse(raw)
	if err != nil {
		return nil, err
	}
	looked := 0
	for t, err := range a.Client.Transactions(ctx, &apiv1.ListTransactionsRequest{Account: device.String(), Status: client.StatusOK, PageSize: findPage}) {
		if err != nil {
			return nil, err
		}
		result, before, err := lookIn(t, device, raw, sought)
		if result != nil || err != nil {
			return result, err
		}
		if looked++; before || looked == findMost {
			break
		}
	}
	return nil, nil
}

// lookIn looks for a device's message in a transaction. before: what the ledger took of the device there has lower numbers, so that earlier
// transactions cannot have it.
func lookIn(t *apiv1.Transaction, device tx.Address, raw []byte, sought *reading.Reading) (found *Result, before bool, err error) {
	for i, action := range t.GetActions() {
		if action.GetCall() != "stream.anchor" {
			continue
		}
		verdicts, err := client.Verdicts(t.GetOutcome(), uint32(i))
		if err != nil {
			return nil, false, err
		}
		for _, source := range action.GetArguments().GetFields()["sources"].GetListValue().GetValues() {
			fields := source.GetStructValue().GetFields()
			if fields["device"].GetStringValue() != device.String() {
				continue
			}
			for k, value := range fields["readings"].GetListValue().GetValues() {
				message, err := bytesOf(value)
				if err != nil || k >= len(verdicts[device]) {
					return nil, false, fmt.Errorf("the anchor %s is not as it must be: %w", t.GetId(), err)
				}
				result := resultOf(verdicts[device][k], t.GetId())
				if !result.counted() {
					continue
				}
				if bytes.Equal(message, raw) {
					return &result, false, nil
				}
				r, err := reading.Parse(message)
				before = err == nil && (r.Boot < sought.Boot || r.Boot == sought.Boot && r.Sequence < sought.Sequence)
			}
		}
	}
	return nil, before, nil
}

// verdictsOf are the bytes of an anchor's readings, one for each, in order. It is the first action of its transaction.
func verdictsOf(outcome *apiv1.Outcome, anchor *streamv1.Anchor) ([]byte, error) {
	found, err := client.Verdicts(outcome, 0)
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, source := range anchor.GetSources() {
		verdicts := found[tx.Address(source.GetDevice())]
		if len(verdicts) != len(source.GetReadings()) {
			return nil, fmt.Errorf("the outcome of %s tells of %d readings of %x, not of %d", outcome.GetId(), len(verdicts), source.GetDevice(), len(source.GetReadings()))
		}
		all = append(all, verdicts...)
	}
	return all, nil
}

// bytesOf reads bytes as the API writes them: hex digits, by their number with 0x before them or not.
func bytesOf(v *structpb.Value) ([]byte, error) {
	return hex.DecodeString(strings.TrimPrefix(v.GetStringValue(), "0x"))
}
