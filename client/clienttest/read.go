package clienttest

import (
	"context"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func (s service) GetAccount(_ context.Context, req *connect.Request[apiv1.GetAccountRequest]) (*connect.Response[apiv1.GetAccountResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[req.Msg.Address]
	if a == nil {
		return nil, notFound("account.unknown", "Account "+req.Msg.Address+" is not open on this ledger.")
	}
	return connect.NewResponse(&apiv1.GetAccountResponse{Account: proto.CloneOf(a)}), nil
}

func (s service) ListAccounts(_ context.Context, req *connect.Request[apiv1.ListAccountsRequest]) (*connect.Response[apiv1.ListAccountsResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := &apiv1.ListAccountsResponse{}
	for _, address := range s.order {
		if a := s.accounts[address]; req.Msg.Sponsor == "" || a.Sponsor == req.Msg.Sponsor {
			res.Accounts = append(res.Accounts, proto.CloneOf(a))
		}
	}
	return connect.NewResponse(res), nil
}

// ListAccountEvents lists none: what was done to an account itself is not kept.
func (s service) ListAccountEvents(context.Context, *connect.Request[apiv1.ListAccountEventsRequest]) (*connect.Response[apiv1.ListAccountEventsResponse], error) {
	return connect.NewResponse(&apiv1.ListAccountEventsResponse{}), nil
}

func (s service) GetAsset(_ context.Context, req *connect.Request[apiv1.GetAssetRequest]) (*connect.Response[apiv1.GetAssetResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.assets[req.Msg.Asset]
	if a == nil {
		return nil, notFound("asset.unknown", "There is no asset "+req.Msg.Asset+".")
	}
	return connect.NewResponse(&apiv1.GetAssetResponse{Asset: proto.CloneOf(a)}), nil
}

func (s service) ListAssets(context.Context, *connect.Request[apiv1.ListAssetsRequest]) (*connect.Response[apiv1.ListAssetsResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := &apiv1.ListAssetsResponse{}
	for _, a := range s.assets {
		res.Assets = append(res.Assets, proto.CloneOf(a))
	}
	slices.SortFunc(res.Assets, func(a, b *apiv1.Asset) int { return strings.Compare(a.Asset, b.Asset) })
	return connect.NewResponse(res), nil
}

func (s service) GetBalance(_ context.Context, req *connect.Request[apiv1.GetBalanceRequest]) (*connect.Response[apiv1.GetBalanceResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.assets[req.Msg.Asset]
	if a == nil {
		return nil, notFound("asset.unknown", "There is no asset "+req.Msg.Asset+".")
	}
	return connect.NewResponse(&apiv1.GetBalanceResponse{Balance: s.balance(a, req.Msg.Account), Height: s.height}), nil
}

func (s service) balance(a *apiv1.Asset, account string) *apiv1.Balance {
	return &apiv1.Balance{Asset: a.Asset, Account: account, Amount: tx.FormatAmount(s.balances[[2]string{a.Asset, account}]), Held: "0", Decimals: a.Decimals}
}

func (s service) ListBalances(_ context.Context, req *connect.Request[apiv1.ListBalancesRequest]) (*connect.Response[apiv1.ListBalancesResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := &apiv1.ListBalancesResponse{}
	for key := range s.balances {
		if (req.Msg.Asset == "" || key[0] == req.Msg.Asset) && (req.Msg.Account == "" || key[1] == req.Msg.Account) {
			res.Balances = append(res.Balances, s.balance(s.assets[key[0]], key[1]))
		}
	}
	slices.SortFunc(res.Balances, func(a, b *apiv1.Balance) int { return strings.Compare(a.Asset+a.Account, b.Asset+b.Account) })
	return connect.NewResponse(res), nil
}

func (s service) GetHold(_ context.Context, req *connect.Request[apiv1.GetHoldRequest]) (*connect.Response[apiv1.GetHoldResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.holds[req.Msg.Hold]
	if h == nil {
		return nil, notFound("hold.unknown", "There is no such hold.")
	}
	return connect.NewResponse(&apiv1.GetHoldResponse{Hold: proto.CloneOf(h)}), nil
}

func (s service) ListHolds(_ context.Context, req *connect.Request[apiv1.ListHoldsRequest]) (*connect.Response[apiv1.ListHoldsResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := &apiv1.ListHoldsResponse{}
	for _, h := range s.holds {
		if account := req.Msg.Account; h.Payer == account || h.Payee == account || h.Arbiter == account {
			res.Holds = append(res.Holds, proto.CloneOf(h))
		}
	}
	slices.SortFunc(res.Holds, func(a, b *apiv1.Hold) int { return strings.Compare(a.Hold, b.Hold) })
	return connect.NewResponse(res), nil
}

func (s service) GetRecords(_ context.Context, req *connect.Request[apiv1.GetRecordsRequest]) (*connect.Response[apiv1.GetRecordsResponse], error) {
	found := s.find(func(r *apiv1.Record) bool { return r.Digest == req.Msg.Digest })
	return connect.NewResponse(&apiv1.GetRecordsResponse{Records: found}), nil
}

func (s service) ListRecords(_ context.Context, req *connect.Request[apiv1.ListRecordsRequest]) (*connect.Response[apiv1.ListRecordsResponse], error) {
	q := req.Msg
	found := s.find(func(r *apiv1.Record) bool {
		return (q.Recorder == "" || r.Recorder == q.Recorder) && (q.Name == "" || r.Name == q.Name) && (q.Title == "" || r.Title == q.Title) &&
			strings.Contains(r.Title+" "+r.Name, q.Text)
	})
	return connect.NewResponse(&apiv1.ListRecordsResponse{Records: found}), nil
}

func (s service) find(wanted func(*apiv1.Record) bool) []*apiv1.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*apiv1.Record
	for _, r := range s.records {
		if wanted(r) {
			found = append(found, proto.CloneOf(r))
		}
	}
	slices.SortFunc(found, func(a, b *apiv1.Record) int { return strings.Compare(b.RecordedAt+b.Digest, a.RecordedAt+a.Digest) })
	return found
}

func (s service) GetNetwork(context.Context, *connect.Request[apiv1.GetNetworkRequest]) (*connect.Response[apiv1.GetNetworkResponse], error) {
	return connect.NewResponse(&apiv1.GetNetworkResponse{Network: s.ID, Genesis: s.Genesis}), nil
}

func (s service) ListProposals(context.Context, *connect.Request[apiv1.ListProposalsRequest]) (*connect.Response[apiv1.ListProposalsResponse], error) {
	return connect.NewResponse(&apiv1.ListProposalsResponse{}), nil
}

// ListAccountProposals is empty: every account acts by one key.
func (s service) ListAccountProposals(context.Context, *connect.Request[apiv1.ListAccountProposalsRequest]) (*connect.Response[apiv1.ListAccountProposalsResponse], error) {
	return connect.NewResponse(&apiv1.ListAccountProposalsResponse{}), nil
}
