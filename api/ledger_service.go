package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
)

// ledgerService is dure.api.v1.LedgerService.
type ledgerService struct{ *Server }

func (s *ledgerService) Submit(ctx context.Context, r *connect.Request[apiv1.SubmitRequest]) (*connect.Response[apiv1.SubmitResponse], error) {
	results, err := s.submit(ctx, [][]byte{r.Msg.GetTransaction()}, r.Msg.GetWait(), false)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.SubmitResponse{Result: results[0]}), nil
}

func (s *ledgerService) SubmitMany(ctx context.Context, r *connect.Request[apiv1.SubmitManyRequest]) (*connect.Response[apiv1.SubmitManyResponse], error) {
	raw := r.Msg.GetTransactions()
	if len(raw) == 0 || len(raw) > MaxSubmit {
		return nil, fault.New("request.too_many", "send 1 to 1,000 transactions at once", "transactions", len(raw))
	}
	results, err := s.submit(ctx, raw, r.Msg.GetWait(), r.Msg.GetBrief())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.SubmitManyResponse{Results: results}), nil
}

func (s *ledgerService) submit(ctx context.Context, raw [][]byte, wait apiv1.Wait, brief bool) ([]*apiv1.SubmitResult, error) {
	if wait != apiv1.Wait_WAIT_UNSPECIFIED && wait != apiv1.Wait_WAIT_COMMIT && wait != apiv1.Wait_WAIT_NONE {
		return nil, fault.New("request.malformed", "wait: want WAIT_COMMIT or WAIT_NONE", "field", "wait")
	}
	ctx, done, err := s.mayWait(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	answers := s.ledger.Submit(ctx, raw, wait != apiv1.Wait_WAIT_NONE)
	if len(answers) != len(raw) {
		return nil, fault.New("internal", "the node answered a number of transactions other than it was sent")
	}
	results := make([]*apiv1.SubmitResult, len(answers))
	for i, a := range answers {
		results[i] = submitResult(a, brief)
	}
	return results, nil
}

func submitResult(a Submission, brief bool) *apiv1.SubmitResult {
	out := &apiv1.SubmitResult{}
	if a.ID != [32]byte{} {
		out.Id = hex.EncodeToString(a.ID[:])
	}
	switch {
	case a.Outcome != nil && brief:
		out.Outcome = resultOf(a.Outcome)
	case a.Outcome != nil:
		out.Outcome = outcomeOf(a.Outcome)
	case a.Err != nil:
		out.Error = apiError(a.Err.Error, a.Err.Retryable, int32(a.Err.RetryAfter.Milliseconds()))
	}
	return out
}

func (s *ledgerService) GetTransaction(_ context.Context, r *connect.Request[apiv1.GetTransactionRequest]) (*connect.Response[apiv1.GetTransactionResponse], error) {
	id, err := parseHash("id", r.Msg.GetId())
	if err != nil {
		return nil, err
	}
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetTransactionResponse{Transaction: transactionOf(e), Raw: e.Raw}), nil
}

// find is a committed transaction. Code tx.unknown.
func (s *Server) find(id [32]byte) (Entry, error) {
	e, ok, err := s.ledger.Find(id)
	if err != nil {
		return e, err
	}
	if !ok && s.index == nil {
		return e, errNoIndex
	}
	if lag := s.indexLag(); !ok && lag > 0 {
		return e, fault.New("tx.unknown", fmt.Sprintf("this node's index has no transaction with this id yet, and is %d blocks behind; ask again when it has caught up", lag),
			"id", hex.EncodeToString(id[:]), "blocks_behind", lag)
	}
	if !ok {
		return e, fault.New("tx.unknown", "no transaction with this id is committed here", "id", hex.EncodeToString(id[:]))
	}
	return e, nil
}

func (s *ledgerService) ListTransactions(ctx context.Context, r *connect.Request[apiv1.ListTransactionsRequest]) (*connect.Response[apiv1.ListTransactionsResponse], error) {
	f, err := filterOf(r.Msg)
	if err != nil {
		return nil, err
	}
	entries, next, err := s.list(ctx, f, page(r.Msg))
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListTransactionsResponse{NextPageToken: next, IndexLag: s.indexLag()}
	for _, e := range entries {
		out.Transactions = append(out.Transactions, transactionOf(e))
	}
	return connect.NewResponse(out), nil
}

// list is the transactions that meet a filter, newest first.
func (s *Server) list(ctx context.Context, f index.Filter, p index.Page) ([]Entry, string, error) {
	if s.index == nil {
		return nil, "", errNoIndex
	}
	seqs, next, err := s.index.Transactions(ctx, f, p)
	if err != nil {
		return nil, "", err
	}
	out := make([]Entry, 0, len(seqs))
	for _, seq := range seqs {
		e, err := s.ledger.Entries(seq, 1)
		if err != nil {
			return nil, "", err
		}
		if len(e) == 1 {
			out = append(out, e[0])
		}
	}
	return out, next, nil
}

func filterOf(m *apiv1.ListTransactionsRequest) (f index.Filter, err error) {
	if f.Account, err = optionalAddress("account", m.GetAccount()); err != nil {
		return f, err
	}
	if m.GetDigest() != "" {
		digest, err := parseHash("digest", m.GetDigest())
		if err != nil {
			return f, err
		}
		f.Digest = &digest
	}
	if f.Since, err = parseTime("since", m.GetSince()); err != nil {
		return f, err
	}
	if f.Until, err = parseTime("until", m.GetUntil()); err != nil {
		return f, err
	}
	if f.Status, err = parseStatus(m.GetStatus()); err != nil {
		return f, err
	}
	if err = bounded("asset", m.GetAsset()); err != nil {
		return f, err
	}
	f.Asset, f.Text = m.GetAsset(), m.GetText()
	return f, bounded("text", m.GetText())
}

// page reads the paging fields that every list request has.
func page(m interface {
	GetPageSize() int32
	GetPageToken() string
}) index.Page {
	return index.Page{Size: int(m.GetPageSize()), Token: m.GetPageToken()}
}

// errNoIndex is the answer to what only an index knows, where none is kept.
var errNoIndex = fault.New("index.off", "this node keeps no index, so it has no lists and finds only transactions of the last minutes; ask another member's node")

// indexHeight is the height the index answers for; 0 where none is kept: the ledger's own when no outcome is missing.
func (s *Server) indexHeight() int64 {
	_, height := s.ledger.State()
	if s.index == nil {
		return 0
	}
	if s.index.Seq() >= s.ledger.Size() {
		return height
	}
	return min(s.index.Height(), height)
}

func (s *Server) indexLag() int64 {
	_, height := s.ledger.State()
	return max(0, height-s.indexHeight())
}

func (s *ledgerService) GetBlock(ctx context.Context, r *connect.Request[apiv1.GetBlockRequest]) (*connect.Response[apiv1.GetBlockResponse], error) {
	b, err := s.block(ctx, r.Msg.GetHeight())
	if err != nil {
		return nil, err
	}
	out := &apiv1.GetBlockResponse{
		Height: b.Height, Time: timestamp(b.Time.UnixMilli()), Hash: hex.EncodeToString(b.Hash[:]),
		Proposer: b.Proposer.String(), AppHash: hex.EncodeToString(b.AppHash), Batches: int32(b.Batches),
	}
	for _, id := range b.Transactions {
		out.Transactions = append(out.Transactions, hex.EncodeToString(id[:]))
	}
	return connect.NewResponse(out), nil
}

func (s *Server) block(ctx context.Context, height int64) (*Block, error) {
	if height < 0 {
		return nil, fault.New("request.malformed", "height: want 0 for the newest, or a height", "field", "height")
	}
	return s.ledger.Block(ctx, height)
}

func (s *ledgerService) GetStatus(context.Context, *connect.Request[apiv1.GetStatusRequest]) (*connect.Response[apiv1.GetStatusResponse], error) {
	st := s.ledger.Status()
	out := &apiv1.GetStatusResponse{
		Network: s.ledger.Genesis().NetworkID, Member: st.Member.String(), Height: st.Height,
		AppHash: hex.EncodeToString(st.AppHash[:]), Transactions: st.Transactions, Peers: int32(st.Peers),
		CatchingUp: st.CatchingUp, IndexHeight: s.indexHeight(), TransactionsPerSecond: st.TransactionsPerSecond,
		FinalityMs: float64(st.Finality.Microseconds()) / 1000, PoolTransactions: int64(st.PoolTransactions),
		PoolCapacity: int64(st.PoolCapacity), Version: st.Version, StateRoot: hex.EncodeToString(st.StateRoot[:]),
		HistoryRoot: hex.EncodeToString(st.HistoryRoot[:]), StateKeys: int64(st.StateKeys), Access: string(s.access()),
		ReadingsKeepMs: s.readingsKeep.Milliseconds(),
	}
	for _, c := range s.readiness() {
		out.Checks = append(out.Checks, &apiv1.Check{Name: c.Name, Ok: c.OK, Reason: c.Reason})
	}
	if !st.Time.IsZero() {
		out.Time = timestamp(st.Time.UnixMilli())
	}
	if w, ok := s.ledger.Witnessing(); ok {
		out.Witnessed = w.message()
	}
	return connect.NewResponse(out), nil
}

func (s *ledgerService) GetReceipt(ctx context.Context, r *connect.Request[apiv1.GetReceiptRequest]) (*connect.Response[apiv1.GetReceiptResponse], error) {
	id, err := parseHash("id", r.Msg.GetId())
	if err != nil {
		return nil, err
	}
	var receipt []byte
	if r.Msg.GetWitnessed() {
		receipt, err = s.ledger.WitnessedReceipt(ctx, id, r.Msg.GetTrustedHeight(), int(min(r.Msg.GetLeast(), maxLeast)))
	} else {
		receipt, err = s.ledger.Receipt(ctx, id, r.Msg.GetTrustedHeight())
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetReceiptResponse{Receipt: receipt}), nil
}

// maxKey is the longest state key that is looked up, in bytes.
const maxKey = 1024

func (s *ledgerService) GetStateProof(ctx context.Context, r *connect.Request[apiv1.GetStateProofRequest]) (*connect.Response[apiv1.GetStateProofResponse], error) {
	key := r.Msg.GetKey()
	if len(key) == 0 || len(key) > maxKey {
		return nil, fault.New("request.malformed", "key: want 1 to 1,024 bytes", "field", "key")
	}
	p, err := s.ledger.StateProof(ctx, key)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetStateProofResponse{
		Height: p.Height, Exists: p.Exists, Value: p.Value, Proof: p.Proof, StateRoot: p.StateRoot[:], Checkpoint: p.Checkpoint,
	}), nil
}

func itoa(n int) string { return strconv.Itoa(n) }
