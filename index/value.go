package index

import (
	"context"

	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/device"
	"github.com/dureledger/dure/modules/stream"
)

// FeedValue is what a feed says at a time, with what it rests on.
type FeedValue struct {
	stream.Answer
	// At is the time asked for, in unix milliseconds.
	At int64
	// Readings are where the sources' readings are, as far as the index was asked.
	Readings map[tx.Address]Reading
	// None is why there is no value, nil if there is one. Codes stream.closed, stream.stale, stream.too_few, stream.disagree.
	None *fault.Error
}

// ValueNow is what a feed says at a time that is not over, by the state alone. No reading counts that is older than maxAge milliseconds; 0:
// than the feed allows.
func ValueNow(r state.Reader, feed string, at, maxAge int64) FeedValue {
	v := FeedValue{At: at}
	var err error
	if v.Answer, err = stream.Value(r, all.Devices{}, feed, at, maxAge); err != nil {
		v.None = fault.As(err)
	}
	return v
}

// ValueAt is what a feed says of a time that is over, by the readings taken up to then, whenever they were anchored, and by what is known
// today of the devices: the same rules, applied to them.
func (x *Index) ValueAt(ctx context.Context, r state.Reader, feed string, f *streamv1.Feed, at, maxAge int64) (FeedValue, error) {
	v := FeedValue{At: at, Readings: map[tx.Address]Reading{}}
	rows, err := x.Latest(ctx, feed, at)
	if err != nil {
		return v, err
	}
	sources := make([]stream.Source, 0, len(rows))
	for _, row := range rows {
		report, _ := ReadReport(r, feed, row.Device)
		if gone := report.GetDismissedAt(); gone != 0 && gone <= at {
			continue
		}
		s, err := sourceAt(r, f, row, at)
		if err != nil {
			return v, err
		}
		sources, v.Readings[row.Device] = append(sources, s), row
	}
	v.Answer, err = stream.Weigh(feed, f.GetTerms(), sources, maxAge)
	if closed := f.GetClosedAt(); closed != 0 && closed <= at {
		err = fault.New("stream.closed", "The feed "+feed+" was closed then.", "feed", feed, "closed_at", closed)
	}
	if err != nil {
		v.None = fault.As(err)
	}
	return v, nil
}

// sourceAt describes a source by its last reading up to a time.
func sourceAt(r state.Reader, f *streamv1.Feed, row Reading, at int64) (stream.Source, error) {
	head, _ := ReadHead(r, row.Device)
	s := stream.Source{
		Device: row.Device, TakenAt: row.Taken, AnchoredAt: row.Anchored, Age: max(0, at-min(row.Taken, row.Anchored)), Firmware: row.Firmware, Level: row.Level, Missing: head.GetMissing(),
	}
	d, _ := ReadDevice(r, row.Device)
	if doubt := device.Doubted(d, row.Taken, row.Anchored); doubt != nil {
		s.LeftOut = "it was in doubt then: " + doubt.GetReason()
	} else if len(device.Doubted(d, at, at).GetBy()) > 0 { // a doubt that evidence brought begins before anybody knew
		s.LeftOut = "it was suspended then"
	}
	var err error
	s.Value, err = row.Value.Units(int(f.GetTerms().GetDecimals())) // the ledger accepts none that does not fit
	return s, err
}
