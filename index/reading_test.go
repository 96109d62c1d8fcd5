package index_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/state"
)

func newFleet(t *testing.T, l *indextest.Ledger) *indextest.Fleet {
	t.Helper()
	f, err := l.NewFleet()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// travelled is a fleet that has reported ten times, among them what is late, quarantined and refused.
func travelled(t *testing.T, l *indextest.Ledger) *indextest.Fleet {
	t.Helper()
	f := newFleet(t, l)
	for i := range int64(10) {
		must(t, f.Report(500+i))
	}
	car := f.Cars[0]
	odd := car.Source(f.Read(car, 510, 700_000), f.Read(car, 9999, 0), f.Read(car, 520, 0))
	odd.Readings = append(odd.GetReadings(), odd.GetReadings()[0])
	_, err := f.Anchor(odd)
	must(t, err)
	return f
}

// numbers are the sequence numbers of readings, in order.
func numbers(rows []index.Reading) (out []uint64) {
	for _, r := range rows {
		out = append(out, r.Sequence)
	}
	return out
}

func testReadings(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	f := travelled(t, l)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	car := f.Cars[0].Address
	ofCar := []index.Span{{Device: car, Until: 1 << 62}}
	all := paged(t, func(p index.Page) ([]index.Reading, string, error) {
		return x.Readings(t.Context(), index.ReadingFilter{Feed: indextest.Feed}, p)
	})
	if len(all) != 33 || !slices.IsSortedFunc(all, func(a, b index.Reading) int { return int(b.Taken - a.Taken) }) {
		t.Errorf("%d readings: %v", len(all), all)
	}
	for name, tc := range map[string]struct {
		filter index.ReadingFilter
		want   []uint64
	}{
		"of a device":   {index.ReadingFilter{Spans: ofCar}, []uint64{13, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 11}},
		"accepted":      {index.ReadingFilter{Spans: ofCar, Verdict: streamv1.Verdict_VERDICT_ACCEPTED}, []uint64{13, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
		"late":          {index.ReadingFilter{Verdict: streamv1.Verdict_VERDICT_LATE}, []uint64{11}},
		"quarantined":   {index.ReadingFilter{Verdict: streamv1.Verdict_VERDICT_QUARANTINED}, []uint64{12}},
		"refused":       {index.ReadingFilter{Verdict: streamv1.Verdict_VERDICT_REFUSED, Spans: ofCar}, []uint64{11}},
		"since":         {index.ReadingFilter{Spans: ofCar, Since: all[3].Taken}, []uint64{13, 12, 10}},
		"until":         {index.ReadingFilter{Spans: ofCar, Until: all[28].Taken + 1}, []uint64{2, 1, 11}},
		"of no device":  {index.ReadingFilter{Spans: []index.Span{}}, nil},
		"of two spans":  {index.ReadingFilter{Spans: []index.Span{{Device: car, Since: all[28].Taken, Until: all[28].Taken + 1}, {Device: car, Since: all[4].Taken, Until: 1 << 62, After: all[28].Taken + 1}}}, []uint64{13, 12, 10, 9, 2, 1, 11}},
		"another feed":  {index.ReadingFilter{Feed: "fleet.sped"}, nil},
		"a strange one": {index.ReadingFilter{Feed: "nul\x00"}, nil},
	} {
		if tc.filter.Feed == "" {
			tc.filter.Feed = indextest.Feed
		}
		rows := paged(t, func(p index.Page) ([]index.Reading, string, error) { return x.Readings(t.Context(), tc.filter, p) })
		if got := numbers(rows); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	if _, _, err := x.Readings(t.Context(), index.ReadingFilter{Feed: indextest.Feed, Spans: make([]index.Span, 257)}, index.Page{}); fault.Code(err) != "reading.too_many" {
		t.Error(err)
	}
	if _, _, err := x.Readings(t.Context(), index.ReadingFilter{Feed: indextest.Feed}, index.Page{Token: "AAAAAAAAAAAA"}); fault.Code(err) != "page.bad_token" {
		t.Error(err)
	}
	late, ok, err := x.FindReading(t.Context(), car, 1, 11) // once late, once refused as a replay
	if err != nil || !ok || late.Verdict != streamv1.Verdict_VERDICT_LATE || late.Value != (reading.Decimal{Mantissa: 51}) || late.Firmware != 1 || late.Level != 1 {
		t.Errorf("%+v, %v", late, err)
	}
	for _, n := range [][2]uint64{{1, 14}, {2, 1}, {1 << 63, 1}, {0, 0}} {
		if r, ok, err := x.FindReading(t.Context(), car, n[0], n[1]); ok || err != nil {
			t.Errorf("%v: %+v, %v", n, r, err)
		}
	}
}

// What an anchor's rows and raw bytes give is the root that the ledger has signed.
func testAnchorIsWhole(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	travelled(t, l)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	rows, _, err := x.Readings(t.Context(), index.ReadingFilter{Feed: indextest.Feed}, index.Page{Size: index.MaxPage})
	must(t, err)
	for _, r := range rows {
		e, err := l.Entries(r.Seq, 1)
		must(t, err)
		all, signed, err := x.AnchoredWith(t.Context(), r)
		if err != nil || len(all) != len(signed) || all[r.Position].Sequence != r.Sequence || [32]byte(e[0].Outcome.GetId()) != r.Tx {
			t.Fatalf("%+v: %d rows, %d signed, %v", r, len(all), len(signed), err)
		}
		var leaves [][32]byte
		for i, row := range all {
			leaves = append(leaves, merkle.LeafHash(reading.LeafData(row.Device, byte(row.Verdict)<<4|byte(row.Reason), byte(row.Level), row.Firmware, signed[i].Raw)))
		}
		for _, ev := range e[0].Outcome.GetEvents() {
			if a := ev.GetStreamAnchored(); a != nil && [32]byte(a.GetRoot()) != reading.Root(leaves) {
				t.Errorf("reading %d of outcome %d: another root", r.Position, r.Seq)
			}
		}
	}
}

func testValues(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	f := newFleet(t, l)
	x := open(t, place(t), l)
	value := func(at int64) index.FeedValue {
		t.Helper()
		catchUp(t, x, l)
		st, _, _ := l.State()
		feed, _ := index.ReadFeed(st, indextest.Feed)
		v, err := x.ValueAt(t.Context(), st, indextest.Feed, feed, at, 0)
		must(t, err)
		return v
	}
	// now is what the state says, and the index says the same.
	now := func() index.FeedValue {
		t.Helper()
		st, _, ms := l.State()
		v, w := index.ValueNow(st, indextest.Feed, ms, 0), value(ms)
		if v.Value != w.Value || v.Counted != w.Counted || (v.None == nil) != (w.None == nil) || v.None != nil && v.None.Code != w.None.Code {
			t.Errorf("the state says %+v, the index %+v", v, w)
		}
		return v
	}
	if v := now(); v.None == nil || v.None.Code != "stream.too_few" {
		t.Errorf("without readings: %+v", v)
	}
	must(t, f.Report(500))
	if v := now(); v.None != nil || v.Value != 510 || v.Counted != 3 {
		t.Errorf("three sources: %+v", v)
	}
	_, _, first := l.State()
	l.Wait(30_000)
	_, err := f.Anchor(f.Cars[0].Source(f.Read(f.Cars[0], 900, 0)))
	must(t, err)
	if v := now(); v.None == nil || v.None.Code != "stream.disagree" {
		t.Errorf("one that is far from the others: %+v", v)
	}
	l.Wait(40_000)
	if v := now(); v.None == nil || v.None.Code != "stream.stale" || v.Counted != 1 {
		t.Errorf("two are stale: %+v", v)
	}
	must(t, f.Report(600))
	_, _, second := l.State()
	if v := value(first); v.None != nil || v.Value != 510 || v.Readings[f.Cars[1].Address].Sequence != 1 {
		t.Errorf("in the past: %+v", v)
	}
	must(t, f.Attest(f.Cars[1], "forged"))
	if v := now(); v.None != nil || v.Value != 600 || v.Counted != 2 {
		t.Errorf("one is in doubt: %+v", v)
	}
	if v := value(first); v.None != nil || v.Value != 500 || v.Counted != 2 { // the doubt goes back to its last good evidence
		t.Errorf("in the past, with what is known today: %+v", v)
	}
	must(t, f.Attest(f.Cars[1], "image"))
	must(t, f.Report(650))
	if v := now(); v.None != nil || v.Value != 660 || v.Counted != 3 {
		t.Errorf("after its repair: %+v", v)
	}
	if v := value(second); v.None != nil || v.Value != 600 || v.Counted != 2 {
		t.Errorf("before its repair: %+v", v)
	}
}

// A reading that claims an earlier time than the ledger had it, or a later one, leaned on the device in between, and so did what was paid for it.
func testTaintOfOtherTimes(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	f := newFleet(t, l)
	l.Wait(10_000)
	car := f.Cars[0]
	must(t, f.Attest(car, "image"))
	_, err := f.Anchor(car.Source(f.Read(car, 500, 9_000)))
	must(t, err)
	l.Wait(130_000)
	must(t, f.Settle())
	_, err = f.Anchor(car.Source(f.Read(car, 501, -20_000)))
	must(t, err)
	must(t, f.Attest(car, "forged"))
	x := open(t, place(t), l)
	catchUp(t, x, l)
	st, _, now := l.State()
	d, _ := index.ReadDevice(st, car.Address)
	doubt := index.Span{Device: car.Address, Since: d.GetDoubts()[0].GetSince(), Until: now}
	rows, _, err := x.Readings(t.Context(), index.ReadingFilter{Feed: indextest.Feed, Spans: []index.Span{doubt}}, index.Page{})
	if err != nil || !slices.Equal(numbers(rows), []uint64{2, 1}) || rows[0].Taken < now || rows[1].Taken >= doubt.Since {
		t.Errorf("tainted: %+v, %v", rows, err)
	}
	paid, err := x.Settlements(t.Context(), doubt)
	if err != nil || len(paid) != 1 || paid[0].Paid != 1 || paid[0].First != rows[1].Taken || paid[0].Last != rows[1].Anchored {
		t.Fatalf("payments %+v, %v", paid, err)
	}
	// What was paid in a time is asked by when the ledger paid, whatever time the readings are of.
	for name, tc := range map[string]struct {
		filter index.PaymentFilter
		want   int
	}{
		"when it was paid":       {index.PaymentFilter{Device: &car.Address, Feed: indextest.Feed, Since: paid[0].Time, Until: paid[0].Time + 1}, 1},
		"before it was paid":     {index.PaymentFilter{Device: &car.Address, Until: paid[0].Time}, 0},
		"after it was paid":      {index.PaymentFilter{Feed: indextest.Feed, Since: paid[0].Time + 1}, 0},
		"when it was measured":   {index.PaymentFilter{Feed: indextest.Feed, Since: rows[1].Taken, Until: rows[1].Anchored + 1}, 0},
		"whenever":               {index.PaymentFilter{Feed: indextest.Feed}, 1},
		"of a feed there is not": {index.PaymentFilter{Feed: "no.such"}, 0},
		"of another car":         {index.PaymentFilter{Device: &f.Cars[1].Address}, 0},
	} {
		got := paged(t, func(p index.Page) ([]index.Settlement, string, error) { return x.Payments(t.Context(), tc.filter, p) })
		if len(got) != tc.want || len(got) > 0 && got[0] != paid[0] {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func testTaint(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	f := newFleet(t, l)
	must(t, f.Report(500))
	must(t, f.Report(510))
	l.Wait(130_000)
	must(t, f.Settle())
	must(t, f.Report(520))
	must(t, f.Attest(f.Cars[0], "forged"))
	x := open(t, place(t), l)
	catchUp(t, x, l)
	st, _, _ := l.State()
	d, _ := index.ReadDevice(st, f.Cars[0].Address)
	span := index.Span{Device: f.Cars[0].Address, Since: d.GetDoubts()[0].GetSince(), Until: 1 << 62}
	counts, err := x.CountReadings(t.Context(), indextest.Feed, span)
	if err != nil || len(counts) != 1 || counts[0].Readings != 3 || counts[0].Verdict != streamv1.Verdict_VERDICT_ACCEPTED || counts[0].First >= counts[0].Last {
		t.Errorf("counted %+v, %v", counts, err)
	}
	anchors, n, err := x.Anchors(t.Context(), indextest.Feed, span)
	if err != nil || n != 3 || len(anchors) != 3 || anchors[0].Seq < anchors[1].Seq || anchors[0].Readings != 1 {
		t.Errorf("anchors %+v of %d, %v", anchors, n, err)
	}
	paid, err := x.Settlements(t.Context(), span)
	if err != nil || len(paid) != 1 || paid[0].Paid != 2 || paid[0].Amount != "200" || paid[0].Asset != indextest.Asset {
		t.Errorf("payments %+v, %v", paid, err)
	}
	if assets, _, err := x.AssetsOf(t.Context(), f.Cars[0].Address, index.Page{}); err != nil || !slices.Equal(assets, []string{indextest.Asset}) {
		t.Errorf("what a car that was paid has: %v, %v", assets, err)
	}
	span.Until = span.Since
	if counts, err := x.CountReadings(t.Context(), indextest.Feed, span); err != nil || len(counts) != 0 {
		t.Errorf("of no time: %+v, %v", counts, err)
	}
	if feeds := paged(t, func(p index.Page) ([]string, string, error) {
		return x.Feeds(t.Context(), index.FeedFilter{Device: &f.Cars[0].Address}, p)
	}); !slices.Equal(feeds, []string{indextest.Feed}) {
		t.Errorf("feeds of a device: %v", feeds)
	}
	operator := indextest.Address(indextest.Person(1))
	if feeds, _, err := x.Feeds(t.Context(), index.FeedFilter{Operator: &operator}, index.Page{}); err != nil || len(feeds) != 1 {
		t.Errorf("feeds of an operator: %v, %v", feeds, err)
	}
}

// What devices signed goes when it is too old; what the readings say stays.
func testRawIsErased(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	f := travelled(t, l)
	k := place(t)
	x := open(t, k, l)
	catchUp(t, x, l)
	r, _, err := x.FindReading(t.Context(), f.Cars[0].Address, 1, 1)
	must(t, err)
	if _, _, err := x.AnchoredWith(t.Context(), r); err != nil {
		t.Error(err)
	}
	must(t, x.Close())
	x = open(t, k, l)
	x.KeepReadings(time.Hour) // all of it happened long ago
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Follow(ctx, l, slog.New(slog.DiscardHandler)) }()
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, _, err := x.AnchoredWith(t.Context(), r)
		if fault.Code(err) == "reading.erased" {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("still there: %v", err)
		}
	}
	cancel()
	must(t, <-done)
	if _, ok, err := x.FindReading(t.Context(), f.Cars[0].Address, 1, 1); !ok || err != nil {
		t.Errorf("the row is gone too: %v", err)
	}
	must(t, f.Report(505))
	catchUp(t, x, l)
	again, ok, err := x.FindReading(t.Context(), f.Cars[0].Address, 1, 14)
	if err != nil || !ok || again.Verdict != streamv1.Verdict_VERDICT_ACCEPTED {
		t.Errorf("a reading after that: %+v, %v", again, err)
	}
}

// Twenty verdicts are no address.
func TestVerdictsAreNoAccount(t *testing.T) {
	l := newLedger(t)
	f := newFleet(t, l)
	var raw [][]byte
	for range 20 {
		raw = append(raw, f.Read(f.Cars[0], 500, 0))
	}
	o, err := f.Anchor(f.Cars[0].Source(raw...))
	must(t, err)
	entries, err := l.Entries(o.GetSeq(), 1)
	must(t, err)
	if got := index.FactsOf(entries[0]).Accounts; len(got) != 2 {
		t.Errorf("accounts %v", got)
	}
}

// later is a ledger whose node began with a snapshot.
type later struct {
	watched
	first  uint64
	state  state.Reader
	before int64
}

func (s *later) First() uint64                      { return s.first }
func (s *later) Seed() (state.Reader, int64, error) { return s.state, s.before, nil }

// After a snapshot feeds and who reports to them are known, and readings from the first entry on.
func testFeedsAfterSnapshot(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	f := travelled(t, l)
	st, _, now := l.State()
	x := open(t, place(t), l)
	ctx, cancel := context.WithCancel(t.Context())
	src := &later{watched{l, x, cancel}, l.Size(), st, now + 1}
	must(t, f.Report(505))
	must(t, x.Follow(ctx, src, slog.New(slog.DiscardHandler)))
	feeds, _, err := x.Feeds(t.Context(), index.FeedFilter{Device: &f.Cars[2].Address}, index.Page{})
	if err != nil || !slices.Equal(feeds, []string{indextest.Feed}) {
		t.Errorf("feeds %v, %v", feeds, err)
	}
	rows, _, err := x.Readings(t.Context(), index.ReadingFilter{Feed: indextest.Feed}, index.Page{})
	if err != nil || len(rows) != 3 {
		t.Errorf("%d readings, %v", len(rows), err)
	}
	if last, err := x.Latest(t.Context(), indextest.Feed, 1<<62); err != nil || len(last) != 3 {
		t.Errorf("the last of each: %v, %v", last, err)
	}
}
