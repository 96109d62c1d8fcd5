package stream

import (
	"bytes"
	"fmt"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
)

// appeal asks the operator to look at a quarantined reading again, once, and gives it time for that.
func (m *Module) appeal(c *exec.Context, call *streamv1.Appeal) error {
	if err := text.Check("stream.bad_text", "reason", call.GetReason(), 1, MaxReason); err != nil {
		return err
	}
	f, err := find(c.View, call.GetFeed())
	if err != nil {
		return err
	}
	s, q, err := apart(c, call)
	if err != nil {
		return err
	}
	d, _ := m.devices.Get(c.View, s.device)
	if c.Actor != s.device && !bytes.Equal(c.Actor[:], d.GetOwner()) && !bytes.Equal(c.Actor[:], d.GetMaker()) {
		return fault.New("stream.not_entitled", "Only the device, its owner and its maker may appeal.", "device", s.device, "actor", c.Actor)
	}
	if len(q.GetAppealedBy()) > 0 {
		return fault.New("stream.appealed", "Somebody has appealed already. The operator decides.", "feed", s.feed, "device", s.device, "deadline", q.GetDeadline())
	}
	q.AppealedBy, q.Appeal, q.Deadline = c.Actor[:], call.GetReason(), c.Time+f.GetTerms().GetAppealMs()
	quarantines.Set(c.View, s, q)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamAppealed{StreamAppealed: &streamv1.Appealed{
		Feed: s.feed, Device: s.device[:], Boot: s.boot, Sequence: s.sequence, By: c.Actor[:],
	}}})
	return nil
}

// decide ends a quarantine. A reading that counts after all is paid like others, from now on, but never becomes the feed's value.
func (m *Module) decide(c *exec.Context, call *streamv1.Decide) error {
	if err := text.Check("stream.bad_text", "reason", call.GetReason(), 1, MaxReason); err != nil {
		return err
	}
	f, err := operated(c, call.GetFeed())
	if err != nil {
		return err
	}
	s, q, err := apart(c, call)
	if err != nil {
		return err
	}
	quarantines.Delete(c.View, s)
	premium, waits := f.GetTerms().GetPremium(), int64(0)
	if premium != nil {
		waits--
	}
	if call.GetAccept() {
		r, err := admitted(c.View, s.place)
		if err != nil {
			return err
		}
		d, _ := m.devices.Get(c.View, s.device)
		if why := m.devices.Doubted(d, q.GetTakenAt(), q.GetAnchoredAt()); why != "" {
			return fault.New("stream.in_doubt", "The reading cannot count, as the device is in doubt for that time: "+why+". Reject it, or let the deadline pass.",
				"feed", s.feed, "device", s.device)
		}
		waits += m.earn(r, premium, d, q.GetTakenAt(), q.GetAnchoredAt(), c.Time)
		reports.Set(c.View, s.place, r)
	}
	addWaiting(c.View, s.feed, waits)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamDecided{StreamDecided: &streamv1.Decided{
		Feed: s.feed, Device: s.device[:], Boot: s.boot, Sequence: s.sequence, Accept: call.GetAccept(),
	}}})
	return nil
}

// naming is a call that names one reading.
type naming interface {
	GetFeed() string
	GetDevice() []byte
	GetBoot() uint64
	GetSequence() uint64
}

// apart finds a reading in quarantine whose deadline has not passed.
func apart(c *exec.Context, call naming) (spot, *streamv1.Quarantined, error) {
	device, err := toAddress("device", call.GetDevice())
	if err != nil {
		return spot{}, nil, err
	}
	s := spot{place{call.GetFeed(), device}, call.GetBoot(), call.GetSequence()}
	q, ok := quarantines.Get(c.View, s)
	if !ok {
		return s, nil, fault.New("stream.not_quarantined", fmt.Sprintf("Reading %d of start %d of %s is not in quarantine of %.40q.", s.sequence, s.boot, device, s.feed),
			"feed", s.feed, "device", device, "boot", s.boot, "sequence", s.sequence)
	}
	if c.Time > q.GetDeadline() {
		return s, nil, fault.New("stream.too_late", "The deadline has passed; the reading stays out.", "deadline", q.GetDeadline(), "time", c.Time)
	}
	return s, q, nil
}

// expire drops from quarantine what no one may decide about any more, and counts what is kept and dropped.
func expire(v *state.View, p place, now int64) (kept, dropped int) {
	var over []spot
	quarantines.Ascend(v, places.Append(nil, p), func(s spot, q *streamv1.Quarantined) bool {
		if now > q.GetDeadline() {
			over = append(over, s)
		} else {
			kept++
		}
		return true
	})
	for _, s := range over {
		quarantines.Delete(v, s)
	}
	return kept, len(over)
}
