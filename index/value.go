package index

import (
	"cmp"
	"context"
	"slices"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Why a source does not count for a value, or why there is none.
const (
	Dismissed = "dismissed" // it does not report any more
	Stale     = "stale"     // its last reading is too old
	InDoubt   = "in_doubt"  // nothing that the device said then may be relied on
	LowLevel  = "low_level" // its evidence is worth less than the feed asks for

	TooFew = "too_few" // fewer sources count than the feed needs
	TooFar = "too_far" // one of them is further from the median than the feed allows
)

// Source is a device's part in a feed's value: its last accepted reading up to a time. Times are unix milliseconds.
type Source struct {
	Device tx.Address
	// Value is in the feed's smallest units.
	Value           int64
	Taken, Anchored int64
	Firmware        uint64
	Level           devicev1.Level
	// Reading is where it is; nil when the index was not asked.
	Reading *Reading
	// LeftOut is why it does not count, empty if it does; Doubt then also says what is in doubt.
	LeftOut, Doubt string
}

// FeedValue is the value of a feed at a time, or why there is none.
type FeedValue struct {
	At int64
	// None is why there is no value, TooFew or TooFar; empty if there is one.
	None string
	// Value is in the feed's smallest units, as is Deviation, how far the furthest source that counts is from it.
	Value     int64
	Deviation uint64
	Furthest  tx.Address
	// Counted sources count; the lowest of their levels is Level.
	Counted int
	Level   devicev1.Level
	// Sources are those that count first, then by address.
	Sources []Source
}

// ValueNow is a feed's value at a time that is not over: by the readings that the state has. No source counts that is older than
// maxAge milliseconds; 0: than the feed allows.
func ValueNow(r state.Reader, feed string, f *streamv1.Feed, at, maxAge int64) FeedValue {
	var sources []Source
	ReadReports(r, feed, func(device tx.Address, report *streamv1.Report) bool {
		if report.GetTakenAt() > 0 {
			sources = append(sources, leftOut(r, f, report, Source{
				Device: device, Value: report.GetValue(), Taken: report.GetTakenAt(), Anchored: report.GetAnchoredAt(), Firmware: report.GetFirmware(), Level: report.GetLevel(),
			}, at, maxAge))
		}
		return true
	})
	return median(f, sources, at)
}

// ValueAt is a feed's value at a time that is over: by the readings taken up to then, whenever they were anchored, and by what is known
// today of the devices.
func (x *Index) ValueAt(ctx context.Context, r state.Reader, feed string, f *streamv1.Feed, at, maxAge int64) (FeedValue, error) {
	rows, err := x.Latest(ctx, feed, at)
	if err != nil {
		return FeedValue{}, err
	}
	sources := make([]Source, 0, len(rows))
	for i, row := range rows {
		units, err := row.Value.Units(int(f.GetTerms().GetDecimals()))
		if err != nil {
			return FeedValue{}, err // the ledger accepts none that does not fit
		}
		report, _ := ReadReport(r, feed, row.Device)
		sources = append(sources, leftOut(r, f, report, Source{
			Device: row.Device, Value: units, Taken: row.Taken, Anchored: row.Anchored, Firmware: row.Firmware, Level: row.Level, Reading: &rows[i],
		}, at, maxAge))
	}
	return median(f, sources, at), nil
}

// leftOut says whether a source counts.
func leftOut(r state.Reader, f *streamv1.Feed, report *streamv1.Report, s Source, at, maxAge int64) Source {
	limit := f.GetTerms().GetStaleMs()
	if maxAge > 0 {
		limit = min(limit, maxAge)
	}
	s.Doubt = Rely(r, s.Device, s.Taken).Reason
	switch {
	case report.GetDismissedAt() != 0 && report.GetDismissedAt() <= at:
		s.LeftOut = Dismissed
	case s.Doubt != "":
		s.LeftOut = InDoubt
	case at-s.Taken > limit:
		s.LeftOut = Stale
	case s.Level < f.GetTerms().GetMinLevel():
		s.LeftOut = LowLevel
	}
	return s
}

// median is the value of those sources that count: the one in the middle, of two the lower.
func median(f *streamv1.Feed, sources []Source, at int64) FeedValue {
	v := FeedValue{At: at, Sources: sources}
	slices.SortFunc(sources, func(a, b Source) int {
		if (a.LeftOut == "") != (b.LeftOut == "") {
			return cmp.Compare(a.LeftOut, b.LeftOut)
		}
		return slices.Compare(a.Device[:], b.Device[:])
	})
	var values []int64
	for _, s := range sources {
		if s.LeftOut == "" {
			if values = append(values, s.Value); len(values) == 1 || s.Level < v.Level {
				v.Level = s.Level
			}
		}
	}
	v.Counted = len(values)
	if v.Counted == 0 || v.Counted < int(f.GetTerms().GetMinSources()) {
		v.None = TooFew
		return v
	}
	slices.Sort(values)
	v.Value = values[(len(values)-1)/2]
	for _, s := range sources[:v.Counted] {
		if d := apart(s.Value, v.Value); d > v.Deviation {
			v.Deviation, v.Furthest = d, s.Device
		}
	}
	if most := f.GetTerms().GetMaxDeviation(); most > 0 && v.Deviation > most {
		v.None = TooFar
	}
	return v
}

// apart is how far two numbers are from each other.
func apart(a, b int64) uint64 {
	if a < b {
		a, b = b, a
	}
	return uint64(a) - uint64(b)
}
