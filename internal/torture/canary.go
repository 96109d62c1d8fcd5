package torture

import (
	"context"
	"sync"
	"time"
)

const (
	// canaryEvery is how often the canary looks at the time.
	canaryEvery = 50 * time.Millisecond
	// starved is how late a timer of this process must be for times measured meanwhile to say more about the machine
	// than about the network. The members are processes like this one.
	starved = 500 * time.Millisecond
)

// canary notices that the machine is too busy to measure anything.
type canary struct {
	mu    sync.Mutex
	worst time.Duration
}

// sing runs until ctx ends.
func (c *canary) sing(ctx context.Context) {
	last := time.Now()
	tick := time.NewTicker(canaryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		c.mu.Lock()
		c.worst = max(c.worst, now.Sub(last)-canaryEvery)
		c.mu.Unlock()
		last = now
	}
}

// take is by how much it was late at worst since the last call.
func (c *canary) take() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	worst := c.worst
	c.worst = 0
	return worst
}
