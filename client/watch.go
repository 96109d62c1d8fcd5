package client

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strconv"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
)

// Watch yields transactions in order as they are committed, each with the cursor to go on from. The query's cursor
// says where to begin: empty means from now, "0" from the beginning. When the node is lost it resumes at another
// from the last cursor, so that none is missed and none comes twice. It ends when ctx does, or with a *Refusal.
func (c *Client) Watch(ctx context.Context, query *apiv1.WatchTransactionsRequest) iter.Seq2[*apiv1.WatchTransactionsResponse, error] {
	return func(yield func(*apiv1.WatchTransactionsResponse, error) bool) {
		w := &watcher{client: c, query: query, yield: yield}
		if query.GetCursor() == "" {
			// "From now" must mean the same on every node, should the first be lost before its first answer.
			status, err := c.Status(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			w.query = &apiv1.WatchTransactionsRequest{
				Cursor: strconv.FormatUint(status.GetTransactions(), 10), Account: query.GetAccount(), Asset: query.GetAsset(), Events: query.GetEvents(),
			}
		}
		w.run(ctx)
	}
}

type watcher struct {
	client *Client
	query  *apiv1.WatchTransactionsRequest
	yield  func(*apiv1.WatchTransactionsResponse, error) bool
	// next is one more than the highest history position yielded.
	next    uint64
	stopped bool
}

func (w *watcher) run(ctx context.Context) {
	lost := &Unreachable{}
	since := w.client.cfg.Clock.Now()
	for round := 0; ; round++ {
		for _, n := range w.client.order() {
			got, err := w.stream(ctx, n)
			if w.stopped {
				return
			}
			if got {
				lost, round, since = &Unreachable{}, 0, w.client.cfg.Clock.Now()
			}
			var refusal *Refusal
			if errors.As(err, &refusal) && !refusal.Retryable && refusal.Code != "cursor.not_yet" { // that node is behind
				w.yield(nil, refusal)
				return
			}
			if nobody := (*NoReader)(nil); errors.As(err, &nobody) {
				w.yield(nil, nobody)
				return
			}
			if ctx.Err() != nil {
				w.yield(nil, ctx.Err())
				return
			}
			if err != nil {
				lost.add(n.address, err)
			}
			w.client.passOver(n)
		}
		if w.client.cfg.Clock.Now().Sub(since) > w.client.cfg.Patience {
			w.yield(nil, lost)
			return
		}
		if err := w.client.cfg.Clock.Sleep(ctx, backoff(round)); err != nil {
			w.yield(nil, err)
			return
		}
	}
}

// stream follows one node until it is lost, and says whether it gave anything.
func (w *watcher) stream(ctx context.Context, n *node) (got bool, err error) {
	admission, cancel := context.WithTimeout(ctx, w.client.cfg.Timeout)
	err = w.client.admit(admission, n)
	cancel()
	if err != nil {
		return false, readError(err)
	}
	const procedure = apiv1connect.LedgerServiceWatchTransactionsProcedure
	for try := 0; ; try++ {
		request := connect.NewRequest(w.query)
		if n.pass.wanted(procedure) {
			if err := n.pass.reading.find(ctx); err != nil {
				return got, err
			}
			if err := w.show(ctx, n, request.Header()); err != nil {
				return got, readError(err)
			}
		}
		more, err := w.follow(ctx, n, request)
		got = got || more
		if refusal := (*Refusal)(nil); more || errors.As(readError(err), &refusal) && refusal.Code == "access.stream_ended" {
			try = 0 // the node let the reader in
		}
		if w.stopped || try == 2 || err == nil || !n.pass.again(procedure, request.Header(), err) {
			return got, readError(err)
		}
	}
}

// show says who watches, in no more time than a read may take.
func (w *watcher) show(ctx context.Context, n *node, h http.Header) error {
	ctx, cancel := context.WithTimeout(ctx, w.client.cfg.Timeout)
	defer cancel()
	return n.pass.show(ctx, http.MethodPost, n.pass.address(apiv1connect.LedgerServiceWatchTransactionsProcedure), h)
}

// follow yields what one stream gives.
func (w *watcher) follow(ctx context.Context, n *node, request *connect.Request[apiv1.WatchTransactionsRequest]) (got bool, err error) {
	stream, err := n.ledger.WatchTransactions(ctx, request)
	if err != nil {
		return false, err //nolint:wrapcheck // the caller reads it
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		got = true
		msg := stream.Msg()
		seq := msg.GetTransaction().GetOutcome().GetSeq()
		w.query.Cursor = msg.GetCursor()
		if seq < w.next {
			continue // a node that counts the cursor in: seen already
		}
		w.next = seq + 1
		if !w.yield(msg, nil) {
			w.stopped = true
			return true, nil
		}
	}
	return got, stream.Err() //nolint:wrapcheck // the caller reads it
}
