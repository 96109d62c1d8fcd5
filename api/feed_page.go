package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dureledger/dure/api/web"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// shownFeeds is how many feeds a page that is about something else lists.
const shownFeeds = 20

func (s *Server) feedPage(r *http.Request) (string, any, error) {
	name := r.PathValue("feed")
	res, err := s.feed(name)
	if err != nil {
		return "", nil, err
	}
	v, err := s.feedView(r.Context(), res)
	if err != nil || s.index == nil {
		return name, v, err
	}
	_, v.ErasedUntil = s.index.Missing()
	v.Recent, v.Next, err = s.readingRows(r.Context(), name, r.URL.Query().Get("page"))
	return name, v, err
}

func (s *Server) feedView(ctx context.Context, res *apiv1.GetFeedResponse) (web.Feed, error) {
	f := res.GetFeed()
	st, _ := s.ledger.State()
	v := web.Feed{
		FeedLink: feedLink(f), Operator: party(st, f.GetOperator()), OpenedAt: milliseconds(f.GetOpenedAt()), ClosedAt: milliseconds(f.GetClosedAt()),
		Least: f.GetLeast(), Most: f.GetMost(), MaxRate: f.GetMaxRate(), MaxDeviation: f.GetMaxDeviation(), MinSources: f.GetMinSources(), MinLevel: f.GetMinLevel(),
		Stale: spanText(f.GetStaleMs()), Late: spanText(f.GetLateMs()), Ahead: spanText(f.GetAheadMs()), Appeal: spanText(f.GetAppealMs()),
	}
	if p := f.GetPremium(); p != nil {
		v.Premium, v.Funds = amountOf(st, p.GetAmount(), p.GetAsset()), amountOf(st, f.GetFunds(), p.GetAsset())
		v.Dispute, v.Confirmed = spanText(p.GetDisputeMs()), p.GetConfirmed()
		if p.GetEveryMs() > 0 {
			v.Every = spanText(p.GetEveryMs())
		}
	}
	now, err := s.feedValue(ctx, f.GetFeed(), 0, 0)
	if err != nil {
		return v, err
	}
	v.Value = web.FeedValue{At: milliseconds(now.GetAt()), Value: now.GetValue(), Code: now.GetCode(), Message: now.GetReason(), Counted: int(now.GetCounted()), Level: now.GetLevel()}
	leftOut := map[string]string{}
	for _, source := range now.GetSources() {
		leftOut[source.GetDevice()] = source.GetLeftOut()
	}
	for _, source := range res.GetSources() {
		shown := sourceView(f, source, leftOut[source.GetDevice()])
		shown.Serial = serialOf(st, source.GetDevice())
		if device, err := tx.ParseAddress(source.GetDevice()); err == nil && source.GetDoubt() != "" {
			d, _ := index.ReadDevice(st, device)
			shown.Finding = knownName(index.RelyOn(d, shown.Taken, milliseconds(source.GetAnchoredAt())).Doubt.GetFinding())
		}
		v.Sources = append(v.Sources, shown)
	}
	for _, q := range res.GetQuarantine() {
		v.Quarantine = append(v.Quarantine, web.Quarantined{
			Device: q.GetDevice(), Serial: serialOf(st, q.GetDevice()), Value: q.GetValue(), Reason: q.GetReason(), Boot: q.GetBoot(), Sequence: q.GetSequence(), Taken: milliseconds(q.GetTakenAt()),
			Deadline: milliseconds(q.GetDeadline()), AppealedBy: q.GetAppealedBy(), Appeal: q.GetAppeal(),
		})
	}
	return v, nil
}

// serialOf is the maker's serial number of a device, which people know it by.
func serialOf(st state.Reader, device string) string {
	a, err := tx.ParseAddress(device)
	if err != nil {
		return ""
	}
	d, _ := index.ReadDevice(st, a)
	return d.GetSerial()
}

func feedLink(f *apiv1.Feed) web.FeedLink {
	return web.FeedLink{Feed: f.GetFeed(), Title: f.GetTitle(), Unit: f.GetUnit(), Devices: f.GetDevices(), Closed: f.GetClosedAt() != ""}
}

// sourceView shows a source; why says in words why it does not count; empty: it does.
func sourceView(f *apiv1.Feed, s *apiv1.FeedSource, why string) web.FeedSource {
	v := web.FeedSource{
		Device: s.GetDevice(), Value: s.GetValue(), Taken: milliseconds(s.GetTakenAt()), Age: ageText(s.GetAgeMs()), Firmware: ranText(s.GetFirmware(), s.GetFirmwareVersion()),
		Level: s.GetLevel(), Accepted: s.GetAccepted(), Late: s.GetLate(), Quarantined: s.GetQuarantined(), Refused: s.GetRefused(),
		Due: s.GetDue(), Paid: s.GetPaid(), Forfeited: s.GetForfeited(), Missing: s.GetMissing(),
	}
	switch {
	case s.GetDismissedAt() != "":
		v.LeftOut = "dismissed"
	case s.GetTakenAt() == "":
		v.LeftOut = "none"
	case s.GetDoubt() != "":
		v.LeftOut, v.Doubt = "in_doubt", s.GetDoubt()
	case s.GetAgeMs() > f.GetStaleMs():
		v.LeftOut = "stale"
	case why != "": // all other reasons are above
		v.LeftOut = "level"
	}
	return v
}

// readingRows is a page of a feed's readings, refused ones left out.
func (s *Server) readingRows(ctx context.Context, feed, token string) ([]web.Reading, string, error) {
	st, _ := s.ledger.State()
	f, ok := index.ReadFeed(st, feed)
	if !ok {
		return nil, "", fault.New("stream.unknown", "this ledger has no such feed")
	}
	rows, next, err := s.index.Readings(ctx, index.ReadingFilter{Feed: feed}, index.Page{Size: recentRows, Token: token})
	if err != nil {
		return nil, "", err
	}
	shown := newShown(st)
	var out []web.Reading
	for _, row := range rows {
		r := readingOf(shown, f, row)
		out = append(out, web.Reading{
			Device: r.GetDevice(), Serial: serialOf(st, r.GetDevice()), Value: r.GetValue(), Verdict: r.GetVerdict(), Reason: r.GetReason(), Boot: r.GetBoot(), Sequence: r.GetSequence(), Taken: row.Taken,
			Firmware: ranText(r.GetFirmware(), r.GetFirmwareVersion()), Doubt: r.GetDoubt(), Transaction: r.GetTransaction(), Confirmed: r.GetConfirmed(),
		})
	}
	return out, next, nil
}

// feedLinks is the first feeds of a list, none when there is no index to ask.
func (s *Server) feedLinks(ctx context.Context, f index.FeedFilter) []web.FeedLink {
	if s.index == nil {
		return nil
	}
	feeds, _, err := s.feeds(ctx, f, index.Page{Size: shownFeeds})
	if err != nil {
		s.log.Warn("the feeds could not be listed", "error", err)
		return nil
	}
	out := make([]web.FeedLink, 0, len(feeds))
	for _, f := range feeds {
		out = append(out, feedLink(f))
	}
	return out
}

// deviceTaint adds to the page of a device what leaned on it in its times of doubt, when there is an index to ask.
func (s *Server) deviceTaint(ctx context.Context, st state.Reader, a tx.Address, d *web.Device) {
	if len(d.Doubts) == 0 || s.index == nil {
		return
	}
	t, err := s.taint(ctx, a)
	if err != nil {
		s.log.Warn("what leaned on a device could not be listed", "device", a, "error", err)
		return
	}
	for _, f := range t.GetFeeds() {
		d.Tainted = append(d.Tainted, web.Tainted{
			Feed: f.GetFeed(), Accepted: f.GetAccepted(), Late: f.GetLate(), Quarantined: f.GetQuarantined(), First: milliseconds(f.GetFirstAt()), Last: milliseconds(f.GetLastAt()),
		})
	}
	for _, p := range t.GetSettlements()[:min(len(t.GetSettlements()), recentRows)] {
		d.Payments = append(d.Payments, web.Payment{
			Feed: p.GetFeed(), Time: milliseconds(p.GetTime()), Paid: p.GetPaid(), Forfeited: p.GetForfeited(), Amount: amountOf(st, p.GetAmount(), p.GetAsset()), Transaction: p.GetTransaction(),
		})
	}
}

// deviceFeeds adds to the page of a device what it reports.
func (s *Server) deviceFeeds(ctx context.Context, st state.Reader, a tx.Address, d *web.Device) {
	head, _ := index.ReadHead(st, a)
	d.Missing = head.GetMissing()
	for _, g := range head.GetGaps() {
		d.Gaps = append(d.Gaps, web.Gap{Boot: g.GetBoot(), First: g.GetFirst(), Last: g.GetLast(), SeenAt: g.GetSeenAt()})
	}
	for _, link := range s.feedLinks(ctx, index.FeedFilter{Device: &a}) {
		f, _ := index.ReadFeed(st, link.Feed)
		r, ok := index.ReadReport(st, link.Feed, a)
		if !ok {
			continue
		}
		shown := web.DeviceFeed{
			FeedLink: link, Taken: r.GetTakenAt(), Accepted: r.GetAccepted(), Late: r.GetLate(), Quarantined: r.GetQuarantined(), Refused: r.GetRefused(),
			Paid: r.GetPaid(), Forfeited: r.GetForfeited(), Dismissed: r.GetDismissedAt() != 0,
		}
		if r.GetTakenAt() != 0 {
			shown.Value = units(f, r.GetValue())
		}
		for _, due := range r.GetDue() {
			shown.Due += due.GetReadings()
		}
		d.Feeds = append(d.Feeds, shown)
		s.deviceQuarantine(st, a, link, f, d)
	}
}

// deviceQuarantine adds what waits of a device in a feed's quarantine.
func (s *Server) deviceQuarantine(st state.Reader, a tx.Address, link web.FeedLink, f *streamv1.Feed, d *web.Device) {
	now := s.ledger.Status().Time.UnixMilli()
	index.ReadQuarantineOf(st, link.Feed, a, func(id index.ReadingID, q *streamv1.Quarantined) bool {
		if now <= q.GetDeadline() { // else it stays out, and nobody has looked since
			d.Quarantine = append(d.Quarantine, web.Quarantined{
				Feed: link, Value: units(f, q.GetValue()), Reason: knownName(q.GetReason()), Boot: id.Boot, Sequence: id.Sequence, Taken: q.GetTakenAt(),
				Deadline: q.GetDeadline(), AppealedBy: address(q.GetAppealedBy()), Appeal: q.GetAppeal(),
			})
		}
		return true
	})
}

// ranText is a firmware by the maker's version, or by its number.
func ranText(number uint64, version string) string {
	if number == 0 || version != "" {
		return version
	}
	return strconv.FormatUint(number, 10)
}

// ageText is a short time to the second, spanText a time as it was set, without zeros at the end.
func ageText(ms int64) string { return spanText((ms + 500) / 1000 * 1000) }

func spanText(ms int64) string {
	text := (time.Duration(ms) * time.Millisecond).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
