package api

import (
	"context"
	"errors"
	"testing"
	"time"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// slow is a ledger that decides nothing.
type slow struct {
	Ledger
	waiting chan struct{}
}

func (s slow) Submit(ctx context.Context, raw [][]byte, _ bool) []Submission {
	close(s.waiting)
	<-ctx.Done()
	return []Submission{{Err: &Refused{Error: fault.New("tx.pending", "not decided yet"), Retryable: true}}}
}

// A node that stops lets a submission wait for its outcome a moment longer, then says that it is pending; a new one it
// refuses, retryably.
func TestSubmissionsWhileTheNodeStops(t *testing.T) {
	ledger := slow{waiting: make(chan struct{})}
	s := New(ledger, nil, Options{})
	service := &ledgerService{s}
	request := connect.NewRequest(&apiv1.SubmitRequest{Transaction: []byte{1}})
	answer := make(chan *apiv1.SubmitResult, 1)
	go func() {
		res, err := service.Submit(t.Context(), request)
		if err != nil {
			t.Error(err)
			res = connect.NewResponse(&apiv1.SubmitResponse{})
		}
		answer <- res.Msg.GetResult()
	}()
	<-ledger.waiting
	s.Stop()
	_, err := service.Submit(t.Context(), request)
	var refusal *fault.Error
	if !errors.As(err, &refusal) || refusal.Code != "node.stopping" {
		t.Errorf("a new submission: %v", err)
	}
	if code := connect.CodeOf(s.connectError(t.Context(), "", err)); code != connect.CodeUnavailable {
		t.Errorf("a client sees %v, and would not try another node", code)
	}
	select {
	case got := <-answer:
		if got.GetError().GetCode() != "tx.pending" || !got.GetError().GetRetryable() {
			t.Errorf("the one under way: %v", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("the submission under way does not end")
	}
}
