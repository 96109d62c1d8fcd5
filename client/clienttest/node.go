package clienttest

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
)

// Fault is what goes wrong with one request.
type Fault int

const (
	// None lets the request be answered.
	None Fault = iota
	// DropRequest cuts the connection before the ledger sees the request.
	DropRequest
	// DropAnswer cuts the connection after the ledger took the request.
	DropAnswer
	// PoolFull refuses each transaction with pool.full, to be sent again after 10 ms.
	PoolFull
	// Unavailable answers with an error that another node may not have.
	Unavailable
)

// Node is one node of a Ledger on a loopback port.
type Node struct {
	// URL is its address.
	URL string
	// Server serves it; Close it to take the node down.
	Server *httptest.Server

	ledger   *Ledger
	mu       sync.Mutex
	script   map[string][]Fault
	calls    map[string]int
	onWatch  func()
	onSubmit hook
}

// Serve starts a node. Close its Server when done.
func (l *Ledger) Serve() *Node {
	n := &Node{ledger: l, script: map[string][]Fault{}, calls: map[string]int{}}
	mux := http.NewServeMux()
	s := service{l, n}
	faults := connect.WithInterceptors(connect.UnaryInterceptorFunc(n.intercept))
	mux.Handle(apiv1connect.NewLedgerServiceHandler(s, faults))
	mux.Handle(apiv1connect.NewAccountServiceHandler(s, faults))
	mux.Handle(apiv1connect.NewAssetServiceHandler(s, faults))
	mux.Handle(apiv1connect.NewRecordServiceHandler(s, faults))
	mux.Handle(apiv1connect.NewNetworkServiceHandler(s, faults))
	n.Server = httptest.NewServer(mux)
	n.URL = n.Server.URL
	return n
}

// Script makes the next requests of a method, such as SubmitMany, go wrong in turn.
func (n *Node) Script(method string, faults ...Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.script[method] = append(n.script[method], faults...)
}

// Clear takes back what Script set for a method.
func (n *Node) Clear(method string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.script, method)
}

// OnWatch runs f once, when the next watch has begun.
func (n *Node) OnWatch(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onWatch = f
}

func (n *Node) watchBegun() {
	n.mu.Lock()
	f := n.onWatch
	n.onWatch = nil
	n.mu.Unlock()
	if f != nil {
		f()
	}
}

// OnSubmit runs f when the count-th submission from now arrives, before it is taken.
func (n *Node) OnSubmit(count int, f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onSubmit = hook{n.calls["SubmitMany"] + count, f}
}

type hook struct {
	at int
	f  func()
}

// Calls is how many requests of a method arrived.
func (n *Node) Calls(method string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls[method]
}

func (n *Node) next(procedure string) Fault {
	method := procedure[strings.LastIndexByte(procedure, '/')+1:]
	n.mu.Lock()
	n.calls[method]++
	at := n.onSubmit
	due := method == "SubmitMany" && at.f != nil && n.calls[method] == at.at
	n.mu.Unlock()
	if due {
		at.f()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	queue := n.script[method]
	if len(queue) == 0 {
		return None
	}
	n.script[method] = queue[1:]
	return queue[0]
}

func (n *Node) intercept(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		switch fault := n.next(req.Spec().Procedure); fault {
		case DropRequest:
			panic(http.ErrAbortHandler)
		case DropAnswer:
			_, _ = next(ctx, req) // the answer is what gets lost
			panic(http.ErrAbortHandler)
		case Unavailable:
			return nil, connect.NewError(connect.CodeUnavailable, errors.New("shutting down"))
		case PoolFull:
			if many, ok := req.Any().(*apiv1.SubmitManyRequest); ok {
				return connect.NewResponse(poolFull(len(many.Transactions))), nil
			}
		}
		return next(ctx, req)
	}
}

func poolFull(count int) *apiv1.SubmitManyResponse {
	res := &apiv1.SubmitManyResponse{}
	for range count {
		res.Results = append(res.Results, &apiv1.SubmitResult{Error: &apiv1.Error{
			Code: "pool.full", Message: "The node has no room for more transactions.", Retryable: true, RetryAfterMs: 10}})
	}
	return res
}

// service answers every method from the ledger.
type service struct {
	*Ledger
	node *Node
}

func (s service) Submit(_ context.Context, req *connect.Request[apiv1.SubmitRequest]) (*connect.Response[apiv1.SubmitResponse], error) {
	return connect.NewResponse(&apiv1.SubmitResponse{Result: s.Ledger.Submit([][]byte{req.Msg.Transaction}, req.Msg.Wait)[0]}), nil
}

func (s service) SubmitMany(_ context.Context, req *connect.Request[apiv1.SubmitManyRequest]) (*connect.Response[apiv1.SubmitManyResponse], error) {
	if len(req.Msg.Transactions) > 1000 {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("more than 1,000 transactions"))
	}
	return connect.NewResponse(&apiv1.SubmitManyResponse{Results: s.Ledger.Submit(req.Msg.Transactions, req.Msg.Wait)}), nil
}

func (s service) GetTransaction(_ context.Context, req *connect.Request[apiv1.GetTransactionRequest]) (*connect.Response[apiv1.GetTransactionResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byID[req.Msg.Id]
	if e == nil {
		return nil, notFound("tx.unknown", "No committed transaction has this id.")
	}
	return connect.NewResponse(&apiv1.GetTransactionResponse{Transaction: e.tx, Raw: e.raw}), nil
}

func (s service) ListTransactions(_ context.Context, req *connect.Request[apiv1.ListTransactionsRequest]) (*connect.Response[apiv1.ListTransactionsResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := &apiv1.ListTransactionsResponse{}
	for _, e := range slices.Backward(s.history) {
		if matches(e.tx, req.Msg.Account, req.Msg.Asset) {
			res.Transactions = append(res.Transactions, e.tx)
		}
	}
	return connect.NewResponse(res), nil
}

func matches(t *apiv1.Transaction, account, asset string) bool {
	text := t.String()
	return strings.Contains(text, account) && strings.Contains(text, asset)
}

// WatchTransactions polls the history. The cursor is the number of transactions seen.
func (s service) WatchTransactions(ctx context.Context, req *connect.Request[apiv1.WatchTransactionsRequest], stream *connect.ServerStream[apiv1.WatchTransactionsResponse]) error {
	at := s.Len()
	if req.Msg.Cursor != "" {
		at, _ = strconv.Atoi(req.Msg.Cursor)
	}
	s.node.watchBegun()
	for ctx.Err() == nil {
		s.mu.Lock()
		news := s.history[min(at, len(s.history)):]
		s.mu.Unlock()
		for _, e := range news {
			if s.node.next("/WatchTransactions") == DropAnswer {
				panic(http.ErrAbortHandler)
			}
			at++
			if !matches(e.tx, req.Msg.Account, req.Msg.Asset) {
				continue
			}
			if err := stream.Send(&apiv1.WatchTransactionsResponse{Transaction: e.tx, Cursor: strconv.Itoa(at)}); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func (s service) GetBlock(_ context.Context, req *connect.Request[apiv1.GetBlockRequest]) (*connect.Response[apiv1.GetBlockResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	height := req.Msg.Height
	if height == 0 {
		height = s.height
	}
	if height > s.height {
		return nil, notFound("block.unknown", "There is no such block yet.")
	}
	res := &apiv1.GetBlockResponse{Height: height, Time: s.blockTime.UTC().Format(TimeFormat)}
	for _, e := range s.history {
		if e.tx.Outcome.Height == height {
			res.Transactions, res.Time = append(res.Transactions, e.tx.Id), e.tx.Outcome.Time
		}
	}
	return connect.NewResponse(res), nil
}

func (s service) GetStatus(context.Context, *connect.Request[apiv1.GetStatusRequest]) (*connect.Response[apiv1.GetStatusResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return connect.NewResponse(&apiv1.GetStatusResponse{
		Network: s.ID, Member: "test", Height: s.height, Time: s.blockTime.UTC().Format(TimeFormat), Transactions: uint64(len(s.history)),
		IndexHeight: s.height - s.indexLag, PoolCapacity: 100000, Version: "test",
	}), nil
}

func (s service) GetReceipt(context.Context, *connect.Request[apiv1.GetReceiptRequest]) (*connect.Response[apiv1.GetReceiptResponse], error) {
	return nil, notFound("receipt.unknown", "This ledger signs no receipts.")
}

func (s service) GetCheckpoint(context.Context, *connect.Request[apiv1.GetCheckpointRequest]) (*connect.Response[apiv1.GetCheckpointResponse], error) {
	return nil, notFound("checkpoint.unknown", "This ledger signs no checkpoints.")
}

func (s service) AddCosignature(context.Context, *connect.Request[apiv1.AddCosignatureRequest]) (*connect.Response[apiv1.AddCosignatureResponse], error) {
	return nil, notFound("checkpoint.unknown", "This ledger signs no checkpoints.")
}

// GetStateProof answers for once keys, without a proof.
func (s service) GetStateProof(_ context.Context, req *connect.Request[apiv1.GetStateProofRequest]) (*connect.Response[apiv1.GetStateProofResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, exists := s.once[string(req.Msg.Key)]
	value, err := hex.DecodeString(id)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetStateProofResponse{Height: s.height, Exists: exists, Value: value}), nil
}

func notFound(code, message string) error {
	err := connect.NewError(connect.CodeNotFound, errors.New(message))
	if detail, problem := connect.NewErrorDetail(&apiv1.Error{Code: code, Message: message}); problem == nil {
		err.AddDetail(detail)
	}
	return err
}
