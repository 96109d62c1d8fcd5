package api

import (
	"cmp"
	"context"
	"slices"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/tx"
)

func (s *streamService) Taint(ctx context.Context, r *connect.Request[apiv1.TaintRequest]) (*connect.Response[apiv1.TaintResponse], error) {
	device, err := parseAddress("device", r.Msg.GetDevice())
	if err != nil {
		return nil, err
	}
	out, err := s.taint(ctx, device)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(out), nil
}

// taint is what leaned on a device in its times of doubt.
func (s *Server) taint(ctx context.Context, device tx.Address) (*apiv1.TaintResponse, error) {
	st, _ := s.ledger.State()
	d, ok := index.ReadDevice(st, device)
	if !ok {
		return nil, unknownDevice(device)
	}
	if s.index == nil {
		return nil, errNoIndex
	}
	out := &apiv1.TaintResponse{}
	for _, doubt := range d.GetDoubts() {
		out.Doubts = append(out.Doubts, doubtOf(doubt))
	}
	spans := doubtSpans(st, device)
	if len(spans) == 0 {
		return out, nil
	}
	feeds, _, err := s.index.Feeds(ctx, index.FeedFilter{Device: &device}, index.Page{Size: index.MaxPage})
	if err != nil {
		return nil, err
	}
	t := taint{x: s.index, out: out}
	for _, feed := range feeds {
		if err := t.feed(ctx, feed, spans); err != nil {
			return nil, err
		}
	}
	if err := t.settlements(ctx, spans); err != nil {
		return nil, err
	}
	t.finish()
	return out, nil
}

// taint collects what leaned on a device.
type taint struct {
	x       *index.Index
	out     *apiv1.TaintResponse
	anchors []taintedAnchor
	paid    []index.Settlement
}

type taintedAnchor struct {
	index.Anchor
	feed string
}

// feed adds a feed's readings of the times in doubt.
func (t *taint) feed(ctx context.Context, feed string, spans []index.Span) error {
	sum := &apiv1.TaintedFeed{Feed: feed}
	first, last := int64(0), int64(0)
	for _, span := range spans {
		counts, err := t.x.CountReadings(ctx, feed, span)
		if err != nil {
			return err
		}
		for _, c := range counts {
			switch c.Verdict {
			case streamv1.Verdict_VERDICT_ACCEPTED:
				sum.Accepted += c.Readings
			case streamv1.Verdict_VERDICT_LATE:
				sum.Late += c.Readings
			default:
				sum.Quarantined += c.Readings
			}
			if first == 0 || c.First < first {
				first = c.First
			}
			last = max(last, c.Last)
		}
		if len(counts) == 0 {
			continue
		}
		anchors, n, err := t.x.Anchors(ctx, feed, span)
		if err != nil {
			return err
		}
		t.out.AnchorCount += n
		for _, a := range anchors {
			t.anchors = append(t.anchors, taintedAnchor{a, feed})
		}
	}
	if first > 0 {
		sum.FirstAt, sum.LastAt = timestamp(first), timestamp(last)
		t.out.Feeds = append(t.out.Feeds, sum)
	}
	return nil
}

// settlements adds those of readings that may be of the times in doubt, each once.
func (t *taint) settlements(ctx context.Context, spans []index.Span) error {
	type place struct {
		seq   uint64
		event int
	}
	seen := map[place]bool{}
	for _, span := range spans {
		list, err := t.x.Settlements(ctx, span)
		if err != nil {
			return err
		}
		for _, p := range list {
			if !seen[place{p.Seq, p.Event}] {
				seen[place{p.Seq, p.Event}] = true
				t.paid = append(t.paid, p)
			}
		}
	}
	return nil
}

// finish puts the lists in order, the newest first, and bounds them.
func (t *taint) finish() {
	slices.SortStableFunc(t.anchors, func(a, b taintedAnchor) int { return cmp.Compare(b.Seq, a.Seq) })
	for _, a := range t.anchors[:min(len(t.anchors), index.MaxTaint)] {
		t.out.Anchors = append(t.out.Anchors, &apiv1.TaintedAnchor{Transaction: idText(a.Tx), Time: timestamp(a.Time), Readings: uint32(a.Readings), Feed: a.feed})
	}
	slices.SortStableFunc(t.paid, func(a, b index.Settlement) int { return cmp.Compare(b.Seq, a.Seq) })
	for _, p := range t.paid[:min(len(t.paid), index.MaxTaint)] {
		t.out.Settlements = append(t.out.Settlements, settlementOf(p))
	}
}
