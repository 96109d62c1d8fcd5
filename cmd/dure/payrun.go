package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// payWindow is what not_after is rounded by, so that runs within it make the very same transactions, which the ledger
// answers with the outcomes they had. In a later window the ids differ and the once keys stop a second payment.
const payWindow = 7 * 24 * time.Hour

// payNotAfter lies one to two windows ahead, within the 30 days that once allows.
func payNotAfter(now time.Time) time.Time {
	return time.UnixMilli((now.UnixMilli()/payWindow.Milliseconds() + 2) * payWindow.Milliseconds())
}

// payAll sends every row, some chunks at a time, and returns what became of each. The error is why it stopped early.
func (p *payment) payAll(ctx context.Context) ([]rowResult, error) {
	results := make([]rowResult, len(p.file.Rows))
	for i := range results {
		results[i].status = rowOpen
	}
	bar := p.app.newProgress("paid", len(results), p.quiet)
	defer bar.end()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	room := make(chan struct{}, p.parallel)
	var wg sync.WaitGroup
	for from := 0; from < len(results) && ctx.Err() == nil; from += p.chunk {
		to := min(from+p.chunk, len(results))
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-room }()
			if err := p.payChunk(ctx, from, results[from:to], bar); err != nil {
				stop(err)
			}
		}()
	}
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return results, cause
	}
	return results, nil
}

// payChunk pays rows from..: it sends an attempt for each that is still open, until every row is paid, has failed, or
// cannot be decided.
func (p *payment) payChunk(ctx context.Context, from int, results []rowResult, bar *progress) error {
	open := make([]int, len(results))
	attempts := make([]int, len(results))
	for i := range open {
		open[i] = i
	}
	for len(open) > 0 && ctx.Err() == nil {
		signed := make([]*client.Signed, len(open))
		for k, i := range open {
			var err error
			if signed[k], err = p.sign(from+i, attempts[i]); err != nil {
				return err
			}
		}
		var again []int
		var lost error
		for k, answer := range p.client.SubmitMany(ctx, signed) {
			i := open[k]
			next, err := p.settle(ctx, from+i, attempts[i], answer, &results[i])
			switch {
			case err != nil:
				lost = err
			case next:
				attempts[i]++
				again = append(again, i)
			default:
				bar.add(1)
			}
		}
		if lost != nil {
			return lost
		}
		open = again
	}
	return ctx.Err()
}

// sign makes the transaction of an attempt to pay a row. Within a window it is the same, byte for byte, every time.
func (p *payment) sign(index, attempt int) (*client.Signed, error) {
	row := p.file.Rows[index]
	once := p.once(index, attempt)
	return p.client.Sign(client.NewTransaction(p.network).Once(once).Salt(binary.BigEndian.Uint64(once[:8])).NotAfter(payNotAfter(p.app.now())).
		Transfer(p.payer.address, row.To.address, p.asset, row.Units, client.Memo(row.Memo), client.Reference(row.Reference)), p.signers...)
}

func (p *payment) once(index, attempt int) [32]byte {
	return payOnce(p.network, p.payer.address, p.file.Digest, p.file.Rows[index].Number, attempt)
}

// settle reads what became of an attempt. next: try the row again with the next attempt.
func (p *payment) settle(ctx context.Context, index, attempt int, answer client.Result, r *rowResult) (next bool, err error) {
	r.id = answer.ID
	outcome, err := answer.Outcome, answer.Err
	if first := usedBy(outcome, err); first != "" {
		found, problem := p.client.Find(ctx, first)
		if problem != nil {
			r.status, r.id = rowUnknown, first
			return false, problem
		}
		if why := p.differs(index, found); why != "" {
			*r = rowResult{status: rowFailed, id: first, code: "pay.other_payment", message: why}
			return false, nil
		}
		outcome, err = found.GetOutcome(), nil
	}
	var refusal *client.Refusal
	switch {
	case err == nil && outcome.GetStatus() == client.StatusOK:
		r.status, r.id, r.time = paidBefore, outcome.GetId(), outcome.GetTime()
		if outcome.GetHeight() > p.start {
			r.status = paidNow
		}
		return false, nil
	case err == nil:
		*r = rowResult{status: rowFailed, id: outcome.GetId(), time: outcome.GetTime(), code: outcome.GetCode(), message: outcome.GetMessage()}
		if outcome.GetStatus() == client.StatusFailed && outcome.GetHeight() <= p.start {
			return p.another(ctx, index, attempt)
		}
		return false, nil
	case errors.As(err, &refusal) && !refusal.Retryable && !errors.As(err, new(*client.Undecided)):
		*r = rowResult{status: rowFailed, id: answer.ID, code: refusal.Code, message: refusal.Message}
		return false, nil
	}
	r.status = rowOpen
	if errors.As(err, new(*client.Undecided)) {
		r.status = rowUnknown
	}
	return false, err
}

// another says whether a row that failed in an earlier run has, or shall get, another attempt.
func (p *payment) another(ctx context.Context, index, attempt int) (bool, error) {
	if p.retryFailed {
		return true, nil
	}
	_, used, err := p.client.OnceUsed(ctx, p.payer.address, p.once(index, attempt+1))
	return used, err // used: sending it again only brings its outcome
}

// usedBy is the id of the earlier transaction that used the once key, "" if that is not the answer.
func usedBy(outcome *apiv1.Outcome, err error) string {
	var refusal *client.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code == "tx.once_used":
		return refusal.Fields["tx"]
	case err == nil && outcome.GetCode() == "tx.once_used":
		return outcome.GetFields()["tx"]
	}
	return ""
}

// differs says how the earlier transaction of a row differs from what the row says now, as when the asset given was
// another or a name stands for another account; "" when it does not.
func (p *payment) differs(index int, found *apiv1.Transaction) string {
	row := p.file.Rows[index]
	if len(found.GetActions()) == 1 && found.GetActions()[0].GetCall() == "asset.transfer" {
		field := func(name string) string {
			return found.GetActions()[0].GetArguments().GetFields()[name].GetStringValue()
		}
		to, err := tx.ParseAddress(field("to"))
		if err == nil && to == row.To.address && field("asset") == p.asset && field("amount") == row.Units {
			return ""
		}
		return fmt.Sprintf("this row of this file was already used to pay %s smallest units of %s to %s; to pay something else, use another file",
			field("amount"), field("asset"), field("to"))
	}
	return "this row of this file was already used by another kind of transaction"
}
