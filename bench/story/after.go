package story

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// forge lets the cars drive on, changes the image of one, and lets them drive on.
func (p *play) forge(ctx context.Context) error {
	honest, err := p.drive(ctx, 2)
	if err != nil {
		return err
	}
	if err := forge(p.suspect.image(), forgedPercent); err != nil {
		return err
	}
	lies, err := p.drive(ctx, 3)
	if err != nil {
		return err
	}
	p.doubtful = slices.Concat(honest, lies)
	p.say("The cars drive on. Then somebody changes the file that %s runs, %s: from now on it reports %d%% of its speed.", p.suspect.name, p.suspect.image(), forgedPercent)
	p.say("Nothing of that is on the ledger, and what the car says is possible: its readings are accepted.")
	p.scene.Page = p.scene.Pages.Feed
	return p.ask(ctx, "May I rely on what "+p.suspect.name+" says", last(lies), true)
}

// payForged pays what nobody doubts yet, and lets the cars report a little more.
func (p *play) payForged(ctx context.Context) error {
	p.paidDoubtful = len(p.doubtful)
	if err := p.settle(ctx, p.paidDoubtful, p.paidDoubtful, 0); err != nil {
		return err
	}
	p.payments = slices.Clone(p.scene.Transactions)
	more, err := p.drive(ctx, 2)
	if err != nil {
		return err
	}
	p.doubtful = append(p.doubtful, more...)
	p.say("The window passes and nobody has found out: %s is paid %d %s like the others. Two more readings of each wait for their window.", p.suspect.name, p.paidDoubtful*premium, asset)
	return nil
}

// find asks for evidence: all members suspend the car in the block that has it.
func (p *play) find(ctx context.Context) error {
	asked := time.Now()
	devices, err := p.evidence(ctx, p.cars...)
	if err != nil {
		return err
	}
	took := time.Since(asked)
	wrong, err := digest(p.suspect.image())
	if err != nil {
		return err
	}
	for i, d := range devices {
		want := "active"
		if p.cars[i] == p.suspect {
			want = "suspended"
		}
		if err := must(d.GetState() == want, "%s is %s", p.cars[i].name, d.GetState()); err != nil {
			return err
		}
		if want == "suspended" {
			p.found = d.GetDoubts()[len(d.GetDoubts())-1]
		}
	}
	if err := must(p.found.GetFinding() == "unregistered" && p.found.GetFound() == fmt.Sprintf("%x", wrong), "the ledger found %q, %s", p.found.GetFinding(), p.found.GetFound()); err != nil {
		return err
	}
	p.note("evidence of "+p.suspect.name, p.found.GetTransaction())
	height, err := p.everywhere(ctx)
	if err != nil {
		return err
	}
	p.say("The insurer asks for evidence. %s measures a file with the SHA-256 %x, which the maker has not registered.", p.suspect.name, wrong)
	p.say("Every member suspends it in the block that has the evidence, %d, %.1f s after it was asked. What it said since its last good evidence is in doubt: nobody knows when the file was changed.", height, took.Seconds())
	if err := p.ask(ctx, "May I rely on a reading from before its last good evidence", last(p.old), true); err != nil {
		return err
	}
	if err := p.ask(ctx, "On one from after it, but before the file was changed", p.doubtful[0], false); err != nil {
		return err
	}
	return p.ask(ctx, "On the one that I was told I may rely on, before it was found out", p.doubtful[4], false)
}

// everywhere checks that the block with the evidence has suspended the car at every member, and returns its height.
func (p *play) everywhere(ctx context.Context) (int64, error) {
	t, _, err := p.Client.FindRaw(ctx, p.found.GetTransaction())
	if err != nil {
		return 0, err
	}
	height, suspended := t.GetOutcome().GetHeight(), false
	for _, e := range t.GetOutcome().GetEvents() {
		suspended = suspended || e.GetName() == "device.suspended" && e.GetFields().GetFields()["device"].GetStringValue() == p.suspect.address.String()
	}
	if err := must(suspended, "the evidence %s has suspended nobody", p.found.GetTransaction()); err != nil {
		return 0, err
	}
	for i, m := range p.members {
		if err := until(ctx, p.Nodes[i]+" has the block", func(ctx context.Context) (bool, error) {
			s, err := m.Status(ctx)
			return s.GetHeight() >= height, err
		}); err != nil {
			return 0, err
		}
		d, err := m.Device(ctx, p.suspect.address)
		if err != nil {
			return 0, err
		}
		if err := must(d.GetState() == "suspended", "%s has the block and says that the car is %s", p.Nodes[i], d.GetState()); err != nil {
			return 0, err
		}
	}
	return height, nil
}

// mark lists what leaned on the car, and checks that it is all, and nothing else.
func (p *play) mark(ctx context.Context) error {
	var taint *apiv1.TaintResponse
	if err := until(ctx, "all that leaned on the car is listed", func(ctx context.Context) (ok bool, err error) {
		taint, err = p.Client.Taint(ctx, p.suspect.address)
		return len(taint.GetFeeds()) == 1 && taint.GetFeeds()[0].GetAccepted() == uint64(len(p.doubtful)), err
	}); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, t := range p.doubtful {
		wanted[name(t)] = true
	}
	for r, err := range p.Client.Readings(ctx, &apiv1.ListReadingsRequest{Feed: p.feed, Tainted: true}) {
		if err != nil {
			return err
		}
		called := fmt.Sprintf("reading %d·%d", r.GetBoot(), r.GetSequence())
		if err := must(r.GetDevice() == p.suspect.address.String() && wanted[called], "%s of %s is marked", called, r.GetDevice()); err != nil {
			return err
		}
		delete(wanted, called)
		p.note(fmt.Sprintf("%s, %s %s, taken %s", called, r.GetValue(), unit, r.GetTakenAt()), r.GetTransaction())
	}
	if err := must(len(wanted) == 0, "%d readings are not marked", len(wanted)); err != nil {
		return err
	}
	paid := uint64(0)
	for _, s := range taint.GetSettlements() {
		if err := must(slices.ContainsFunc(p.payments, func(t Transaction) bool { return t.ID == s.GetTransaction() }), "the payment %s is marked", s.GetTransaction()); err != nil {
			return err
		}
		paid += s.GetPaid()
		p.note(fmt.Sprintf("payment of %s %s for %d readings", s.GetAmount(), s.GetAsset(), s.GetPaid()), s.GetTransaction())
	}
	p.say("The ledger marks %d readings of %s and the payment of %d %s that leaned on them, and nothing of the other cars.", len(p.doubtful), p.suspect.name, p.paidDoubtful*premium, asset)
	p.scene.Page = p.scene.Pages.Feed
	if err := must(paid == uint64(p.paidDoubtful), "payments of %d readings are marked", paid); err != nil {
		return err
	}
	if err := p.askValue(ctx, "How fast are the cars now", nil, 2); err != nil {
		return err
	}
	if err := p.askValue(ctx, "How fast were they when the forged one was still believed", &p.doubtful[4], 2); err != nil {
		return err
	}
	return p.askValue(ctx, "How fast were they before", &p.old[len(p.old)-1], 3)
}

// forfeit lets the suspended car report, and settles.
func (p *play) forfeit(ctx context.Context) error {
	apart, err := p.suspect.report(ctx, p.feed, p.suspect.speed)
	if err != nil {
		return err
	}
	p.sent = time.Now()
	r, err := p.reading(ctx, apart)
	if err != nil {
		return err
	}
	p.note(name(apart), r.GetTransaction())
	if err := must(r.GetVerdict() == "quarantined" && r.GetReason() == "suspended", "what the suspended car says is %s", apart.verdict); err != nil {
		return err
	}
	unpaid := len(p.doubtful) - p.paidDoubtful
	if err := p.settle(ctx, unpaid, 0, unpaid); err != nil {
		return err
	}
	p.say("What %s says while it is suspended is kept apart (%s). The %d readings that waited for their window are forfeited; the other cars are paid theirs.", p.suspect.name, apart.verdict, unpaid)
	return nil
}

// repair puts the maker's image back, starts the car again, and asks it.
func (p *play) repair(ctx context.Context) error {
	if err := p.suspect.off(); err != nil {
		return err
	}
	if err := p.install(p.suspect); err != nil {
		return err
	}
	if err := p.suspect.start(); err != nil {
		return err
	}
	devices, err := p.evidence(ctx, p.suspect)
	if err != nil {
		return err
	}
	d := devices[0]
	doubts := d.GetDoubts()
	if err := must(d.GetState() == "active" && len(doubts) == 1 && doubts[0].GetUntil() != "", "the car is %s, with %d doubts", d.GetState(), len(doubts)); err != nil {
		return err
	}
	p.say("The garage puts the maker's file back and starts %s again. Its evidence is good and readmits it. The doubt about the time until now stays.", p.suspect.name)
	return nil
}

// trust lets the cars drive again and asks about all three times.
func (p *play) trust(ctx context.Context) error {
	var err error
	if p.fresh, err = p.drive(ctx, 3); err != nil {
		return err
	}
	p.say("The cars drive on, and the insurer asks about each time.")
	p.scene.Page = p.scene.Pages.Feed
	if err := p.ask(ctx, "May I rely on a reading from before its last good evidence", last(p.old), true); err != nil {
		return err
	}
	for _, t := range p.doubtful {
		if err := p.ask(ctx, "On one of the time in doubt", t, false); err != nil {
			return err
		}
	}
	if err := p.ask(ctx, "On one from after the repair", last(p.fresh), true); err != nil {
		return err
	}
	return p.askValue(ctx, "How fast are the cars now", nil, 3)
}

// payLast pays the last readings and counts all money.
func (p *play) payLast(ctx context.Context) error {
	if err := p.settle(ctx, len(p.fresh), len(p.fresh), 0); err != nil {
		return err
	}
	sum := 0
	for _, c := range p.cars {
		sum += c.earned * premium
	}
	got, err := p.Client.Feed(ctx, p.feed)
	if err != nil {
		return err
	}
	p.say("The cars have %d %s together, the feed has %s left of %d: no money was made or lost.", sum, asset, got.GetFeed().GetFunds(), funds)
	return must(got.GetFeed().GetFunds() == strconv.Itoa(funds-sum), "the feed has %s left", got.GetFeed().GetFunds())
}
