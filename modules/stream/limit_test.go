package stream_test

import (
	"crypto/sha256"
	"fmt"
	"math"
	"testing"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/stream"
)

// road is a ledger with a feed of busan's that pays 1 krw a reading after a day, and a car that reports to it.
func road(t testing.TB, terms string) *moduletest.Ledger {
	t.Helper()
	l, err := moduletest.Play(
		"seoul account.open key=maker", "seoul account.open key=car",
		"maker device.register_model model=m title=M", "maker device.register_firmware model=m number=1 version=1 digest=image",
		"signed by maker seoul\nmaker device.enrol device=car model=m serial=1 owner=maker firmware=1",
		"busan asset.create asset=krw", "busan asset.issue asset=krw to=busan amount=1000000",
		"busan stream.open feed=speed terms.title=Speed terms.unit=km/h terms.stale_ms=60000 terms.min_sources=1 "+
			"terms.premium.asset=krw terms.premium.amount=1 terms.premium.dispute_ms=86400000 "+terms,
		"busan stream.admit feed=speed devices=car",
		"busan stream.fund feed=speed amount=1000000",
	)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// bring anchors readings of the car by busan and returns their verdicts.
func bring(t testing.TB, l *moduletest.Ledger, readings ...reading.Reading) []byte {
	t.Helper()
	a := &streamv1.Anchor{}
	for _, r := range readings {
		r.Feed, r.Unit = "speed", "km/h"
		if r.Time == 0 {
			r.Time = l.Now
		}
		moduletest.AddReading(a, "car", "car", r)
	}
	result := moduletest.Do(l, "busan", &txv1.Action_StreamAnchor{StreamAnchor: a})
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	return result.Events[0].GetStreamReported().GetVerdicts()
}

func at(boot, sequence uint64) reading.Reading {
	return reading.Reading{Boot: boot, Sequence: sequence}
}

const accepted = byte(streamv1.Verdict_VERDICT_ACCEPTED) << 4

// Only the last gaps are kept, but all that is missing is counted, and the count does not wrap.
func TestGapsAreBounded(t *testing.T) {
	l := road(t, "")
	const more = 5
	for i := range uint64(stream.MaxGaps + more) {
		bring(t, l, at(1, 3*(i+1))) // two are missing before each
	}
	car := moduletest.Address("car")
	head, _ := stream.GetHead(l.View, car)
	if n := len(head.GetGaps()); n != stream.MaxGaps || head.GetGaps()[0].GetFirst() != 3*more+1 || head.GetMissing() != 2*(stream.MaxGaps+more) {
		t.Errorf("head %v", head)
	}
	for boot := range uint64(3) {
		bring(t, l, at(2+boot, math.MaxInt64))
	}
	if head, _ = stream.GetHead(l.View, car); head.GetMissing() != math.MaxUint64 {
		t.Errorf("missing %d", head.GetMissing())
	}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

// A device that speaks without end and is settled with rarely has few dues, is paid for all that is old enough, and waits no longer for it.
func TestDuesAreBoundedAndNotStarved(t *testing.T) {
	l, car := road(t, ""), moduletest.Address("car")
	const (
		day     = 24 * 3600 * 1000
		minute  = 60 * 1000
		minutes = 5 * day / minute
	)
	for i := range uint64(minutes) {
		bring(t, l, at(1, i+1))
		l.Now += minute
	}
	r, _ := stream.GetReport(l.View, "speed", car)
	if len(r.GetDue()) > stream.MaxDues {
		t.Fatalf("%d dues", len(r.GetDue()))
	}
	moduletest.Do(l, "seoul", &txv1.Action_StreamSettle{StreamSettle: &streamv1.Settle{Feed: "speed", Devices: [][]byte{car[:]}}})
	r, _ = stream.GetReport(l.View, "speed", car)
	f, _ := stream.Get(l.View, "speed")
	const old, slot = minutes - day/minute, day / 32 / minute // a slot later at the latest
	if f.GetFunds() != fmt.Sprint(1_000_000-r.GetPaid()) || r.GetPaid() > old || r.GetPaid() < old-slot-1 {
		t.Errorf("paid for %d readings, want %d less at most %d", r.GetPaid(), old, slot+1)
	}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

func settle(l *moduletest.Ledger) error {
	car := moduletest.Address("car")
	return moduletest.Do(l, "seoul", &txv1.Action_StreamSettle{StreamSettle: &streamv1.Settle{Feed: "speed", Devices: [][]byte{car[:]}}}).Err
}

func attest(t testing.TB, l *moduletest.Ledger, boot uint64) {
	t.Helper()
	car, image := moduletest.Address("car"), sha256.Sum256([]byte("image"))
	asked := moduletest.Do(l, "busan", &txv1.Action_DeviceChallenge{DeviceChallenge: &devicev1.Challenge{Device: car[:]}})
	if asked.Err != nil {
		t.Fatal(asked.Err)
	}
	nonce := asked.Events[0].GetDeviceChallenged().GetNonce()
	if r := moduletest.Do(l, "car", &txv1.Action_DeviceAttest{DeviceAttest: &devicev1.Attest{Nonce: nonce, Boot: boot, Firmware: image[:]}}); r.Err != nil {
		t.Fatal(r.Err)
	}
}

// What evidence has confirmed is not joined with what came after it, however long nobody settles: it would wait for evidence once more.
func TestConfirmedDuesAreNotStarved(t *testing.T) {
	l := road(t, "terms.premium.confirmed=true terms.premium.dispute_ms=0")
	const before, after = 30, 3 * stream.MaxDues
	for i := range uint64(before + after) {
		if i == before {
			attest(t, l, 1)
		}
		l.Now += 60_000
		bring(t, l, at(1, i+1))
	}
	if err := settle(l); err != nil {
		t.Fatal(err)
	}
	if r, _ := stream.GetReport(l.View, "speed", moduletest.Address("car")); r.GetPaid() != before || len(r.GetDue()) > stream.MaxDues {
		t.Errorf("paid for %d readings, want %d; %d dues are left", r.GetPaid(), before, len(r.GetDue()))
	}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

// However many readings a device makes of a time, it earns for so many as the feed wants; what claims a time to come is counted against that.
func TestPremiumIsBoundedInTime(t *testing.T) {
	l, car := road(t, "terms.premium.every_ms=1000 terms.ahead_ms=2000"), moduletest.Address("car")
	l.Now += 10_000
	sequence := uint64(0)
	for _, taken := range []int64{0, 0, 1, 999, 1000, 1001, 2000, 2000} { // the last ones are still to come
		sequence++
		r := at(1, sequence)
		r.Time = l.Now + taken
		if v := bring(t, l, r); v[0] != accepted {
			t.Fatalf("taken at %d: %x", taken, v)
		}
	}
	l.Now += 2 * 86_400_000
	if err := settle(l); err != nil {
		t.Fatal(err)
	}
	if r, _ := stream.GetReport(l.View, "speed", car); r.GetPaid() != 3 || r.GetUnpaid() != 5 {
		t.Errorf("paid %d, too soon %d", r.GetPaid(), r.GetUnpaid())
	}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

// An old reading that the operator lets count does not take the new ones down with it into a doubt that lies between them.
func TestDecidedReadingPoisonsNothing(t *testing.T) {
	l, car := road(t, "terms.most=100 terms.appeal_ms=3600000"), moduletest.Address("car")
	bring(t, l, reading.Reading{Boot: 1, Sequence: 1, Value: reading.Decimal{Mantissa: 101}})
	l.Now += 1000
	moduletest.Do(l, "maker", &txv1.Action_DeviceSuspend{DeviceSuspend: &devicev1.Suspend{Device: car[:], Reason: "a look"}})
	l.Now += 1000
	moduletest.Do(l, "maker", &txv1.Action_DeviceReadmit{DeviceReadmit: &devicev1.Readmit{Device: car[:], Reason: "looked"}})
	bring(t, l, at(1, 2))
	decided := moduletest.Do(l, "busan", &txv1.Action_StreamDecide{StreamDecide: &streamv1.Decide{
		Feed: "speed", Device: car[:], Boot: 1, Sequence: 1, Accept: true, Reason: "true"}})
	if decided.Err != nil {
		t.Fatal(decided.Err)
	}
	bring(t, l, at(1, 3))
	l.Now += 2 * 86_400_000
	if err := settle(l); err != nil {
		t.Fatal(err)
	}
	if r, _ := stream.GetReport(l.View, "speed", car); r.GetPaid() != 3 || r.GetForfeited() != 0 {
		t.Errorf("paid %d, forfeited %d of 3 that nothing speaks against", r.GetPaid(), r.GetForfeited())
	}
}

// The largest and least of everything neither wrap nor panic.
func TestExtremes(t *testing.T) {
	l := road(t, fmt.Sprintf("terms.least=%d terms.most=%d terms.max_rate=1000 terms.late_ms=86400000 terms.ahead_ms=600000 terms.appeal_ms=1", math.MinInt64, math.MaxInt64))
	least, most := reading.Decimal{Mantissa: math.MinInt64}, reading.Decimal{Mantissa: math.MaxInt64}
	got := bring(t, l,
		reading.Reading{Boot: 1, Sequence: 1, Value: least},
		reading.Reading{Boot: 1, Sequence: 2, Value: most},
		reading.Reading{Boot: 1, Sequence: 3, Value: least, Time: math.MaxInt64},
		reading.Reading{Boot: 1, Sequence: 4, Value: least, Time: reading.MinTime},
		reading.Reading{Boot: math.MaxInt64, Sequence: math.MaxInt64, Value: least},
	)
	quarantined := byte(streamv1.Verdict_VERDICT_QUARANTINED) << 4
	want := []byte{
		accepted, quarantined | byte(streamv1.Reason_REASON_RATE), quarantined | byte(streamv1.Reason_REASON_AHEAD),
		byte(streamv1.Verdict_VERDICT_LATE) << 4, accepted,
	}
	if string(got) != string(want) {
		t.Errorf("verdicts %x, want %x", got, want)
	}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

// However many readings of a device come at once, its head, its report and what waits are written once.
func TestStateIsWrittenOncePerSource(t *testing.T) {
	l := road(t, "terms.most=1000")
	bring(t, l, at(1, 1))
	work := func(n uint64) uint64 {
		var readings []reading.Reading
		head, _ := stream.GetHead(l.View, moduletest.Address("car"))
		for i := range n {
			readings = append(readings, at(1, head.GetSequence()+i+1))
		}
		l.View.ResetWork()
		for _, v := range bring(t, l, readings...) {
			if v != accepted {
				t.Fatalf("verdict %x", v)
			}
		}
		return l.View.Work()
	}
	if one, many := work(1), work(tx.MaxReadings); many > one+10 {
		t.Errorf("one reading takes %d units of work, %d take %d", one, tx.MaxReadings, many)
	}
}

func BenchmarkAnchor(b *testing.B) {
	l := road(b, "terms.most=1000")
	a := &streamv1.Anchor{}
	for i := range uint64(tx.MaxReadings) {
		moduletest.AddReading(a, "car", "car", reading.Reading{Boot: 1, Sequence: i + 1, Feed: "speed", Unit: "km/h", Time: l.Now})
	}
	action := []*txv1.Action{moduletest.Action("busan", &txv1.Action_StreamAnchor{StreamAnchor: a})}
	sources, err := tx.ReadSources(action)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		mark := l.View.Mark()
		if r := l.Run(action, sources, moduletest.Key("busan")); r.Err != nil {
			b.Fatal(r.Err)
		}
		l.View.Rollback(mark)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tx.MaxReadings, "ns/reading")
}
