package api

import (
	"context"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
)

func (s *streamService) ListSettlements(ctx context.Context, r *connect.Request[apiv1.ListSettlementsRequest]) (*connect.Response[apiv1.ListSettlementsResponse], error) {
	f, err := s.paymentFilter(r.Msg)
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return nil, errNoIndex
	}
	rows, next, err := s.index.Payments(ctx, f, page(r.Msg))
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListSettlementsResponse{NextPageToken: next}
	for _, p := range rows {
		out.Settlements = append(out.Settlements, settlementOf(p))
	}
	return connect.NewResponse(out), nil
}

func (s *streamService) paymentFilter(m *apiv1.ListSettlementsRequest) (f index.PaymentFilter, err error) {
	if m.GetDevice() == "" && m.GetFeed() == "" {
		return f, fault.New("request.malformed", "ask for the payments of a device, of a feed, or of both", "field", "device")
	}
	if f.Device, err = optionalAddress("device", m.GetDevice()); err != nil {
		return f, err
	}
	if f.Feed = m.GetFeed(); f.Feed != "" {
		st, _ := s.ledger.State()
		if _, err = s.findFeed(st, f.Feed); err != nil {
			return f, err
		}
	}
	if f.Since, err = parseTime("since", m.GetSince()); err != nil {
		return f, err
	}
	f.Until, err = parseTime("until", m.GetUntil())
	return f, err
}

func settlementOf(p index.Settlement) *apiv1.Settlement {
	return &apiv1.Settlement{
		Feed: p.Feed, Device: p.Device.String(), FirstAt: timestamp(p.First), LastAt: timestamp(p.Last), Paid: p.Paid, Forfeited: p.Forfeited,
		Asset: p.Asset, Amount: p.Amount, Transaction: idText(p.Tx), Time: timestamp(p.Time),
	}
}
