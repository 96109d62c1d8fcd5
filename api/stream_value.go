package api

import (
	"context"
	"fmt"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

func (s *streamService) Value(ctx context.Context, r *connect.Request[apiv1.ValueRequest]) (*connect.Response[apiv1.ValueResponse], error) {
	at, err := parseTime("at", r.Msg.GetAt())
	if err != nil {
		return nil, err
	}
	if r.Msg.GetMaxAgeMs() < 0 {
		return nil, fault.New("request.malformed", "max_age_ms: want 0 or more", "field", "max_age_ms")
	}
	st, _ := s.ledger.State()
	name := r.Msg.GetFeed()
	f, err := s.findFeed(st, name)
	if err != nil {
		return nil, err
	}
	v, err := s.valueOf(ctx, name, f, at, r.Msg.GetMaxAgeMs())
	if err != nil {
		return nil, err
	}
	shown := newShown(st)
	out := &apiv1.ValueResponse{
		Ok: v.None == "", Unit: f.GetTerms().GetUnit(), At: timestamp(v.At), Reason: noValue(f, v), Level: knownName(v.Level), Counted: uint32(v.Counted),
	}
	if out.GetOk() {
		out.Value = units(f, v.Value)
	}
	for _, source := range v.Sources[:min(len(v.Sources), maxSources)] {
		out.Sources = append(out.Sources, valueSource(shown, f, v.At, source))
	}
	return connect.NewResponse(out), nil
}

// valueOf is a feed's value at a time in unix milliseconds; 0: now. What is so now the state knows, and the index only where it is.
func (s *Server) valueOf(ctx context.Context, name string, f *streamv1.Feed, at, maxAge int64) (index.FeedValue, error) {
	st, _ := s.ledger.State()
	if at != 0 {
		if s.index == nil {
			return index.FeedValue{}, errNoIndex
		}
		return s.index.ValueAt(ctx, st, name, f, at, maxAge)
	}
	v := index.ValueNow(st, name, f, s.now(), maxAge)
	if s.index == nil {
		return v, nil
	}
	rows, err := s.index.Latest(ctx, name, v.At+f.GetTerms().GetAheadMs())
	if err != nil {
		return v, nil //nolint:nilerr // the value is there without it
	}
	where := make(map[tx.Address]*index.Reading, len(rows))
	for i := range rows {
		where[rows[i].Device] = &rows[i]
	}
	for i, source := range v.Sources {
		if row := where[source.Device]; row != nil && row.Taken == source.Taken {
			v.Sources[i].Reading = row
		}
	}
	return v, nil
}

// noValue says why a feed has no value, empty if it has one.
func noValue(f *streamv1.Feed, v index.FeedValue) string {
	switch v.None {
	case "":
		return ""
	case index.TooFar:
		return fmt.Sprintf("%s is %s from the median, more than the %s that are allowed", v.Furthest, some(f, v.Deviation), some(f, f.GetTerms().GetMaxDeviation()))
	}
	return fmt.Sprintf("%d sources count and the feed needs %d", v.Counted, f.GetTerms().GetMinSources())
}

func valueSource(shown *shown, f *streamv1.Feed, at int64, s index.Source) *apiv1.ValueSource {
	head, _ := index.ReadHead(shown, s.Device)
	out := &apiv1.ValueSource{
		Device: s.Device.String(), Value: units(f, s.Value), TakenAt: timestamp(s.Taken), AnchoredAt: timestamp(s.Anchored), AgeMs: max(0, at-s.Taken),
		Firmware: s.Firmware, FirmwareVersion: shown.version(s.Device, s.Firmware), Level: knownName(s.Level), LeftOut: leftOutText(s), Missing: head.GetMissing(),
	}
	if s.Reading != nil {
		out.Boot, out.Sequence, out.Transaction = s.Reading.Boot, s.Reading.Sequence, idText(s.Reading.Tx)
	}
	return out
}

func leftOutText(s index.Source) string {
	switch s.LeftOut {
	case index.Dismissed:
		return "it does not report any more"
	case index.Stale:
		return "its last reading is too old"
	case index.InDoubt:
		return "in doubt: " + s.Doubt
	case index.LowLevel:
		return "its evidence is worth too little"
	}
	return ""
}
