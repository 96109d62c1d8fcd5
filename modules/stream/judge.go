package stream

import (
	"math/bits"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/reading"
)

const (
	accepted    = streamv1.Verdict_VERDICT_ACCEPTED
	late        = streamv1.Verdict_VERDICT_LATE
	quarantined = streamv1.Verdict_VERDICT_QUARANTINED
	refused     = streamv1.Verdict_VERDICT_REFUSED

	fine = streamv1.Reason_REASON_UNSPECIFIED
)

// judge finds the verdict on a reading and keeps what follows from it.
//
// A number counts as seen whatever becomes of the reading, unless somebody else signed it.
func (s *reporter) judge(r *reading.Reading) (streamv1.Verdict, streamv1.Reason) {
	if s.device == nil {
		return refused, streamv1.Reason_REASON_NOT_AUTHORISED
	}
	if !s.follow(r) {
		return refused, streamv1.Reason_REASON_REPLAYED
	}
	at := s.at(r.Feed)
	if at.feed.feed == nil {
		return refused, streamv1.Reason_REASON_NO_FEED
	}
	if at.report == nil {
		return refused, streamv1.Reason_REASON_NOT_ADMITTED
	}
	at.changed = true
	terms, report := at.feed.feed.GetTerms(), at.report
	value, err := r.Value.Units(int(terms.GetDecimals()))
	if err != nil {
		report.Refused++
		return refused, streamv1.Reason_REASON_PRECISION
	}
	// What is late is neither counted nor paid, so nobody has to decide about it. But history is kept in one unit.
	if is, why := s.belated(terms, report, r); is && r.Unit != terms.GetUnit() {
		report.Refused++
		return refused, streamv1.Reason_REASON_UNIT
	} else if is {
		report.Late++
		return late, why
	}
	if why := s.suspicion(terms, report, r, value); why != fine {
		return s.quarantine(at, r, value, why)
	}
	report.Value, report.TakenAt, report.AnchoredAt = value, r.Time, s.c.Time
	report.Firmware, report.Level = s.device.GetFirmware(), s.device.GetLevel()
	if p := terms.GetPremium(); p != nil && report.GetEarnedAt() != 0 && r.Time-report.GetEarnedAt() < p.GetEveryMs() {
		report.Accepted, report.Unpaid = report.GetAccepted()+1, report.GetUnpaid()+1
		return accepted, fine
	} else if p.GetEveryMs() > 0 {
		report.EarnedAt = r.Time
	}
	at.feed.waits += s.m.earn(report, terms.GetPremium(), s.device, r.Time, s.c.Time, s.c.Time)
	return accepted, fine
}

// belated says whether a reading is late, and why if time alone does not say it.
func (s *reporter) belated(t *streamv1.Terms, last *streamv1.Report, r *reading.Reading) (bool, streamv1.Reason) {
	switch {
	case r.Time < s.c.Time-t.GetLateMs(), r.Time < last.GetTakenAt(), r.Time < s.device.GetEnrolledAt():
		return true, fine
	case s.device.GetState() == devicev1.State_STATE_ACTIVE && s.m.devices.Doubted(s.device, r.Time, s.c.Time) != "":
		return true, streamv1.Reason_REASON_DOUBT
	}
	return false, fine
}

// suspicion says why a reading belongs in quarantine, or that it does not.
func (s *reporter) suspicion(t *streamv1.Terms, report *streamv1.Report, r *reading.Reading, value int64) streamv1.Reason {
	switch {
	case s.device.GetState() != devicev1.State_STATE_ACTIVE:
		return streamv1.Reason_REASON_SUSPENDED
	case s.device.GetLevel() < t.GetMinLevel():
		return streamv1.Reason_REASON_LEVEL
	case r.Unit != t.GetUnit():
		return streamv1.Reason_REASON_UNIT
	case r.Time > s.c.Time+t.GetAheadMs():
		return streamv1.Reason_REASON_AHEAD
	case value < t.GetLeast() || value > t.GetMost():
		return streamv1.Reason_REASON_RANGE
	case tooFast(t, report, value, r.Time):
		return streamv1.Reason_REASON_RATE
	}
	return fine
}

// tooFast says whether a value is further from the last one accepted than the time between them allows.
func tooFast(t *streamv1.Terms, last *streamv1.Report, value, taken int64) bool {
	if t.GetMaxRate() == 0 || last.GetAnchoredAt() == 0 {
		return false
	}
	// change · 1000 ms > rate · time between, in 128 bits
	changeHigh, changeLow := bits.Mul64(distance(value, last.GetValue()), 1000)
	mostHigh, mostLow := bits.Mul64(t.GetMaxRate(), uint64(taken-last.GetTakenAt())) // it is not late, so not before
	return changeHigh > mostHigh || changeHigh == mostHigh && changeLow > mostLow
}

// distance is how far two values are apart.
func distance(a, b int64) uint64 {
	if a < b {
		a, b = b, a
	}
	return uint64(a) - uint64(b)
}

// quarantine keeps a reading apart, if there is room.
func (s *reporter) quarantine(at *reportAt, r *reading.Reading, value int64, why streamv1.Reason) (streamv1.Verdict, streamv1.Reason) {
	p := place{at.feed.id, s.address}
	if at.room < 0 {
		kept, dropped := expire(s.c.View, p, s.c.Time)
		at.room = MaxQuarantined - kept
		if at.feed.pays() {
			at.feed.waits -= int64(dropped)
		}
	}
	if at.room <= 0 {
		at.report.Refused++
		return refused, streamv1.Reason_REASON_FULL
	}
	at.room--
	at.report.Quarantined++
	quarantines.Set(s.c.View, spot{p, r.Boot, r.Sequence}, &streamv1.Quarantined{
		Reason: why, Value: value, TakenAt: r.Time, AnchoredAt: s.c.Time, Deadline: s.c.Time + at.feed.feed.GetTerms().GetAppealMs(),
	})
	if at.feed.pays() {
		at.feed.waits++
	}
	return quarantined, why
}
