package api_test

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
)

// fleet is a node whose ledger has cars that report.
func fleet(t *testing.T) (*node, *indextest.Fleet, apiv1connect.StreamServiceClient) {
	t.Helper()
	n := start(t)
	f, err := n.NewFleet()
	if err != nil {
		t.Fatal(err)
	}
	return n, f, apiv1connect.NewStreamServiceClient(n.client, n.url)
}

// ask calls a method that must answer.
func ask[Req, Res any](t *testing.T, call func(*connect.Request[Req]) (*connect.Response[Res], error), r *Req) *Res {
	t.Helper()
	res, err := call(connect.NewRequest(r))
	if err != nil {
		t.Fatal(err)
	}
	return res.Msg
}

func (n *node) at() string {
	_, _, ms := n.Ledger.State()
	return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFeeds(t *testing.T) {
	n, f, c := fleet(t)
	ok(t, f.Report(500))
	first := n.at()
	car := f.Cars[0]
	car.Sequence += 3 // three numbers that never come
	_, err := f.Anchor(car.Source(f.Read(car, 9990, 0)))
	ok(t, err)
	n.Wait(130_000)
	ok(t, f.Settle())
	ok(t, f.Report(600))
	second := n.at()
	ok(t, f.Attest(car, "forged"))
	n.indexed(t)

	getFeed := func(r *connect.Request[apiv1.GetFeedRequest]) (*connect.Response[apiv1.GetFeedResponse], error) {
		return c.GetFeed(t.Context(), r)
	}
	got := ask(t, getFeed, &apiv1.GetFeedRequest{Feed: indextest.Feed})
	feed := got.GetFeed()
	if feed.GetTitle() != "차량 속도" || feed.GetLeast() != "0.0" || feed.GetMost() != "250.0" || feed.GetMaxDeviation() != "20.0" || feed.GetMaxRate() != "" ||
		feed.GetPremium().GetAmount() != "100" || feed.GetFunds() != "9700" || feed.GetDevices() != 3 || feed.GetClosedAt() != "" {
		t.Errorf("feed %v", feed)
	}
	i := slices.IndexFunc(got.GetSources(), func(s *apiv1.FeedSource) bool { return s.GetDevice() == car.Address.String() })
	if len(got.GetSources()) != 3 || i < 0 {
		t.Fatalf("sources %v", got.GetSources())
	}
	s := got.GetSources()[i]
	if s.GetValue() != "60.0" || s.GetAccepted() != 2 || s.GetQuarantined() != 1 || s.GetPaid() != 1 || s.GetDue() != 1 || s.GetMissing() != 3 || s.GetFirmwareVersion() != "1.0" ||
		s.GetLevel() != "self_reported" || s.GetDoubt() == "" || len(s.GetGaps()) != 1 || s.GetGaps()[0].GetFirst() != 2 || s.GetGaps()[0].GetLast() != 4 {
		t.Errorf("source %v", s)
	}
	if q := got.GetQuarantine(); len(q) != 1 || q[0].GetReason() != "range" || q[0].GetValue() != "999.0" || q[0].GetSequence() != 5 || q[0].GetDeadline() == "" {
		t.Errorf("quarantine %v", q)
	}

	value := func(at string) *apiv1.ValueResponse {
		t.Helper()
		res, err := c.Value(t.Context(), connect.NewRequest(&apiv1.ValueRequest{Feed: indextest.Feed, At: at}))
		ok(t, err)
		return res.Msg
	}
	if v := value(first); !v.GetOk() || v.GetValue() != "51.0" || v.GetUnit() != "km/h" || v.GetCounted() != 2 || v.GetLevel() != "self_reported" || v.GetCode() != "" {
		t.Errorf("at first: %v", v)
	}
	v := value(second)
	if !v.GetOk() || v.GetValue() != "61.0" || len(v.GetSources()) != 3 || v.GetSources()[0].GetTransaction() == "" || v.GetSources()[0].GetLeftOut() != "" ||
		v.GetSources()[2].GetDevice() != car.Address.String() || v.GetSources()[2].GetLeftOut() == "" {
		t.Errorf("in the end: %v", v)
	}
	if v := value(""); v.GetOk() || v.GetCode() != "stream.stale" && v.GetCode() != "stream.too_few" || v.GetReason() == "" { // by the clock it is long ago
		t.Errorf("now: %v", v)
	}

	list := ask(t, func(r *connect.Request[apiv1.ListFeedsRequest]) (*connect.Response[apiv1.ListFeedsResponse], error) {
		return c.ListFeeds(t.Context(), r)
	}, &apiv1.ListFeedsRequest{Device: car.Address.String()})
	if len(list.GetFeeds()) != 1 || list.GetFeeds()[0].GetFeed() != indextest.Feed {
		t.Errorf("feeds of a car: %v", list)
	}
	for name, err := range map[string]error{
		"unknown":       errorOf(c.GetFeed(t.Context(), connect.NewRequest(&apiv1.GetFeedRequest{Feed: "no.such"}))),
		"unknown value": errorOf(c.Value(t.Context(), connect.NewRequest(&apiv1.ValueRequest{Feed: "no.such"}))),
	} {
		if connect.CodeOf(err) != connect.CodeNotFound || detail(t, err).GetCode() != "stream.unknown" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"time":    errorOf(c.Value(t.Context(), connect.NewRequest(&apiv1.ValueRequest{Feed: indextest.Feed, At: "noon"}))),
		"age":     errorOf(c.Value(t.Context(), connect.NewRequest(&apiv1.ValueRequest{Feed: indextest.Feed, MaxAgeMs: -1}))),
		"verdict": errorOf(c.ListReadings(t.Context(), connect.NewRequest(&apiv1.ListReadingsRequest{Feed: indextest.Feed, Verdict: "good"}))),
		"both":    errorOf(c.ListFeeds(t.Context(), connect.NewRequest(&apiv1.ListFeedsRequest{Device: car.Address.String(), Operator: car.Address.String()}))),
	} {
		if connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func errorOf[T any](_ *connect.Response[T], err error) error { return err }

func TestReadingsAndTaint(t *testing.T) {
	n, f, c := fleet(t)
	ok(t, f.Report(500))
	n.Wait(130_000)
	ok(t, f.Settle())
	car := f.Cars[1]
	ok(t, f.Attest(car, "image"))
	n.Wait(1000) // what is taken at the time of good evidence is not in doubt
	ok(t, f.Report(600))
	ok(t, f.Attest(car, "forged"))
	n.indexed(t)
	readings := func(r *apiv1.ListReadingsRequest) []*apiv1.Reading {
		t.Helper()
		r.Feed = indextest.Feed
		res, err := c.ListReadings(t.Context(), connect.NewRequest(r))
		ok(t, err)
		return res.Msg.GetReadings()
	}
	if all := readings(&apiv1.ListReadingsRequest{}); len(all) != 6 {
		t.Errorf("all: %v", all)
	}
	of := readings(&apiv1.ListReadingsRequest{Device: car.Address.String()})
	if len(of) != 2 || of[0].GetDoubt() == "" || of[0].GetConfirmed() || of[1].GetDoubt() != "" || !of[1].GetConfirmed() || of[0].GetValue() != "61.0" || of[0].GetVerdict() != "accepted" {
		t.Errorf("of a car: %v", of)
	}
	for _, r := range []*apiv1.ListReadingsRequest{{Tainted: true}, {Tainted: true, Device: car.Address.String()}} {
		if tainted := readings(r); len(tainted) != 1 || tainted[0].GetSequence() != 2 {
			t.Errorf("tainted: %v", tainted)
		}
	}
	if none := readings(&apiv1.ListReadingsRequest{Tainted: true, Device: f.Cars[0].Address.String()}); len(none) != 0 {
		t.Errorf("of a good car: %v", none)
	}
	one, err := c.GetReading(t.Context(), connect.NewRequest(&apiv1.GetReadingRequest{Device: car.Address.String(), Boot: 1, Sequence: 2}))
	ok(t, err)
	if r := one.Msg.GetReading(); r.GetTransaction() != of[0].GetTransaction() || len(one.Msg.GetRaw()) == 0 || len(one.Msg.GetProof()) != 0 {
		t.Errorf("one: %v", one.Msg)
	}
	if err := errorOf(c.GetReading(t.Context(), connect.NewRequest(&apiv1.GetReadingRequest{Device: car.Address.String(), Boot: 1, Sequence: 3}))); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("one that is not there: %v", err)
	}

	taint := func(device string) *apiv1.TaintResponse {
		t.Helper()
		res, err := c.Taint(t.Context(), connect.NewRequest(&apiv1.TaintRequest{Device: device}))
		ok(t, err)
		return res.Msg
	}
	if v := taint(car.Address.String()); len(v.GetDoubts()) != 1 || len(v.GetFeeds()) != 1 || v.GetFeeds()[0].GetAccepted() != 1 || v.GetAnchorCount() != 1 ||
		v.GetAnchors()[0].GetTransaction() != of[0].GetTransaction() || len(v.GetSettlements()) != 0 {
		t.Errorf("taint of the forged car: %v", v)
	}
	if v := taint(f.Cars[0].Address.String()); len(v.GetDoubts()) != 0 || len(v.GetFeeds()) != 0 {
		t.Errorf("taint of a good car: %v", v)
	}
	ok(t, f.Attest(f.Cars[0], "forged")) // in doubt since its first evidence: what was paid leaned on it
	if v := taint(f.Cars[0].Address.String()); len(v.GetSettlements()) != 1 || v.GetSettlements()[0].GetPaid() != 1 || v.GetSettlements()[0].GetAmount() != "100" || v.GetAnchorCount() != 2 {
		t.Errorf("taint of a car that was paid: %v", v)
	}
	paid, err := c.ListSettlements(t.Context(), connect.NewRequest(&apiv1.ListSettlementsRequest{Feed: indextest.Feed, Device: f.Cars[0].Address.String()}))
	ok(t, err)
	if list := paid.Msg.GetSettlements(); len(list) != 1 || list[0].GetDevice() != f.Cars[0].Address.String() || list[0].GetTime() == "" || list[0].GetFeed() != indextest.Feed {
		t.Errorf("payments: %v", list)
	}
	for name, r := range map[string]*apiv1.ListSettlementsRequest{"of nobody": {}, "of no time": {Feed: indextest.Feed, Since: "soon"}} {
		if err := errorOf(c.ListSettlements(t.Context(), connect.NewRequest(r))); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("payments %s: %v", name, err)
		}
	}
	if err := errorOf(c.Taint(t.Context(), connect.NewRequest(&apiv1.TaintRequest{Device: person(0).String()}))); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("taint of no device: %v", err)
	}
}

func TestFeedPages(t *testing.T) {
	n, f, _ := fleet(t)
	ok(t, f.Report(500))
	car := f.Cars[0]
	car.Sequence += 2
	o, err := f.Anchor(car.Source(f.Read(car, 9990, 0), f.Read(car, 500, 0)))
	ok(t, err)
	ok(t, f.Attest(f.Cars[1], "forged"))
	appeal, err := n.Do([]*txv1.Action{{Actor: car.Address[:], Call: &txv1.Action_StreamAppeal{StreamAppeal: &streamv1.Appeal{
		Feed: indextest.Feed, Device: car.Address[:], Boot: 1, Sequence: car.Sequence - 1, Reason: "긴급 제동"}}}}, car.Signer)
	if ok(t, err); appeal.GetRefusal() != nil {
		t.Fatal(appeal.GetRefusal())
	}
	n.cosigner = car.Address
	n.indexed(t)
	n.showsAll(t, map[string][]string{
		"/feed/" + indextest.Feed:                             {"차량 속도", "범위를 벗어남", "믿을 수 없음", "999.0", "인정", "1.00", car.Address.String(), "격리"},
		"/feed/" + indextest.Feed + "?lang=en":                {"Out of range", "In doubt", "No answer", "Quarantine", "Funds left"},
		"/account/" + car.Address.String():                    {"차량 속도", "결번", "/feed/" + indextest.Feed, "2 – 3", "격리", "범위를 벗어남", "긴급 제동", "증인으로 연서", "car.example", "12 / 15", "/block/41"},
		"/account/" + car.Address.String() + "?lang=en":       {"Maker", "Owner", "Firmware", "Self-reported", "Gaps", "Quarantine", "Out of range", "As a witness"},
		"/account/" + f.Cars[1].Address.String():              {"정지됨", "제조사가 등록하지 않은 펌웨어", "마지막으로 확인된 펌웨어", "부터 이 기기가 보낸 것은 믿을 수 없습니다", "믿을 수 없게 된 계측값"},
		"/account/" + f.Cars[1].Address.String() + "?lang=en": {"Suspended", "on, nothing that the device says may be relied on", "Readings of these times", "no cosignature at this node"},
		"/account/" + person(1).String():                      {"운영하는 피드", "/feed/" + indextest.Feed},
		"/tx/" + hex.EncodeToString(o.GetId()):                {"quarantined range, accepted", "계측값 고정", car.Address.String()},
		"/":                                                   {"/feed/" + indextest.Feed, "계측값 고정"},
		"/search?q=" + indextest.Feed:                         {"차량 속도"},
	})
	if res, _ := n.get(t, "/feed/no.such"); res.StatusCode != 404 {
		t.Errorf("no such feed: %s", res.Status)
	}
	if res, _ := n.get(t, "/feed/"+indextest.Feed+"?page=bad"); res.StatusCode != 400 {
		t.Errorf("a bad page: %s", res.Status)
	}
}
