package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dureledger/dure/client"
)

// catchUpTimeout bounds how long a member may take to catch up.
const catchUpTimeout = 2 * time.Minute

// disturb does to the network, in the middle of the first round, what it was asked to: it kills a member, or takes one
// in, and measures how long it takes until that member is where the others are.
func (r *run) disturb(ctx context.Context, after time.Duration) error {
	select {
	case <-time.After(after):
	case <-ctx.Done():
		return nil
	}
	if r.net.Restart != nil {
		if err := r.restart(ctx); err != nil {
			return err
		}
	}
	if r.net.Join != nil {
		return r.join(ctx)
	}
	return nil
}

// restart kills the last member and starts it again.
func (r *run) restart(ctx context.Context) error {
	last := len(r.net.APIs) - 1
	if last == 0 {
		return errors.New("bench: a network of one member stands still while it is killed; want more members")
	}
	r.say("Killing member %d and starting it again…", last+1)
	if err := r.net.Restart(last); err != nil {
		return fmt.Errorf("bench: restart: %w", err)
	}
	var err error
	if _, r.report.RestartS, err = r.caughtUp(ctx, r.net.APIs[last]); err == nil {
		r.say("Caught up after %.1f s.", r.report.RestartS)
	}
	return err
}

// join takes in one more member, without a vote on blocks until it has caught up.
func (r *run) join(ctx context.Context) error {
	r.say("One more member joins…")
	api, empower, err := r.net.Join(ctx)
	if err != nil {
		return fmt.Errorf("bench: join: %w", err)
	}
	if r.joined, r.report.JoinS, err = r.caughtUp(ctx, api); err != nil {
		return err
	}
	r.joinedAPI = api
	r.say("Caught up after %.1f s; the members vote for its power…", r.report.JoinS)
	if err := empower(ctx); err != nil {
		return fmt.Errorf("bench: join: %w", err)
	}
	return nil
}

// caughtUp waits until a member that was just started has all that the first one has, and says how many seconds it took.
func (r *run) caughtUp(ctx context.Context, api string) (*client.Client, float64, error) {
	start := time.Now()
	first, err := client.Dial(client.Config{Addresses: r.net.APIs[:1]})
	if err != nil {
		return nil, 0, err
	}
	own, err := client.Dial(client.Config{Addresses: []string{api}, Network: r.id, Patience: catchUpTimeout})
	if err != nil {
		return nil, 0, err
	}
	for time.Since(start) < catchUpTimeout {
		there, err := first.Status(ctx)
		if err != nil {
			return nil, 0, err
		}
		here, err := own.Status(ctx)
		if err != nil {
			return nil, 0, err
		}
		if !here.GetCatchingUp() && here.GetHeight() >= there.GetHeight() {
			return own, time.Since(start).Seconds(), nil
		}
		time.Sleep(askAgain)
	}
	return nil, 0, errors.New("bench: " + api + " does not catch up")
}
