package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dureledger/dure/client"
)

// restartTimeout bounds how long a member may take to catch up.
const restartTimeout = 2 * time.Minute

// restart kills the last member after a while, starts it again and measures how long it takes to be where the others were
// when it was started, and to take transactions again.
func (r *run) restart(ctx context.Context, after time.Duration) error {
	select {
	case <-time.After(after):
	case <-ctx.Done():
		return nil
	}
	last := len(r.net.APIs) - 1
	if last == 0 {
		return errors.New("bench: a network of one member stands still while it is killed; want more members")
	}
	other, err := client.Dial(client.Config{Addresses: r.net.APIs[:1]})
	if err != nil {
		return err
	}
	own, err := client.Dial(client.Config{Addresses: r.net.APIs[last:], Network: r.id, Patience: restartTimeout})
	if err != nil {
		return err
	}
	r.say("Killing member %d and starting it again…", last+1)
	if err := r.net.Restart(last); err != nil {
		return fmt.Errorf("bench: restart: %w", err)
	}
	start := time.Now()
	for time.Since(start) < restartTimeout {
		there, err := other.Status(ctx)
		if err != nil {
			return err
		}
		here, err := own.Status(ctx)
		if err != nil {
			return err
		}
		if !here.GetCatchingUp() && here.GetHeight() >= there.GetHeight() {
			r.report.RestartS = time.Since(start).Seconds()
			r.say("Caught up after %.1f s.", r.report.RestartS)
			return nil
		}
		time.Sleep(askAgain)
	}
	return errors.New("bench: the member that was killed does not catch up")
}
