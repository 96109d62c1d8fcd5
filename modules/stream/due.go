package stream

import streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"

// slot is how long readings that are anchored one after the other are kept as one due, milliseconds: a 32nd of the dispute window, but no
// less than a minute. So what waits for the window fits in half of MaxDues, and only what could be paid already is joined further.
func slot(p *streamv1.Premium) int64 { return max(minute, p.GetDisputeMs()/32) }

// earn counts a reading that was accepted at a time, and what it earns if the feed pays. It returns how many readings more wait.
func earn(r *streamv1.Report, p *streamv1.Premium, taken, now int64) int64 {
	r.Accepted++
	if p == nil {
		return 0
	}
	if n := len(r.GetDue()); n > 0 && r.GetDue()[n-1].GetAnchoredAt()/slot(p) == now/slot(p) {
		last := r.GetDue()[n-1]
		last.Readings, last.FirstAt, last.LastAt, last.AnchoredAt = last.GetReadings()+1, min(last.GetFirstAt(), taken), max(last.GetLastAt(), taken), now
		return 1
	}
	r.Due = append(r.GetDue(), &streamv1.Due{Readings: 1, FirstAt: taken, LastAt: taken, AnchoredAt: now})
	if len(r.GetDue()) > MaxDues {
		join(r.GetDue()[1], r.GetDue()[0])
		r.Due = r.GetDue()[1:]
	}
	return 1
}

// join adds one due to another. It waits for the later, and is in doubt with either and what lies between.
func join(to, from *streamv1.Due) {
	to.Readings += from.GetReadings()
	to.FirstAt, to.LastAt = min(to.GetFirstAt(), from.GetFirstAt()), max(to.GetLastAt(), from.GetLastAt())
	to.AnchoredAt = max(to.GetAnchoredAt(), from.GetAnchoredAt())
}
