package consensus

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cometbft/cometbft/p2p"
)

const (
	// dialEvery is how long the eager side of a pair waits between attempts, dialPatience the other side.
	dialEvery    = 500 * time.Millisecond
	dialPatience = 4 * time.Second
)

// dialer keeps this node connected to the other members'. Of each pair of nodes the one with the smaller id dials at
// once and again and again; the other gives it time first. Two nodes that dial each other at the same moment, as
// CometBFT's persistent peers do, can refuse each other's connection as a duplicate for minutes.
type dialer struct {
	sw    p2p.Switcher
	self  p2p.ID
	peers []string // id@host:port
	log   *slog.Logger
}

// run dials until ctx ends.
func (d *dialer) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, peer := range d.peers {
		if strings.HasPrefix(peer, string(d.self)+"@") { // all members may have the same list
			continue
		}
		wg.Go(func() { d.keep(ctx, peer) })
	}
	wg.Wait()
}

// keep looks after the connection to one peer.
func (d *dialer) keep(ctx context.Context, peer string) {
	pause := time.Duration(0)
	for d.sleep(ctx, pause) {
		address, err := p2p.NewNetAddressString(peer) // looked up each time: names may move
		if err != nil {
			d.log.Warn("a peer's address cannot be used; see setting p2p.peers", "peer", peer, "error", err)
			pause = dialPatience
			continue
		}
		first := pause == 0
		if pause = dialEvery; address.ID < d.self {
			pause = dialPatience
			if first {
				continue
			}
		}
		if d.sw.IsDialingOrExistingAddress(address) {
			continue
		}
		if err := d.sw.DialPeerWithAddress(address); err != nil && ctx.Err() == nil {
			d.log.Debug("a peer cannot be reached", "peer", peer, "error", err)
		}
	}
}

// sleep waits for about d; false when ctx has ended.
func (d *dialer) sleep(ctx context.Context, pause time.Duration) bool {
	if pause > 0 {
		pause += rand.N(pause / 2)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
