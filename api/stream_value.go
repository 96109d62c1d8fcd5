package api

import (
	"context"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
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
	out, err := s.feedValue(ctx, r.Msg.GetFeed(), at, r.Msg.GetMaxAgeMs())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(out), nil
}

// feedValue is what a feed says at a time in unix milliseconds; 0: now.
func (s *Server) feedValue(ctx context.Context, name string, at, maxAge int64) (*apiv1.ValueResponse, error) {
	st, _ := s.ledger.State()
	f, err := s.findFeed(st, name)
	if err != nil {
		return nil, err
	}
	var v index.FeedValue
	switch {
	case at == 0:
		v = index.ValueNow(st, name, s.now(), maxAge)
		v.Readings = s.lastReadings(ctx, name, f, v)
	case s.index == nil:
		return nil, errNoIndex
	default:
		if v, err = s.index.ValueAt(ctx, st, name, f, at, maxAge); err != nil {
			return nil, err
		}
	}
	out := &apiv1.ValueResponse{Ok: v.None == nil, Unit: v.Unit, At: timestamp(v.At), Counted: uint32(v.Counted)}
	if out.GetOk() {
		out.Value = units(f, v.Value)
	} else {
		out.Reason, out.Code = v.None.Message, v.None.Code
	}
	out.Level = s.valueSources(out, f, v)
	return out, nil
}

// lastReadings is where the readings are by which a feed says something now. The value is there without it, and what the index does not
// have yet is left out.
func (s *Server) lastReadings(ctx context.Context, name string, f *streamv1.Feed, v index.FeedValue) map[tx.Address]index.Reading {
	if s.index == nil {
		return nil
	}
	rows, err := s.index.Latest(ctx, name, v.At+f.GetTerms().GetAheadMs())
	if err != nil {
		return nil
	}
	last := make(map[tx.Address]index.Reading, len(rows))
	for _, row := range rows {
		last[row.Device] = row
	}
	return last
}

// valueSources adds the sources, those that count first, and returns the lowest level among these.
func (s *Server) valueSources(out *apiv1.ValueResponse, f *streamv1.Feed, v index.FeedValue) string {
	st, _ := s.ledger.State()
	shown := newShown(st)
	lowest, first := devicev1.Level_LEVEL_UNSPECIFIED, true
	for _, counts := range []bool{true, false} {
		for _, source := range v.Sources {
			if (source.LeftOut == "") != counts || len(out.GetSources()) == maxSources {
				continue
			}
			if counts && (first || source.Level < lowest) {
				lowest, first = source.Level, false
			}
			shownSource := &apiv1.ValueSource{Device: source.Device.String(), LeftOut: source.LeftOut, Missing: source.Missing}
			if source.AnchoredAt != 0 {
				shownSource.Value, shownSource.TakenAt, shownSource.AnchoredAt = units(f, source.Value), timestamp(source.TakenAt), timestamp(source.AnchoredAt)
				shownSource.AgeMs, shownSource.Level = source.Age, knownName(source.Level)
				shownSource.Firmware, shownSource.FirmwareVersion = source.Firmware, shown.version(source.Device, source.Firmware)
			}
			if row, ok := v.Readings[source.Device]; ok && row.Taken == source.TakenAt {
				shownSource.Boot, shownSource.Sequence, shownSource.Transaction = row.Boot, row.Sequence, idText(row.Tx)
			}
			out.Sources = append(out.Sources, shownSource)
		}
	}
	return knownName(lowest)
}
