package stream

import (
	"math"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// reporter is a device whose readings are in an action.
type reporter struct {
	*anchoring
	address tx.Address
	// device is nil if nothing that the key signs counts as the device's.
	device  *devicev1.Device
	head    *streamv1.Head
	moved   bool // the head has
	reports []*reportAt
	event   *streamv1.Reported
}

// reportAt is what is kept of the device in one feed.
type reportAt struct {
	feed *feedAt
	// report is nil if the device does not report to the feed.
	report  *streamv1.Report
	changed bool
	// room is for how many more readings quarantine has room, -1 before anybody has looked.
	room int
}

func (a *anchoring) newReporter(given *tx.Source) *reporter {
	s := &reporter{anchoring: a, address: given.Device, event: &streamv1.Reported{
		Device: given.Device[:], First: uint32(len(a.leaves)), Verdicts: make([]byte, 0, len(given.Readings)),
	}}
	d, ok := a.m.devices.Get(a.c.View, s.address)
	if !ok {
		return s
	}
	s.event.Firmware, s.event.Level, s.event.Suspended = d.GetFirmware(), d.GetLevel(), d.GetState() == devicev1.State_STATE_SUSPENDED
	if !a.speaks(s.address, d, given.Key) {
		return s
	}
	s.device = d
	if s.head, ok = heads.Get(a.c.View, s.address); !ok {
		s.head = &streamv1.Head{}
	}
	return s
}

// speaks says whether what a key signs is the device's word.
func (a *anchoring) speaks(address tx.Address, d *devicev1.Device, key tx.Key) bool {
	if d.GetState() == devicev1.State_STATE_REVOKED {
		return false
	}
	acts, ok := a.m.accounts.KeyOf(a.c.View, address, a.c.Time)
	return ok && acts == key.Address()
}

// save stores what the readings have changed.
func (s *reporter) save() {
	if s.moved {
		heads.Set(s.c.View, s.address, s.head)
	}
	for _, at := range s.reports {
		if at.changed {
			reports.Set(s.c.View, place{at.feed.id, s.address}, at.report)
		}
	}
}

// follow moves the head to a reading and notes what is missing before it, or says that it does not come after those seen.
func (s *reporter) follow(r *reading.Reading) bool {
	h := s.head
	if r.Boot < h.GetBoot() || r.Boot == h.GetBoot() && r.Sequence <= h.GetSequence() {
		return false
	}
	expected := uint64(1)
	if r.Boot == h.GetBoot() {
		expected = h.GetSequence() + 1
	}
	if r.Sequence > expected {
		gap := &streamv1.Gap{Boot: r.Boot, First: expected, Last: r.Sequence - 1, SeenAt: s.c.Time}
		if n := len(h.GetGaps()); n >= MaxGaps {
			h.Gaps = h.GetGaps()[n-MaxGaps+1:]
		}
		h.Gaps = append(h.GetGaps(), gap)
		if missing := r.Sequence - expected; missing > math.MaxUint64-h.GetMissing() {
			h.Missing = math.MaxUint64
		} else {
			h.Missing += missing
		}
		s.event.Gaps = append(s.event.Gaps, gap)
	}
	h.Boot, h.Sequence, s.moved = r.Boot, r.Sequence, true
	return true
}

// at finds what is kept of the device in a feed, once in an action.
func (s *reporter) at(feed string) *reportAt {
	for _, at := range s.reports {
		if at.feed.id == feed {
			return at
		}
	}
	at := &reportAt{feed: s.feed(feed), room: -1}
	if at.feed.feed != nil {
		if r, ok := reports.Get(s.c.View, place{feed, s.address}); ok && r.GetDismissedAt() == 0 {
			at.report = r
		}
	}
	s.reports = append(s.reports, at)
	return at
}
