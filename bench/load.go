package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dureledger/dure/client"
)

const (
	// chunk is how many payments one call carries under saturation.
	chunk = 500
	// tick is how often calls are made at a fixed rate.
	tick = 20 * time.Millisecond
	// warmUp is how long a round offers load before its clock starts.
	warmUp = 4 * time.Second
)

// load offers the payments in rounds and notes what became of each.
func (r *run) load(ctx context.Context) error {
	for done := 0; done < r.Seconds; {
		span := min(r.Seconds-done, roundSeconds)
		if err := r.turn(ctx, span); err != nil {
			return err
		}
		done += span
		r.say("%3d s: %s committed a second so far.", done, count(int(r.report.rate())))
	}
	r.report.finish()
	return nil
}

// turn signs payments for so many seconds and offers them in one round. The first one measures verifying in between.
func (r *run) turn(ctx context.Context, seconds int) error {
	start := time.Now()
	payments, err := r.sign(r.need(seconds))
	if err != nil {
		return err
	}
	r.say("Signed %s payments in %.1f s.", count(len(payments)), time.Since(start).Seconds())
	if len(r.samples.txs) == 0 {
		if err := r.sample(payments); err != nil {
			return err
		}
		if err := r.verifying(); err != nil {
			return err
		}
	}
	return r.round(ctx, payments, time.Duration(seconds)*time.Second)
}

// need is how many payments to sign for a round: under saturation more than can be verified in the time, as nothing is
// verified but them.
func (r *run) need(seconds int) int {
	if r.Rate > 0 {
		return int(r.Rate * (warmUp.Seconds() + float64(seconds)))
	}
	perSecond := assumedVerify / r.mix.work() * float64(r.report.Cores) / float64(r.report.Members)
	if r.report.LimitPerS > 0 {
		perSecond = r.report.LimitPerS
	}
	return max(int(perSecond*0.65*(warmUp.Seconds()+float64(seconds))), chunk*r.report.Members)
}

// assumedVerify is how many Ed25519 signatures a core verifies a second before it has been measured.
const assumedVerify = 55_000

// round offers payments for as long as the clock runs and waits for every answer.
func (r *run) round(parent context.Context, payments []payment, span time.Duration) error {
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	var wg sync.WaitGroup
	send := func(part []payment, member *client.Client) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := r.send(ctx, part, member); err != nil {
				stop(err)
			}
		}()
	}
	disturbed := r.report.base == 0 && (r.net.Restart != nil || r.net.Join != nil)
	return r.measure(span, func() error {
		if disturbed {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := r.disturb(ctx, warmUp+span/2); err != nil {
					stop(err)
				}
			}()
		}
		if r.Rate > 0 {
			r.paced(ctx, payments, send)
		} else {
			wg.Add(len(r.members) * r.lanes())
			parts := make(chan []payment)
			for i := range len(r.members) * r.lanes() {
				go func() {
					defer wg.Done()
					for part := range parts {
						if err := r.send(ctx, part, r.members[i%len(r.members)]); err != nil {
							stop(err)
						}
					}
				}()
			}
			r.saturate(ctx, payments, warmUp+span, parts)
		}
		wg.Wait()
		return context.Cause(ctx)
	})
}

// lanes is how many calls wait at one member at once.
func (r *run) lanes() int { return max(1, r.InFlight/chunk/len(r.members)) }

func (r *run) saturate(ctx context.Context, payments []payment, span time.Duration, parts chan<- []payment) {
	defer close(parts)
	over := time.After(span)
	for len(payments) > 0 {
		n := min(chunk, len(payments))
		select {
		case parts <- payments[:n]:
			payments = payments[n:]
		case <-over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// paced offers a fixed rate, whatever the answers.
func (r *run) paced(ctx context.Context, payments []payment, send func([]payment, *client.Client)) {
	start, clock := time.Now(), time.NewTicker(tick)
	defer clock.Stop()
	for sent, turn := 0, 0; sent < len(payments); turn++ {
		select {
		case <-clock.C:
		case <-ctx.Done():
			return
		}
		due := min(int(time.Since(start).Seconds()*r.Rate), len(payments))
		if due > sent {
			send(payments[sent:due], r.members[turn%len(r.members)])
			sent = due
		}
	}
}

// send offers some payments in one call and books what became of them.
func (r *run) send(ctx context.Context, part []payment, member *client.Client) error {
	txs := make([]*client.Signed, len(part))
	for i, p := range part {
		txs[i] = p.signed
	}
	start := time.Now()
	results := member.SubmitMany(ctx, txs)
	took, ok := time.Since(start), 0
	for i, result := range results {
		switch {
		case result.Err != nil:
			return fmt.Errorf("bench: payment %s: %w", result.ID, result.Err)
		case result.Outcome.GetStatus() != client.StatusOK:
			return fmt.Errorf("bench: payment %s: %w", result.ID, errors.Join(client.Check(result.Outcome)))
		}
		r.mix[part[i].from.kind].count(part[i].signed)
		part[i].from.balance.Add(-part[i].amount)
		part[i].to.balance.Add(part[i].amount)
		ok++
	}
	r.report.book(part, ok, start, took)
	return nil
}
