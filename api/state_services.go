package api

import (
	"context"
	"encoding/hex"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
)

// accountService is dure.api.v1.AccountService.
type accountService struct{ *Server }

func (s *accountService) GetAccount(_ context.Context, r *connect.Request[apiv1.GetAccountRequest]) (*connect.Response[apiv1.GetAccountResponse], error) {
	a, err := parseAddress("address", r.Msg.GetAddress())
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	acc, ok := index.ReadAccount(st, a)
	if !ok {
		return nil, fault.New("account.unknown", "no such account on the ledger; a member must open it first", "account", a)
	}
	now := s.ledger.Status().Time.UnixMilli()
	out := &apiv1.GetAccountResponse{Account: accountOf(st, a, acc, now), Freezes: freezesOf(st, a, now)}
	if _, member := index.ReadMember(st, a); !member {
		out.Recovery = recoveryOf(st, a, now)
	}
	return connect.NewResponse(out), nil
}

func (s *accountService) ListAccounts(ctx context.Context, r *connect.Request[apiv1.ListAccountsRequest]) (*connect.Response[apiv1.ListAccountsResponse], error) {
	sponsor, err := optionalAddress("sponsor", r.Msg.GetSponsor())
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return nil, errNoIndex
	}
	list, next, err := s.index.Accounts(ctx, sponsor, page(r.Msg))
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	now := s.ledger.Status().Time.UnixMilli()
	out := &apiv1.ListAccountsResponse{NextPageToken: next}
	for _, a := range list {
		if acc, ok := index.ReadAccount(st, a); ok {
			out.Accounts = append(out.Accounts, accountOf(st, a, acc, now))
		}
	}
	return connect.NewResponse(out), nil
}

// networkService is dure.api.v1.NetworkService.
type networkService struct{ *Server }

func (s *networkService) GetNetwork(context.Context, *connect.Request[apiv1.GetNetworkRequest]) (*connect.Response[apiv1.GetNetworkResponse], error) {
	st, _ := s.ledger.State()
	g := s.ledger.Genesis()
	out := &apiv1.GetNetworkResponse{
		Network: g.NetworkID, Genesis: g.File, Parameters: protoStruct(index.ReadParameters(st)),
	}
	evidence := index.ReadEvidence(st)
	for _, m := range index.ReadMembers(st) {
		validator := index.ValidatorOf(m.GetValidatorKey())
		against := evidence[validator]
		delete(evidence, validator)
		out.Members = append(out.Members, &apiv1.Member{
			Address: address(m.GetAddress()), Name: m.GetName(), NodeKey: hex.EncodeToString(m.GetNodeKey()),
			ValidatorKey: hex.EncodeToString(m.GetValidatorKey()), Power: m.GetPower(), Voids: m.GetVoids(),
			Misbehaviours: misbehaviours(against), MisbehaviourCount: against.GetCount(),
		})
	}
	out.FormerValidators = formerValidators(evidence)
	return connect.NewResponse(out), nil
}

func (s *networkService) ListProposals(_ context.Context, r *connect.Request[apiv1.ListProposalsRequest]) (*connect.Response[apiv1.ListProposalsResponse], error) {
	st, _ := s.ledger.State()
	list, next, err := index.ReadProposals(st, page(r.Msg))
	if err != nil {
		return nil, err
	}
	now := s.ledger.Status().Time.UnixMilli()
	out := &apiv1.ListProposalsResponse{NextPageToken: next}
	for _, p := range list {
		shown := &apiv1.Proposal{
			Id: p.GetId(), Proposer: address(p.GetProposer()), Change: protoStruct(p.GetChange()),
			OpenedAt: timestamp(p.GetOpenedAt()), ExpiresAt: timestamp(p.GetExpiresAt()), State: index.ProposalState(p, now),
		}
		for _, v := range p.GetVotes() {
			shown.Votes = append(shown.Votes, address(v))
		}
		out.Proposals = append(out.Proposals, shown)
	}
	return connect.NewResponse(out), nil
}
