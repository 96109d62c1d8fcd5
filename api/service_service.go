package api

import (
	"context"
	"encoding/hex"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

func (s *identityService) GetService(_ context.Context, r *connect.Request[apiv1.GetServiceRequest]) (*connect.Response[apiv1.GetServiceResponse], error) {
	a, err := parseAddress("account", r.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	service, err := index.ReadService(st, a, s.now())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetServiceResponse{Service: s.serviceOf(st, a, service)}), nil
}

func (s *identityService) ListServices(_ context.Context, r *connect.Request[apiv1.ListServicesRequest]) (*connect.Response[apiv1.ListServicesResponse], error) {
	st, _ := s.ledger.State()
	list, next, err := index.ReadServices(st, s.now(), page(r.Msg))
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListServicesResponse{NextPageToken: next}
	for _, a := range list {
		if service, err := index.ReadService(st, a, s.now()); err == nil {
			out.Services = append(out.Services, s.serviceOf(st, a, service))
		}
	}
	return connect.NewResponse(out), nil
}

func (s *Server) serviceOf(st state.Reader, a tx.Address, stored *identityv1.StoredService) *apiv1.Service {
	service := stored.GetService()
	return &apiv1.Service{
		Account: a.String(), Organisation: s.organisationName(st, a), NameKo: service.GetNameKo(), NameEn: service.GetNameEn(), RedirectUris: service.GetRedirectUris(),
		PostLogoutRedirectUris: service.GetPostLogoutRedirectUris(), BackchannelLogoutUri: service.GetBackchannelLogoutUri(), Keys: service.GetKeys(), MayAsk: service.GetMayAsk(),
		Pairwise: service.GetPairwise(), SetAt: timestamp(stored.GetSetAt()), Transaction: hex.EncodeToString(stored.GetTx()),
	}
}
