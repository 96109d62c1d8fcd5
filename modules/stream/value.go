package stream

import (
	"fmt"
	"slices"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Answer is a feed's value with what it rests on.
type Answer struct {
	// Value is the median of the sources that count, in units of 10^-Decimals of Unit: of an even number of them the lower of the two in the middle,
	// so that it is always what one of them said.
	Value    int64
	Decimals uint32
	Unit     string
	// Counted is how many sources count. Least and Most are the lowest and highest that they said.
	Counted     int
	Least, Most int64
	// Sources are all devices that report to the feed, in order of address, those that do not count too.
	Sources []Source
}

// Source is a device with the last reading of it that the feed accepted.
type Source struct {
	Device tx.Address
	Value  int64
	// TakenAt and AnchoredAt are unix milliseconds, 0 if there is no reading yet. Age is how long before the time asked for it was
	// taken, or anchored if it says that it was taken later, milliseconds.
	TakenAt, AnchoredAt, Age int64
	// Firmware and Level are what the device ran then, by its evidence, and what that was worth.
	Firmware uint64
	Level    devicev1.Level
	// Missing is how many of its numbers never came, for all feeds together.
	Missing uint64
	// LeftOut says why it does not count; empty: it does.
	LeftOut string
}

// Value is what a feed says at a time, unix milliseconds, by the last accepted reading of each source: now, not what it said in the past. maxAge is how old a
// reading may be, milliseconds; the feed's own limit holds too, and alone if maxAge is not above 0. A source that is suspended, or in doubt at
// the time of its reading, is left out. The answer has the sources even when there is no value. Codes stream.unknown,
// stream.closed, and those of Weigh.
func Value(r state.Reader, devices Devices, feed string, at, maxAge int64) (Answer, error) {
	f, err := find(r, feed)
	if err != nil {
		return Answer{}, err
	}
	var sources []Source
	AscendReports(r, feed, func(device tx.Address, report *streamv1.Report) bool {
		if report.GetDismissedAt() == 0 {
			sources = append(sources, sourceOf(r, devices, device, report, f.GetTerms(), at))
		}
		return true
	})
	a, err := Weigh(feed, f.GetTerms(), sources, maxAge)
	if f.GetClosedAt() != 0 {
		return a, closed(feed, f)
	}
	return a, err
}

// Weigh is what a feed with these terms says by these sources, of which those count that are not left out and whose Age is within maxAge, as in
// Value. Codes stream.stale if readings enough are there but too old, stream.too_few, stream.disagree if a source is further from the
// median than the feed allows.
func Weigh(feed string, terms *streamv1.Terms, sources []Source, maxAge int64) (Answer, error) {
	a := Answer{Decimals: terms.GetDecimals(), Unit: terms.GetUnit(), Sources: sources}
	if maxAge <= 0 || maxAge > terms.GetStaleMs() {
		maxAge = terms.GetStaleMs()
	}
	var values []int64
	stale := 0
	for i := range sources {
		switch s := &sources[i]; {
		case s.LeftOut != "":
		case s.Age > maxAge:
			stale++
			s.LeftOut = "its last reading is too old"
		default:
			values = append(values, s.Value)
		}
	}
	a.Counted = len(values)
	switch least := int(terms.GetMinSources()); {
	case len(values) < least && len(values)+stale >= least:
		return a, fault.New("stream.stale", fmt.Sprintf("The feed %s has no value: of %d sources the last reading is too old, and it needs %d.", feed, stale, least),
			"feed", feed, "stale", stale, "counted", len(values), "needed", least)
	case len(values) < least:
		return a, fault.New("stream.too_few", fmt.Sprintf("The feed %s has no value: %d of its sources count, and it needs %d.", feed, len(values), least),
			"feed", feed, "counted", len(values), "needed", least)
	}
	slices.Sort(values)
	a.Value, a.Least, a.Most = values[(len(values)-1)/2], values[0], values[len(values)-1]
	if most := terms.GetMaxDeviation(); most > 0 && max(distance(a.Least, a.Value), distance(a.Most, a.Value)) > most {
		return a, fault.New("stream.disagree", fmt.Sprintf("The feed %s has no value: its sources are further apart than it allows.", feed),
			"feed", feed, "median", a.Value, "least", a.Least, "most", a.Most, "allowed", most)
	}
	return a, nil
}

// sourceOf describes a source, and says why it does not count whatever its age.
func sourceOf(g state.Getter, devices Devices, address tx.Address, report *streamv1.Report, terms *streamv1.Terms, at int64) Source {
	s := Source{
		Device: address, Value: report.GetValue(), TakenAt: report.GetTakenAt(), AnchoredAt: report.GetAnchoredAt(),
		Firmware: report.GetFirmware(), Level: report.GetLevel(),
	}
	if head, ok := heads.Get(g, address); ok {
		s.Missing = head.GetMissing()
	}
	if s.AnchoredAt == 0 {
		s.LeftOut = "nothing of it has been accepted yet"
		return s
	}
	s.Age = max(0, at-min(s.TakenAt, s.AnchoredAt)) // a time to come makes nothing younger
	d, _ := devices.Get(g, address)
	why := devices.Doubted(d, s.TakenAt, s.AnchoredAt)
	switch {
	case d.GetState() == devicev1.State_STATE_REVOKED:
		s.LeftOut = "it is revoked"
	case d.GetState() == devicev1.State_STATE_SUSPENDED:
		s.LeftOut = "it is suspended"
	case why != "":
		s.LeftOut = "it was in doubt then: " + why
	case d.GetLevel() < terms.GetMinLevel():
		s.LeftOut = "its evidence is worth too little now"
	}
	return s
}
