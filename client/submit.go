package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// What became of a transaction, in Outcome.Status.
const (
	// StatusOK: every action happened.
	StatusOK = "ok"
	// StatusFailed: authorised but refused; the outcome is on the ledger and final.
	StatusFailed = "failed"
	// StatusVoid: never part of the history.
	StatusVoid = "void"
)

// Limits of one SubmitMany request: the API's count, and bytes that keep one answer quick.
const (
	MaxChunk      = 1000
	maxChunkBytes = 4 << 20
)

// Result is what became of one transaction of SubmitMany: an outcome or an error. With Post neither means accepted.
type Result struct {
	ID      string
	Outcome *apiv1.Outcome
	// Err is a *Refusal when nothing of the transaction is on the ledger, *Undecided when that is not known.
	Err error
}

// Submit sends a transaction and waits until it is committed. When a node has no room it waits as long as the node
// asks and goes on. Submitting the same bytes again returns the same outcome. The outcome may be failed or void: see
// Check. Errors: *Refusal (nothing of it is on the ledger), *Undecided (not known), *Unreachable (never sent).
func (c *Client) Submit(ctx context.Context, s *Signed) (*apiv1.Outcome, error) {
	results := make([]Result, 1)
	c.chunk(ctx, []*Signed{s}, apiv1.Wait_WAIT_COMMIT, results)
	return results[0].Outcome, results[0].Err
}

// Post sends a transaction and returns when a node has accepted it for ordering. Errors as for Submit.
func (c *Client) Post(ctx context.Context, s *Signed) error {
	results := make([]Result, 1)
	c.chunk(ctx, []*Signed{s}, apiv1.Wait_WAIT_NONE, results)
	return results[0].Err
}

// SubmitMany sends any number of transactions in chunks of at most MaxChunk, several chunks at a time, waits until
// they are committed and returns a result for each, in order. Order of commitment is not promised.
func (c *Client) SubmitMany(ctx context.Context, txs []*Signed) []Result {
	results := make([]Result, len(txs))
	room := make(chan struct{}, c.cfg.Parallel)
	var wg sync.WaitGroup
	for from := 0; from < len(txs); {
		to := chunkEnd(txs, from)
		room <- struct{}{}
		wg.Add(1)
		go func(txs []*Signed, results []Result) {
			defer wg.Done()
			c.chunk(ctx, txs, apiv1.Wait_WAIT_COMMIT, results)
			<-room
		}(txs[from:to], results[from:to])
		from = to
	}
	wg.Wait()
	return results
}

func chunkEnd(txs []*Signed, from int) int {
	size, to := 0, from
	for to < len(txs) && to-from < MaxChunk {
		size += len(txs[to].Raw)
		if to > from && size > maxChunkBytes {
			break
		}
		to++
	}
	return to
}

// chunk submits what fits one request, again and again until each transaction has an answer that is not "later".
func (c *Client) chunk(ctx context.Context, txs []*Signed, wait apiv1.Wait, results []Result) {
	pending := make([]int, len(txs))
	for i, s := range txs {
		pending[i], results[i].ID = i, s.ID
	}
	sent := false // an attempt before the current one may have reached a node
	for round := 0; len(pending) > 0; round++ {
		req := &apiv1.SubmitManyRequest{Wait: wait, Brief: c.cfg.Brief}
		for _, i := range pending {
			req.Transactions = append(req.Transactions, txs[i].Raw)
		}
		res, went, err := call(ctx, c, c.cfg.CommitTimeout, req, submitMany)
		sent = sent || went.sent
		if err == nil && len(res.GetResults()) != len(pending) {
			err = fmt.Errorf("client: %s answered %d of %d transactions", went.node.address, len(res.GetResults()), len(pending))
			sent = true
		}
		if err != nil {
			for _, i := range pending {
				results[i].Err = undecidedIf(sent, txs[i], err)
			}
			return
		}
		var later []int
		var pause time.Duration
		accepted := false // in the pool there, though not decided
		for k, i := range pending {
			answer := res.GetResults()[k]
			if e := answer.GetError(); e.GetRetryable() {
				later, pause = append(later, i), max(pause, time.Duration(e.GetRetryAfterMs())*time.Millisecond)
				results[i].Err = undecidedIf(sent || e.GetCode() == "tx.pending", txs[i], refusalOf(e))
				accepted = accepted || e.GetCode() == "tx.pending"
				continue
			}
			results[i].Outcome, results[i].Err = c.judge(ctx, txs[i], answer, wait, sent)
		}
		pending, sent = later, sent || accepted
		if len(pending) > 0 {
			c.passOver(went.node)
			if c.cfg.Clock.Sleep(ctx, pause+backoff(0)) != nil {
				return // each keeps the refusal it has
			}
		}
	}
}

func submitMany(n *node) method[apiv1.SubmitManyRequest, apiv1.SubmitManyResponse] {
	return n.ledger.SubmitMany
}

func undecidedIf(sent bool, s *Signed, err error) error {
	if !sent {
		return err
	}
	return &Undecided{ID: s.ID, NotAfter: s.NotAfter, Err: err}
}

// judge makes a result of a node's answer. A no may hide that an earlier copy of the same bytes went through, so
// where that is possible the ledger is asked for the id first.
func (c *Client) judge(ctx context.Context, s *Signed, answer *apiv1.SubmitResult, wait apiv1.Wait, sent bool) (*apiv1.Outcome, error) {
	outcome, refused := answer.GetOutcome(), answer.GetError()
	switch {
	case outcome != nil && outcome.GetStatus() != StatusVoid:
		return outcome, nil
	case outcome == nil && refused == nil && wait == apiv1.Wait_WAIT_NONE:
		return nil, nil
	case outcome == nil && refused == nil:
		return c.waitOutcome(ctx, s)
	}
	code, first := outcome.GetCode(), outcome.GetFields()["tx"]
	if refused != nil {
		code, first = refused.GetCode(), refused.GetFields()["tx"]
	}
	if sent || copyOf(code, first, s.ID) {
		earlier, err := c.Find(ctx, s.ID)
		if err == nil && earlier.GetOutcome() != nil {
			return earlier.GetOutcome(), nil
		}
		if code == "tx.duplicate" { // on its way: ordered but not yet readable
			return c.waitOutcome(ctx, s)
		}
	}
	if outcome != nil {
		return outcome, nil
	}
	return nil, undecidedIf(sent, s, refusalOf(refused))
}

// copyOf says whether a refusal may be because the very same transaction was there before.
func copyOf(code, first, id string) bool {
	switch code {
	case "tx.duplicate", "tx.expired":
		return true
	case "tx.once_used":
		return first == id
	}
	return false
}

// waitOutcome waits for an accepted transaction, at most as long as a submission may take.
func (c *Client) waitOutcome(ctx context.Context, s *Signed) (*apiv1.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.CommitTimeout)
	defer cancel()
	outcome, err := c.Wait(ctx, s.ID)
	if err != nil {
		return nil, &Undecided{ID: s.ID, NotAfter: s.NotAfter, Err: err}
	}
	return outcome, nil
}

// Wait returns the outcome of a transaction as soon as it is committed; ctx bounds the wait.
func (c *Client) Wait(ctx context.Context, id string) (*apiv1.Outcome, error) {
	for round := 0; ; round++ {
		found, err := c.Find(ctx, id)
		if err == nil && found.GetOutcome() != nil {
			return found.GetOutcome(), nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err := c.cfg.Clock.Sleep(ctx, backoff(min(round, 3))); err != nil {
			return nil, err
		}
	}
}

// Find returns a committed transaction with its outcome; errors.Is(err, ErrNotFound) when the node knows none with
// this id, which does not show that it will not be committed yet.
func (c *Client) Find(ctx context.Context, id string) (*apiv1.Transaction, error) {
	found, _, err := c.FindRaw(ctx, id)
	return found, err
}

// FindRaw is Find with the bytes as committed.
func (c *Client) FindRaw(ctx context.Context, id string) (*apiv1.Transaction, []byte, error) {
	res, _, err := call(ctx, c, c.cfg.Timeout, &apiv1.GetTransactionRequest{Id: id}, getTransaction)
	return res.GetTransaction(), res.GetRaw(), err
}

func getTransaction(n *node) method[apiv1.GetTransactionRequest, apiv1.GetTransactionResponse] {
	return n.ledger.GetTransaction
}
