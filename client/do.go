package client

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// maxSignings bounds how often Do signs anew, so that a clock that is far behind does not sign for ever.
const maxSignings = 5

// Sign signs a draft as of the client's clock.
func (c *Client) Sign(d *Draft, signers ...tx.Signer) (*Signed, error) {
	return d.Sign(c.cfg.Clock.Now(), signers...)
}

// Do makes a draft happen at most once: it signs, and submits the same bytes until they have an outcome. Only when a
// committed block later than not_after shows that they never happened does it sign anew. It goes on until ctx ends;
// then the error is *Undecided if the last signing may still happen. The outcome may be failed or void: see Check.
func (c *Client) Do(ctx context.Context, d *Draft, signers ...tx.Signer) (*apiv1.Outcome, error) {
	var last error
	for range maxSignings {
		s, err := c.Sign(d, signers...)
		if err != nil {
			return nil, err
		}
		outcome, err := c.carry(ctx, s)
		if outcome != nil || err != nil {
			return outcome, err
		}
		last = &Refusal{Code: "tx.expired", Message: "the transaction expired before it was ordered, each time it was signed; " +
			"check this machine's clock and whether the network commits blocks"}
		if !d.notAfter.IsZero() {
			return nil, last // the draft fixes not_after: signing again gives the same expired transaction
		}
	}
	return nil, last
}

// carry submits s until it has an outcome or a definite refusal. Both nil: shown never to have happened, because it
// expired.
func (c *Client) carry(ctx context.Context, s *Signed) (*apiv1.Outcome, error) {
	for round := 0; ; round++ {
		outcome, err := c.Submit(ctx, s)
		if done, o, e := settled(outcome, err); done {
			return o, e
		}
		if ctx.Err() != nil {
			return nil, &Undecided{ID: s.ID, NotAfter: s.NotAfter, Err: ctx.Err()}
		}
		outcome, absent, err := c.shownAbsent(ctx, s, round)
		if outcome != nil || absent {
			return outcome, nil
		}
		if err != nil && (ctx.Err() != nil || mayNotRead(err)) {
			return nil, &Undecided{ID: s.ID, NotAfter: s.NotAfter, Err: err}
		}
	}
}

// settled says whether a submission's result ends the matter. Expiry and loss do not: an earlier copy may be in.
func settled(outcome *apiv1.Outcome, err error) (bool, *apiv1.Outcome, error) {
	var refusal *Refusal
	var undecided *Undecided
	switch {
	case err == nil:
		return outcome.GetStatus() != StatusVoid || outcome.GetCode() != "tx.expired", outcome, nil
	case errors.As(err, &undecided):
		return false, nil, nil
	case errors.As(err, &refusal) && refusal.Code == "tx.expired", errors.As(err, &refusal) && refusal.Retryable:
		return false, nil, nil
	default:
		return true, nil, err
	}
}

// shownAbsent asks one node whether s is committed, and whether it never can be: a block later than not_after is
// committed, the node's index has reached that block, and the id is not in it. All three must come from one node,
// in this order. Before not_after has passed it waits only a moment, so that the caller submits again.
func (c *Client) shownAbsent(ctx context.Context, s *Signed, round int) (*apiv1.Outcome, bool, error) {
	if err := c.cfg.Clock.Sleep(ctx, backoff(round)); err != nil {
		return nil, false, err
	}
	status, went, err := call(ctx, c, c.cfg.Timeout, &apiv1.GetStatusRequest{}, getStatus)
	if err != nil {
		return nil, false, err
	}
	pastHeight := status.GetHeight()
	for {
		blockTime, err := time.Parse(time.RFC3339Nano, status.GetTime())
		if err != nil || !blockTime.After(s.NotAfter) {
			return nil, false, err
		}
		if status.GetIndexHeight() >= pastHeight {
			break
		}
		if err := c.cfg.Clock.Sleep(ctx, backoff(0)); err != nil {
			return nil, false, err
		}
		if status, err = callOne(ctx, c, went.node, c.cfg.Timeout, &apiv1.GetStatusRequest{}, getStatus); err != nil {
			return nil, false, err
		}
	}
	found, err := callOne(ctx, c, went.node, c.cfg.Timeout, &apiv1.GetTransactionRequest{Id: s.ID}, getTransaction)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) && refusal.Code == "tx.pruned" && s.mayPrecede(refusal.Fields["first_time"]) {
		return nil, false, err
	}
	if errors.Is(err, ErrNotFound) {
		return nil, true, nil
	}
	return found.GetTransaction().GetOutcome(), false, err
}

// The longest that a network can let a transaction be valid ahead, without and with a once key.
const (
	maxWindow     = 10 * time.Minute
	maxOnceWindow = 90 * 24 * time.Hour
)

// mayPrecede says whether the transaction could have been committed before a time (RFC 3339), which is then where a node
// that began with a snapshot begins.
func (s *Signed) mayPrecede(first string) bool {
	at, err := time.Parse(time.RFC3339, first)
	t, body := &txv1.Transaction{}, &txv1.Body{}
	if err != nil || proto.Unmarshal(s.Raw, t) != nil || proto.Unmarshal(t.GetNative().GetBody(), body) != nil {
		return true
	}
	window := maxWindow
	if len(body.GetOnce()) > 0 {
		window = maxOnceWindow
	}
	return !at.Before(s.NotAfter.Add(-window))
}

func getStatus(n *node) method[apiv1.GetStatusRequest, apiv1.GetStatusResponse] {
	return n.ledger.GetStatus
}
