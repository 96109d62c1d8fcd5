package stream

import (
	"errors"
	"fmt"

	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// audit counts what belongs to a feed.
type audit struct {
	m       *Module
	r       state.Reader
	feeds   map[string]*streamv1.Feed
	devices map[string]uint32
	waits   map[string]uint64
	apart   map[place]uint64
	err     error
}

// Check verifies the invariants of the package comment.
func (m *Module) Check(r state.Reader) error {
	a := &audit{m: m, r: r, feeds: map[string]*streamv1.Feed{}, devices: map[string]uint32{}, waits: map[string]uint64{}, apart: map[place]uint64{}}
	feeds.Ascend(r, nil, func(id string, f *streamv1.Feed) bool {
		a.feeds[id] = f
		return a.note(a.feed(id, f), "feed %s", id)
	})
	quarantines.Ascend(r, nil, func(s spot, q *streamv1.Quarantined) bool {
		a.apart[s.place]++
		return a.note(a.quarantined(s, q), "reading %d of start %d of %s, in quarantine of %s", s.sequence, s.boot, s.device, s.feed)
	})
	reports.Ascend(r, nil, func(p place, report *streamv1.Report) bool {
		return a.note(a.report(p, report), "%s in %s", p.device, p.feed)
	})
	heads.Ascend(r, nil, func(device tx.Address, h *streamv1.Head) bool {
		return a.note(a.head(device, h), "head of %s", device)
	})
	feeds.Ascend(r, nil, func(id string, f *streamv1.Feed) bool { return a.note(a.totals(id, f), "feed %s", id) })
	waiting.Ascend(r, nil, func(id string, n uint64) bool {
		_, ok := a.feeds[id]
		if !ok || n == 0 {
			return a.note(errors.New("it is no feed, or nothing waits"), "what waits of %s", id)
		}
		return a.err == nil
	})
	return a.err
}

// note keeps the first error and says whether to go on.
func (a *audit) note(err error, format string, args ...any) bool {
	if a.err == nil && err != nil {
		a.err = fmt.Errorf(format+": %w", append(args, err)...)
	}
	return a.err == nil
}

func (a *audit) feed(id string, f *streamv1.Feed) error {
	operator, err := toAddress("operator", f.GetOperator())
	if err != nil {
		return err
	}
	funds, err := tx.ParseAmount(f.GetFunds())
	switch {
	case err != nil:
		return err
	case !reading.ValidFeed(id):
		return errors.New("its name is none")
	case !a.m.accounts.Exists(a.r, operator):
		return errors.New("its operator is no account")
	case f.GetClosedAt() != 0 && f.GetClosedAt() < f.GetOpenedAt():
		return errors.New("it was closed before it was opened")
	case !funds.IsZero() && f.GetTerms().GetPremium() == nil:
		return errors.New("it has funds and pays nothing")
	}
	return a.m.checkTerms(a.r, f.GetTerms())
}

func (a *audit) quarantined(s spot, q *streamv1.Quarantined) error {
	f, ok := a.feeds[s.feed]
	switch {
	case !ok || !reports.Has(a.r, s.place):
		return errors.New("its device does not report to such a feed")
	case a.apart[s.place] > MaxQuarantined:
		return errors.New("too many are there")
	case q.GetDeadline() < q.GetAnchoredAt() || len(q.GetAppealedBy()) != 0 && len(q.GetAppealedBy()) != 20:
		return errors.New("it is not whole")
	case f.GetTerms().GetPremium() != nil:
		a.waits[s.feed]++
	}
	return nil
}

func (a *audit) report(p place, r *streamv1.Report) error {
	f, ok := a.feeds[p.feed]
	if !ok {
		return errors.New("there is no such feed")
	}
	if _, ok := a.m.devices.Get(a.r, p.device); !ok {
		return errors.New("it is no device")
	}
	if r.GetDismissedAt() == 0 {
		a.devices[p.feed]++
	}
	due, last := uint64(0), int64(0)
	for _, d := range r.GetDue() {
		if d.GetReadings() == 0 || d.GetAnchoredAt() < last || d.GetFirstAt() > d.GetLastAt() {
			return errors.New("its dues are not in order")
		}
		due, last = due+d.GetReadings(), d.GetAnchoredAt()
	}
	a.waits[p.feed] += due
	earned := due + r.GetPaid() + r.GetForfeited() + r.GetUnpaid()
	head, seen := heads.Get(a.r, p.device)
	switch {
	case len(r.GetDue()) > MaxDues:
		return errors.New("it has too many dues")
	case f.GetTerms().GetPremium() == nil && earned != 0, f.GetTerms().GetPremium() != nil && earned != r.GetAccepted():
		return fmt.Errorf("%d readings were accepted, but %d wait, are paid, forfeited or came too soon", r.GetAccepted(), earned)
	case r.GetQuarantined() < a.apart[p]:
		return errors.New("more readings are in quarantine than ever were")
	case r.GetAccepted()+r.GetLate()+r.GetQuarantined()+r.GetRefused() > 0 && (!seen || head.GetBoot() == 0):
		return errors.New("there are readings of it, but no head")
	}
	return nil
}

func (a *audit) head(device tx.Address, h *streamv1.Head) error {
	if _, ok := a.m.devices.Get(a.r, device); !ok {
		return errors.New("it is no device")
	}
	if h.GetBoot() == 0 || h.GetSequence() == 0 || len(h.GetGaps()) > MaxGaps {
		return errors.New("it is not whole, or has too many gaps")
	}
	var last *streamv1.Gap
	for _, g := range h.GetGaps() {
		if g.GetFirst() == 0 || g.GetFirst() > g.GetLast() || g.GetBoot() < last.GetBoot() || g.GetBoot() == last.GetBoot() && g.GetFirst() <= last.GetLast() {
			return errors.New("its gaps are not in order")
		}
		last = g
	}
	if last.GetBoot() > h.GetBoot() || last.GetBoot() == h.GetBoot() && last.GetLast() >= h.GetSequence() {
		return errors.New("a gap is after it")
	}
	return nil
}

func (a *audit) totals(id string, f *streamv1.Feed) error {
	n, _ := waiting.Get(a.r, id)
	switch {
	case f.GetDevices() != a.devices[id]:
		return fmt.Errorf("%d devices report to it, but it counts %d", a.devices[id], f.GetDevices())
	case n != a.waits[id]:
		return fmt.Errorf("%d readings wait, but it counts %d", a.waits[id], n)
	}
	return nil
}
