package stream

import (
	"fmt"

	"github.com/holiman/uint256"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// workRun is what an event of settle costs, in units of work: a device that was often in doubt has many, and an outcome has to fit in a receipt.
const workRun = 150

// settling is one stream.settle action at work.
type settling struct {
	m      *Module
	c      *exec.Context
	id     string
	terms  *streamv1.Terms
	amount uint256.Int // for a reading
	funds  uint256.Int // that are left
	done   uint64      // readings paid, forfeited, or dropped from quarantine
}

// settle pays devices for readings whose dispute window has passed, as far as the funds go, and strikes out those of times in doubt.
func (m *Module) settle(c *exec.Context, call *streamv1.Settle) error {
	f, err := find(c.View, call.GetFeed())
	if err != nil {
		return err
	}
	premium := f.GetTerms().GetPremium()
	if premium == nil {
		return noPremium(call.GetFeed())
	}
	devices, err := named(call.GetDevices())
	if err != nil {
		return err
	}
	s := &settling{m: m, c: c, id: call.GetFeed(), terms: f.GetTerms(), amount: stored(premium.GetAmount()), funds: stored(f.GetFunds())}
	for _, a := range devices {
		if err := s.device(place{s.id, a}); err != nil {
			return err
		}
	}
	addWaiting(c.View, s.id, -int64(s.done))
	f.Funds = tx.FormatAmount(s.funds)
	returned, err := m.giveBack(c, s.id, f)
	if err != nil {
		return err
	}
	if s.done == 0 && !returned {
		return fault.New("stream.nothing_due", "Nothing that these devices have earned can be paid now: it waits for the dispute window, for evidence, or for funds.",
			"feed", s.id, "funds", f.GetFunds())
	}
	feeds.Set(c.View, s.id, f)
	return nil
}

// device settles with one device.
func (s *settling) device(p place) error {
	r, err := admitted(s.c.View, p)
	if err != nil {
		return err
	}
	_, dropped := expire(s.c.View, p, s.c.Time)
	s.done += uint64(dropped)
	d, _ := s.m.devices.Get(s.c.View, p.device)
	var runs []*streamv1.Settled
	paid, forfeited := r.GetPaid(), r.GetForfeited()
	keep := r.GetDue()[:0]
	for _, due := range r.GetDue() {
		pay, forfeit := s.judge(d, due)
		runs = record(runs, due, pay, forfeit)
		r.Paid, r.Forfeited = r.GetPaid()+pay, r.GetForfeited()+forfeit
		if due.Readings -= pay + forfeit; due.GetReadings() > 0 {
			keep = append(keep, due)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	r.Due = keep
	reports.Set(s.c.View, p, r)
	s.done += r.GetPaid() - paid + r.GetForfeited() - forfeited
	if n := r.GetPaid() - paid; n > 0 {
		if err := s.m.assets.Pay(s.c.View, s.terms.GetPremium().GetAsset(), p.device, s.cost(n)); err != nil {
			return err
		}
	}
	s.c.View.Spend(workRun * uint64(len(runs)))
	for _, e := range runs {
		e.Feed, e.Device, e.Asset, e.Amount = p.feed, p.device[:], s.terms.GetPremium().GetAsset(), tx.FormatAmount(s.cost(e.GetPaid()))
		s.c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamSettled{StreamSettled: e}})
	}
	return nil
}

// judge says how many readings of a due are paid now, taking that from the funds, or never will be.
func (s *settling) judge(d *devicev1.Device, due *streamv1.Due) (pay, forfeit uint64) {
	now, all := s.c.Time, due.GetReadings()
	switch {
	case now-due.GetAnchoredAt() < s.terms.GetPremium().GetDisputeMs():
		return 0, 0
	case s.m.devices.Doubted(d, due.GetFirstAt(), due.GetLastAt()) != "":
		return 0, all
	case s.terms.GetPremium().GetConfirmed() && (d.GetLastGoodAt() < due.GetLastAt() || d.GetLevel() < s.terms.GetMinLevel()):
		if d.GetState() == devicev1.State_STATE_REVOKED || now-due.GetAnchoredAt() > ConfirmMs {
			return 0, all // no evidence comes any more
		}
		return 0, 0
	}
	pay = all
	var most uint256.Int
	if most.Div(&s.funds, &s.amount); most.LtUint64(all) {
		pay = most.Uint64()
	}
	cost := s.cost(pay)
	s.funds.Sub(&s.funds, &cost)
	return pay, 0
}

// cost is what readings earn: at most the funds, so below 2^128.
func (s *settling) cost(readings uint64) uint256.Int {
	cost := *uint256.NewInt(readings)
	cost.Mul(&cost, &s.amount)
	return cost
}

// record adds what became of a due to the events of a device: one for each run of dues that are paid, or forfeited.
func record(runs []*streamv1.Settled, due *streamv1.Due, pay, forfeit uint64) []*streamv1.Settled {
	if pay+forfeit == 0 {
		return runs
	}
	if n := len(runs); n > 0 && (runs[n-1].GetPaid() > 0) == (pay > 0) {
		last := runs[n-1]
		last.FirstAt, last.LastAt = min(last.GetFirstAt(), due.GetFirstAt()), max(last.GetLastAt(), due.GetLastAt())
		last.Paid, last.Forfeited = last.GetPaid()+pay, last.GetForfeited()+forfeit
		return runs
	}
	return append(runs, &streamv1.Settled{FirstAt: due.GetFirstAt(), LastAt: due.GetLastAt(), Paid: pay, Forfeited: forfeit})
}

// fund adds to what a feed pays from.
func (m *Module) fund(c *exec.Context, call *streamv1.Fund) error {
	f, err := find(c.View, call.GetFeed())
	if err != nil {
		return err
	}
	premium := f.GetTerms().GetPremium()
	if premium == nil {
		return noPremium(call.GetFeed())
	}
	if f.GetClosedAt() != 0 && addWaiting(c.View, call.GetFeed(), 0) == 0 {
		return closed(call.GetFeed(), f)
	}
	amount, err := tx.ParseAmount(call.GetAmount())
	if err != nil {
		return err
	}
	if amount.IsZero() {
		return fault.New("amount.zero", "The amount is zero; nothing would move.", "amount", call.GetAmount())
	}
	if err := m.assets.Reserve(c, premium.GetAsset(), tx.Address(f.GetOperator()), amount); err != nil {
		return err
	}
	funds := stored(f.GetFunds())
	funds.Add(&funds, &amount) // at most the supply
	f.Funds = tx.FormatAmount(funds)
	feeds.Set(c.View, call.GetFeed(), f)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamFunded{StreamFunded: &streamv1.Funded{
		Feed: call.GetFeed(), Asset: premium.GetAsset(), Amount: call.GetAmount(), By: c.Actor[:],
	}}})
	return nil
}

func noPremium(feed string) error {
	return fault.New("stream.no_premium", fmt.Sprintf("The feed %.40q pays nothing for readings.", feed), "feed", feed)
}

// stored reads an amount the ledger wrote.
func stored(s string) uint256.Int {
	amount, err := tx.ParseAmount(s)
	if err != nil {
		panic(fmt.Sprintf("stream: stored amount: %v", err))
	}
	return amount
}
