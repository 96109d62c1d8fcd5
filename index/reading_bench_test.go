package index_test

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// How many readings BenchmarkReadings asks about; ten million take half an hour to index.
var benchReadings = flag.Int("readings", 50_000, "readings in the index that BenchmarkReadings asks")

const (
	benchFeed    = "fleet.speed"
	benchDevices = 100
	benchAnchor  = 250 // readings of an anchor, one after the other by one device
)

// anchors is a history of readings that were never signed: an anchor a second.
type anchors struct {
	size  uint64
	never chan struct{}
}

func benchDevice(i uint64) (a tx.Address) {
	binary.BigEndian.PutUint64(a[:], (i+1)*0x9e3779b97f4a7c15)
	return a
}

func (s *anchors) Size() uint64              { return s.size }
func (s *anchors) Advanced() <-chan struct{} { return s.never }

func (s *anchors) Entries(from uint64, most int) (out []index.Entry, err error) {
	for seq := from; seq < min(from+uint64(most), s.size); seq++ {
		out = append(out, s.entry(seq))
	}
	return out, nil
}

func (s *anchors) entry(seq uint64) index.Entry {
	o := &ledgerv1.Outcome{Seq: seq, Height: int64(seq) + 1, Time: indextest.Start + int64(seq)*1000, Status: ledgerv1.Status_STATUS_OK}
	action := &txv1.Action{Actor: make([]byte, 20)}
	if seq == 0 {
		action.Call = &txv1.Action_StreamOpen{StreamOpen: &streamv1.Open{Feed: benchFeed}}
		o.Events = append(o.Events, &ledgerv1.Event{Kind: &ledgerv1.Event_StreamOpened{StreamOpened: &streamv1.Opened{Feed: benchFeed, Operator: action.Actor}}})
		for i := range uint64(benchDevices) {
			a := benchDevice(i)
			o.Events = append(o.Events, &ledgerv1.Event{Kind: &ledgerv1.Event_StreamAdmitted{StreamAdmitted: &streamv1.Admitted{Feed: benchFeed, Device: a[:]}}})
		}
	} else {
		a := benchDevice(seq % benchDevices)
		source := &streamv1.Source{Device: a[:], Kind: accountv1.KeyKind_KEY_KIND_ED25519, PublicKey: make([]byte, 32)}
		found := &streamv1.Reported{Device: a[:], Firmware: 1, Level: 1}
		for i := range uint64(benchAnchor) {
			r := &reading.Reading{Alg: reading.EdDSA, Boot: 1, Sequence: (seq-1)/benchDevices*benchAnchor + i + 1, Feed: benchFeed, Unit: "km/h",
				Value: reading.Decimal{Mantissa: int64(seq % 99), Exponent: 0}, Time: o.GetTime() - int64(benchAnchor-i)}
			raw, err := r.Encode()
			if err != nil {
				panic(err)
			}
			source.Readings, found.Verdicts = append(source.GetReadings(), raw), append(found.GetVerdicts(), byte(streamv1.Verdict_VERDICT_ACCEPTED)<<4)
		}
		action.Call = &txv1.Action_StreamAnchor{StreamAnchor: &streamv1.Anchor{Sources: []*streamv1.Source{source}}}
		o.Events = []*ledgerv1.Event{{Kind: &ledgerv1.Event_StreamReported{StreamReported: found}}}
	}
	body, _ := proto.Marshal(&txv1.Body{Salt: seq, Actions: []*txv1.Action{action}})
	id := sha256.Sum256(body)
	o.Id = id[:]
	raw, _ := proto.Marshal(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: &txv1.Native{Body: body}}})
	return index.Entry{Outcome: o, Raw: raw}
}

// BenchmarkReadings indexes readings and asks about them: run it with -readings 10000000 -benchtime 200x.
func BenchmarkReadings(b *testing.B) {
	readingBenchmark(b, func(b *testing.B) keeper { return file{filepath.Join(b.TempDir(), "index.db")} })
}

func readingBenchmark(b *testing.B, place func(*testing.B) keeper) {
	l, err := indextest.New()
	if err != nil {
		b.Fatal(err)
	}
	s := &anchors{size: uint64(*benchReadings/benchAnchor) + 1, never: make(chan struct{})}
	x, err := place(b).open(l)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	began := time.Now()
	catchUp(b, x, s)
	b.Logf("indexed %d readings, %.0f a second", *benchReadings, float64(*benchReadings)/time.Since(began).Seconds())
	end := int64(indextest.Start) + int64(s.size)*1000
	at := func(i int) int64 { return end - (end-indextest.Start)*int64(i%7)/16 }
	ask := func(name string, question func(i int) error) {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := question(i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	perDevice := int(s.size-1) / benchDevices * benchAnchor
	ask("one", func(i int) error {
		r, ok, err := x.FindReading(b.Context(), benchDevice(uint64(i%benchDevices)), 1, uint64(i*7919%perDevice)+1)
		if err == nil && !ok {
			return fmt.Errorf("reading %d: %v", i, r)
		}
		return err
	})
	ask("value", func(i int) error {
		rows, err := x.Latest(b.Context(), benchFeed, at(i))
		if err == nil && len(rows) != benchDevices {
			return fmt.Errorf("%d sources", len(rows))
		}
		return err
	})
	ask("list", func(i int) error {
		_, _, err := x.Readings(b.Context(), index.ReadingFilter{Feed: benchFeed, Until: at(i)}, index.Page{})
		return err
	})
	ask("quarantine", func(int) error {
		_, _, err := x.Readings(b.Context(), index.ReadingFilter{Feed: benchFeed, Verdict: streamv1.Verdict_VERDICT_QUARANTINED}, index.Page{})
		return err
	})
}
