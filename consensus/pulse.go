package consensus

import (
	"fmt"
	"time"

	"github.com/cometbft/cometbft/p2p"
)

const (
	// pulseEvery is how often a sign of life is sent to every peer.
	pulseEvery = time.Second
	// silentPulses is for how many of them in a row nothing at all may arrive from a peer. They are counted, not timed,
	// so that a node that was stopped for a while does not take its own sleep for the silence of others.
	silentPulses = 8
)

// pulse notices peers from which nothing arrives any more and closes their connections, so that the dialer makes new
// ones. After a cut of some seconds TCP waits as long again before it tries anew, up to two minutes, and CometBFT's own
// pings notice only after a minute and a half; a new connection is there within seconds of the cut's end.
func (r *Reactor) pulse() {
	tick := time.NewTicker(r.pulseEvery)
	defer tick.Stop()
	heard := map[p2p.Peer]silence{}
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
			heard = r.listen(heard)
		}
	}
}

// silence is how many bytes a peer had sent when it was last heard, and how many pulses ago that was.
type silence struct {
	bytes  int64
	pulses int
}

// listen gives each peer a sign of life and counts for how long it has been silent.
func (r *Reactor) listen(before map[p2p.Peer]silence) map[p2p.Peer]silence {
	now := map[p2p.Peer]silence{}
	r.Switch.Peers().ForEach(func(peer p2p.Peer) {
		peer.TrySend(p2p.Envelope{ChannelID: batchChannel, Message: pulseFrame()})
		s := silence{bytes: peer.Status().RecvMonitor.Bytes} // of all channels: behind a large batch the pulse comes late
		if last, known := before[peer]; known && last.bytes == s.bytes {
			s.pulses = last.pulses + 1
		}
		now[peer] = s
	})
	for peer, s := range now {
		if s.pulses >= silentPulses {
			delete(now, peer)
			silent := time.Duration(s.pulses) * r.pulseEvery
			r.log.Warn("nothing arrives from a peer any more, so its connection is made anew; is the network between us broken?",
				"peer", peer.ID(), "address", peer.SocketAddr().String(), "silent", silent)
			r.Switch.StopPeerForError(peer, fmt.Errorf("silent for %v", silent))
		}
	}
	return now
}
