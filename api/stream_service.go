package api

import (
	"context"
	"encoding/hex"
	"math"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// streamService is dure.api.v1.StreamService. What is so now it answers from the state, what was from the index.
type streamService struct{ *Server }

// maxSources and maxQuarantine bound an answer.
const (
	maxSources    = 1000
	maxQuarantine = 1000
)

// findFeed is a feed that must be there. Code stream.unknown.
func (s *Server) findFeed(st state.Reader, name string) (*streamv1.Feed, error) {
	if err := bounded("feed", name); err != nil {
		return nil, err
	}
	f, ok := index.ReadFeed(st, name)
	if !ok {
		return nil, fault.New("stream.unknown", "this ledger has no feed "+printable(name), "feed", name)
	}
	return f, nil
}

func (s *streamService) GetFeed(_ context.Context, r *connect.Request[apiv1.GetFeedRequest]) (*connect.Response[apiv1.GetFeedResponse], error) {
	res, err := s.feed(r.Msg.GetFeed())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(res), nil
}

// feed is a feed with its sources and its quarantine.
func (s *Server) feed(name string) (*apiv1.GetFeedResponse, error) {
	st, _ := s.ledger.State()
	f, err := s.findFeed(st, name)
	if err != nil {
		return nil, err
	}
	out := &apiv1.GetFeedResponse{Feed: feedOf(name, f)}
	shown := newShown(st)
	index.ReadReports(st, name, func(device tx.Address, report *streamv1.Report) bool {
		out.Sources = append(out.Sources, s.sourceOf(shown, f, device, report))
		return len(out.Sources) < maxSources
	})
	now := s.ledger.Status().Time.UnixMilli()
	index.ReadQuarantine(st, name, func(id index.ReadingID, q *streamv1.Quarantined) bool {
		if now > q.GetDeadline() { // it stays out, and nobody has looked since
			return true
		}
		out.Quarantine = append(out.Quarantine, &apiv1.QuarantinedReading{
			Device: id.Device.String(), Boot: id.Boot, Sequence: id.Sequence, Reason: knownName(q.GetReason()), Value: units(f, q.GetValue()),
			TakenAt: timestamp(q.GetTakenAt()), AnchoredAt: timestamp(q.GetAnchoredAt()), Deadline: timestamp(q.GetDeadline()),
			AppealedBy: address(q.GetAppealedBy()), Appeal: q.GetAppeal(),
		})
		return len(out.Quarantine) < maxQuarantine
	})
	return out, nil
}

func (s *streamService) ListFeeds(ctx context.Context, r *connect.Request[apiv1.ListFeedsRequest]) (*connect.Response[apiv1.ListFeedsResponse], error) {
	var f index.FeedFilter
	var err error
	if f.Operator, err = optionalAddress("operator", r.Msg.GetOperator()); err != nil {
		return nil, err
	}
	if f.Device, err = optionalAddress("device", r.Msg.GetDevice()); err != nil {
		return nil, err
	}
	if f.Operator != nil && f.Device != nil {
		return nil, fault.New("request.malformed", "ask for an operator's feeds or a device's, not for both at once", "field", "device")
	}
	feeds, next, err := s.feeds(ctx, f, page(r.Msg))
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.ListFeedsResponse{Feeds: feeds, NextPageToken: next}), nil
}

func (s *Server) feeds(ctx context.Context, f index.FeedFilter, p index.Page) ([]*apiv1.Feed, string, error) {
	if s.index == nil {
		return nil, "", errNoIndex
	}
	names, next, err := s.index.Feeds(ctx, f, p)
	if err != nil {
		return nil, "", err
	}
	st, _ := s.ledger.State()
	var out []*apiv1.Feed
	for _, name := range names {
		if f, ok := index.ReadFeed(st, name); ok {
			out = append(out, feedOf(name, f))
		}
	}
	return out, next, nil
}

func (s *streamService) ListReadings(ctx context.Context, r *connect.Request[apiv1.ListReadingsRequest]) (*connect.Response[apiv1.ListReadingsResponse], error) {
	st, _ := s.ledger.State()
	feed, err := s.findFeed(st, r.Msg.GetFeed())
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return nil, errNoIndex
	}
	f, err := readingFilter(st, r.Msg)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.index.Readings(ctx, f, page(r.Msg))
	if err != nil {
		return nil, err
	}
	_, missing := s.index.Missing()
	out := &apiv1.ListReadingsResponse{NextPageToken: next, ErasedUntil: timestamp(missing)}
	shown := newShown(st)
	for _, row := range rows {
		out.Readings = append(out.Readings, readingOf(shown, feed, row))
	}
	return connect.NewResponse(out), nil
}

func readingFilter(st state.Reader, m *apiv1.ListReadingsRequest) (f index.ReadingFilter, err error) {
	f.Feed = m.GetFeed()
	if f.Since, err = parseTime("since", m.GetSince()); err != nil {
		return f, err
	}
	if f.Until, err = parseTime("until", m.GetUntil()); err != nil {
		return f, err
	}
	if f.Verdict, err = parseVerdict(m.GetVerdict()); err != nil {
		return f, err
	}
	device, err := optionalAddress("device", m.GetDevice())
	switch {
	case err != nil:
		return f, err
	case device != nil && m.GetTainted():
		f.Spans = append([]index.Span{}, doubtSpans(st, *device)...)
	case device != nil:
		f.Spans = []index.Span{{Device: *device, Until: math.MaxInt64}}
	case m.GetTainted():
		f.Spans = []index.Span{}
		index.ReadReports(st, f.Feed, func(device tx.Address, _ *streamv1.Report) bool {
			f.Spans = append(f.Spans, doubtSpans(st, device)...)
			return len(f.Spans) <= index.MaxSpans
		})
	}
	return f, nil
}

// doubtSpans are the times in which a device is in doubt.
func doubtSpans(st state.Reader, device tx.Address) (out []index.Span) {
	d, _ := index.ReadDevice(st, device)
	after := int64(0)
	for _, doubt := range d.GetDoubts() {
		span := index.Span{Device: device, Since: doubt.GetSince(), Until: doubt.GetUntil(), After: after}
		if span.Until == 0 {
			span.Until = math.MaxInt64
		}
		out, after = append(out, span), span.Until
	}
	return out
}

func (s *streamService) GetReading(ctx context.Context, r *connect.Request[apiv1.GetReadingRequest]) (*connect.Response[apiv1.GetReadingResponse], error) {
	device, err := parseAddress("device", r.Msg.GetDevice())
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return nil, errNoIndex
	}
	row, ok, err := s.index.FindReading(ctx, device, r.Msg.GetBoot(), r.Msg.GetSequence())
	if err != nil {
		return nil, err
	}
	if !ok {
		message := "no reading of this number of the device is anchored here"
		if _, until := s.index.Missing(); until != 0 {
			message += ", or it was anchored until " + timestamp(until) + " and erased before this node's index was made; ask another member's node"
		}
		return nil, fault.New("reading.unknown", message, "device", device, "boot", r.Msg.GetBoot(), "sequence", r.Msg.GetSequence())
	}
	st, _ := s.ledger.State()
	feed, _ := index.ReadFeed(st, row.Feed)
	out := &apiv1.GetReadingResponse{Reading: readingOf(newShown(st), feed, row)}
	if !r.Msg.GetProof() {
		signed, err := s.index.SignedAs(ctx, row)
		if err != nil && fault.Code(err) != "reading.erased" {
			return nil, err
		}
		out.Raw = signed.Raw
		return connect.NewResponse(out), nil
	}
	rows, signed, err := s.index.AnchoredWith(ctx, row)
	if err != nil {
		return nil, err
	}
	if len(rows) != len(signed) || int(row.Position) >= len(rows) {
		return nil, fault.New("internal", "the index does not hold the whole anchor of a reading; rebuild it")
	}
	out.Raw = signed[row.Position].Raw
	out.Proof, err = s.proveReading(ctx, row, rows, signed, r.Msg.GetTrustedHeight())
	return connect.NewResponse(out), err
}

// proveReading makes the file that proves one of an anchor's readings to whoever trusts the header of a height.
func (s *Server) proveReading(ctx context.Context, row index.Reading, rows []index.Reading, signed []index.Signed, trusted int64) ([]byte, error) {
	file, err := s.ledger.Receipt(ctx, row.Tx, trusted)
	if err != nil {
		return nil, err
	}
	receipt, err := proof.DecodeReceipt(file)
	if err != nil {
		return nil, err
	}
	receipt.Transaction = nil // it has the other readings
	if file, err = receipt.Encode(); err != nil {
		return nil, err
	}
	leaves := make([][32]byte, len(rows))
	for i, r := range rows {
		leaves[i] = merkle.LeafHash(reading.LeafData(r.Device, verdictByte(r), byte(r.Level), r.Firmware, signed[i].Raw))
	}
	p := &proof.Reading{
		Device: row.Device, Verdict: verdictByte(row), Level: byte(row.Level), Firmware: row.Firmware, Message: signed[row.Position].Raw, Key: signed[row.Position].Key,
		Action: row.Action, Index: row.Position, Size: uint32(len(rows)), Path: reading.Path(leaves, int(row.Position)), Receipt: file,
	}
	return p.Encode()
}

// verdictByte is verdict and reason as the ledger writes them.
func verdictByte(r index.Reading) byte { return byte(r.Verdict)<<4 | byte(r.Reason) }

func idText(id [32]byte) string { return hex.EncodeToString(id[:]) }
