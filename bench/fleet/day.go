package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// How long the cars may take to get rid of what they have, or to answer, and how often that is looked at.
const (
	patience = 3 * time.Minute
	askAgain = 100 * time.Millisecond
	// named is how many devices one action names, and how many actions one transaction has.
	named = 100
	// working is how many cars are looked after at once.
	working = 32
)

// drive lets the day pass. A simulated hour takes at least as long as asked for; while the cars are asked for evidence and are paid
// the day stands still.
func (r *run) drive(ctx context.Context) error {
	steps := 60 / r.EveryMinutes
	step := time.Duration(r.HourMS) * time.Millisecond / time.Duration(steps)
	for hour := range r.Hours {
		if err := r.happen(hour); err != nil {
			return err
		}
		for range steps {
			next := time.Now().Add(step)
			if err := r.each(func(c *car) error { return c.report(hour) }); err != nil {
				return err
			}
			select {
			case <-time.After(time.Until(next)):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if done := hour + 1; done%r.askEvery() == 0 || done == r.Hours {
			if err := r.round(ctx, done); err != nil {
				return err
			}
		}
		r.progress(hour + 1)
	}
	return nil
}

// happen does to the cars what the plan has for an hour.
func (r *run) happen(hour int) error {
	for _, c := range r.cars {
		if c.Fault != Liar {
			continue
		}
		if c.From == hour {
			c.tamper()
			r.say("%s  %s is tampered with", clock(hour), c.name)
		}
		if c.Repaired == hour && hour > 0 {
			if err := c.repair(); err != nil {
				return err
			}
			r.say("%s  %s is repaired and started again", clock(hour), c.name)
		}
	}
	return nil
}

// round asks all cars for evidence, notes who is found, and pays what was earned.
func (r *run) round(ctx context.Context, hour int) error {
	if err := r.drained(ctx); err != nil {
		return err
	}
	err := r.chunks(ctx, r.cars, func(draft *client.Draft, part []*car) {
		for _, c := range part {
			draft.ChallengeDevice(r.maker.Key().Address(), c.address)
		}
	}, r.maker)
	if err != nil {
		return fmt.Errorf("asking for evidence: %w", err)
	}
	devices, err := r.evidence(ctx)
	if err != nil {
		return err
	}
	for i, c := range r.cars {
		suspended := devices[i].GetState() == "suspended"
		if suspended && !r.suspended[c] {
			r.found[c] = hour
			r.say("%s  %s is found out: %s", clock(hour), c.name, lastDoubt(devices[i]).GetFinding())
		}
		if !suspended && r.suspended[c] {
			r.readmitted[c] = hour
			r.say("%s  %s is readmitted", clock(hour), c.name)
		}
		r.suspended[c] = suspended
	}
	r.devices = devices
	return r.settle(ctx)
}

func lastDoubt(d *apiv1.Device) *apiv1.Doubt {
	if n := len(d.GetDoubts()); n > 0 {
		return d.GetDoubts()[n-1]
	}
	return nil
}

// drained waits until every car has an answer to all it said.
func (r *run) drained(ctx context.Context) error {
	return r.until(ctx, "the cars do not get rid of their readings", func() (bool, error) {
		for _, c := range r.cars {
			select {
			case <-c.device.Ended():
				return false, fmt.Errorf("%s stopped: %w", c.name, errors.Join(c.device.Err(), errors.New("it should go on")))
			default:
			}
			if c.waits() {
				return false, nil
			}
		}
		return true, nil
	})
}

// evidence waits until every car has answered, and returns all.
func (r *run) evidence(ctx context.Context) ([]*apiv1.Device, error) {
	devices := make([]*apiv1.Device, len(r.cars))
	err := r.until(ctx, "some cars do not answer their challenge", func() (bool, error) {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(working)
		for i, c := range r.cars {
			if devices[i] != nil && devices[i].GetNonce() == "" {
				continue
			}
			group.Go(func() (err error) {
				devices[i], err = r.client.Device(ctx, c.address)
				return err
			})
		}
		err := group.Wait()
		for _, d := range devices {
			if d.GetNonce() != "" {
				return false, err
			}
		}
		return true, err
	})
	return devices, err
}

// settle pays until nothing waits: every reading is confirmed by the evidence just given, or in doubt.
func (r *run) settle(ctx context.Context) error {
	byAddress := make(map[string]*car, len(r.cars))
	for _, c := range r.cars {
		byAddress[c.address.String()] = c
	}
	for i := range r.feeds {
		if err := r.settleFeed(ctx, i, byAddress); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) settleFeed(ctx context.Context, i int, byAddress map[string]*car) error {
	return r.until(ctx, "some of what was earned is not paid", func() (bool, error) {
		got, err := r.client.Feed(ctx, feedName(i))
		if err != nil {
			return false, err
		}
		var due []*car
		for _, s := range got.GetSources() {
			if s.GetDue() > 0 {
				due = append(due, byAddress[s.GetDevice()])
			}
		}
		if len(due) == 0 {
			r.feeds[i] = got
			return true, nil
		}
		err = r.chunks(ctx, due, func(draft *client.Draft, part []*car) {
			addresses := make([]tx.Address, len(part))
			for j, c := range part {
				addresses[j] = c.address
			}
			draft.SettleFeed(r.insurer.Key().Address(), feedName(i), addresses...)
		}, r.insurer)
		if refusal := (*client.Refusal)(nil); errors.As(err, &refusal) && refusal.Code == "stream.nothing_due" {
			err = nil // the dispute window
		}
		return false, err
	})
}

// until tries again and again until done says so.
func (r *run) until(ctx context.Context, what string, done func() (bool, error)) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return errors.New(what + " within " + patience.String())
}

// each does something with every car.
func (r *run) each(do func(*car) error) error {
	var group errgroup.Group
	group.SetLimit(working)
	for _, c := range r.cars {
		group.Go(func() error { return do(c) })
	}
	return group.Wait()
}

// chunks has an account act on cars in transactions of at most named.
func (r *run) chunks(ctx context.Context, cars []*car, add func(*client.Draft, []*car), signers ...tx.Signer) error {
	for from := 0; from < len(cars); from += named {
		draft := client.NewTransaction(r.id)
		add(draft, cars[from:min(from+named, len(cars))])
		if err := r.do(ctx, draft, signers...); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) do(ctx context.Context, draft *client.Draft, signers ...tx.Signer) error {
	outcome, err := r.client.Do(ctx, draft, signers...)
	if err != nil {
		return err
	}
	return client.Check(outcome)
}

func clock(hour int) string { return fmt.Sprintf("day %d %02d:00", hour/24+1, hour%24) }
