package stream

import (
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
)

// slot is how long readings that are anchored one after the other are kept as one due, milliseconds: a 32nd of the dispute window, but no
// less than a minute. So what waits for the window fits in half of MaxDues, and only what could be paid already is joined further.
func slot(p *streamv1.Premium) int64 { return max(minute, p.GetDisputeMs()/32) }

// earn counts a reading that was accepted at a time, and what it earns if the feed pays. It returns how many readings more wait.
func (m *Module) earn(r *streamv1.Report, p *streamv1.Premium, d *devicev1.Device, taken, anchored, now int64) int64 {
	r.Accepted++
	if p == nil {
		return 0
	}
	next := &streamv1.Due{Readings: 1, FirstAt: min(taken, anchored), LastAt: max(taken, anchored), AnchoredAt: now}
	if n := len(r.GetDue()); n > 0 && r.GetDue()[n-1].GetAnchoredAt()/slot(p) == now/slot(p) && m.harmless(d, r.GetDue()[n-1], next) {
		join(r.GetDue()[n-1], next)
		return 1
	}
	r.Due = append(r.GetDue(), next)
	if len(r.GetDue()) > MaxDues {
		r.Due = m.shorten(d, r.GetDue())
	}
	return 1
}

// shorten joins two dues that follow each other: the oldest that lose nothing by it, or the two oldest.
func (m *Module) shorten(d *devicev1.Device, all []*streamv1.Due) []*streamv1.Due {
	i := 0
	for j := range len(all) - 1 {
		last := d.GetLastGoodAt()
		if confirmed := all[j].GetLastAt() <= last; confirmed == (all[j+1].GetLastAt() <= last) && m.harmless(d, all[j], all[j+1]) {
			i = j
			break
		}
	}
	join(all[i], all[i+1])
	return append(all[:i+1], all[i+2:]...)
}

// harmless says whether no doubt that is known lies between two dues: joined, they would be forfeited.
func (m *Module) harmless(d *devicev1.Device, a, b *streamv1.Due) bool {
	return m.devices.Doubted(d, min(a.GetFirstAt(), b.GetFirstAt()), max(a.GetLastAt(), b.GetLastAt())) == ""
}

// join adds one due to another. It waits for the later, and is in doubt with either and what lies between.
func join(to, from *streamv1.Due) {
	to.Readings += from.GetReadings()
	to.FirstAt, to.LastAt = min(to.GetFirstAt(), from.GetFirstAt()), max(to.GetLastAt(), from.GetLastAt())
	to.AnchoredAt = max(to.GetAnchoredAt(), from.GetAnchoredAt())
}
