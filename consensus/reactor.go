package consensus

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/p2p/conn"
)

// batchChannel carries frames; CometBFT's own reactors use 0x00 to 0x62.
const batchChannel = byte(0xD0)

const (
	// offerEvery is how often batches still waiting are announced again.
	offerEvery = 500 * time.Millisecond
	// offerAfter spares announcements of what is about to be decided.
	offerAfter = 400 * time.Millisecond
	// inboxSize bounds the frames of one peer waiting for verification; more are dropped and offered again later.
	inboxSize = 128
	// fetchAgain is how long a request for a batch is left to answer before it is asked of another peer.
	fetchAgain = 2 * time.Second
)

// maxAsked bounds the requests to one peer that are remembered: who announces what it does not have only blocks itself.
const maxAsked = 4096

// request is a batch asked of a peer.
type request struct {
	peer p2p.ID
	at   time.Time
}

// batches is what the reactor needs of the node.
type batches interface {
	// accept verifies a batch and puts it up for decision. errRelay blames the peer, other errors the sealer.
	accept(hash Hash, raw []byte) error
	// holds says whether the batch is known: waiting or decided lately.
	holds(hash Hash) bool
	// get returns the bytes of a waiting batch.
	get(hash Hash) ([]byte, bool)
	// waiting lists batches that have waited for at least d.
	waiting(d time.Duration, max int) []Hash
	// peerName is the name of the member whose node a peer is.
	peerName(id p2p.ID) string
}

// Reactor spreads batches between the members' nodes.
type Reactor struct {
	p2p.BaseReactor
	shelf   batches
	log     *slog.Logger
	metrics *reactorMetrics
	stop    chan struct{}
	// pulseEvery is the constant, save in tests.
	pulseEvery time.Duration

	mu      sync.Mutex
	inboxes map[p2p.ID]chan []byte
	asked   map[Hash]request
	askedOf map[p2p.ID]int // how many of asked
}

func newReactor(s batches, log *slog.Logger) *Reactor {
	r := &Reactor{shelf: s, log: log, stop: make(chan struct{}), pulseEvery: pulseEvery, inboxes: map[p2p.ID]chan []byte{}, asked: map[Hash]request{}, askedOf: map[p2p.ID]int{}}
	r.BaseReactor = *p2p.NewBaseReactor("DURE", r)
	return r
}

// GetChannels implements p2p.Reactor.
func (r *Reactor) GetChannels() []*conn.ChannelDescriptor {
	return []*conn.ChannelDescriptor{{
		ID: batchChannel, Priority: 5, SendQueueCapacity: 256, RecvBufferCapacity: 64 << 10,
		RecvMessageCapacity: maxBatchWire + 1, MessageType: &frame{},
	}}
}

// OnStart implements service.Service.
func (r *Reactor) OnStart() error {
	go r.offer()
	go r.pulse()
	return nil
}

// OnStop implements service.Service.
func (r *Reactor) OnStop() { close(r.stop) }

// AddPeer starts the peer's inbox and tells it what waits here.
func (r *Reactor) AddPeer(peer p2p.Peer) {
	inbox := make(chan []byte, inboxSize)
	r.mu.Lock()
	r.inboxes[peer.ID()] = inbox
	r.mu.Unlock()
	r.metrics.connected(peer.ID(), r.shelf.peerName(peer.ID()))
	go r.drain(peer, inbox)
	if hashes := r.shelf.waiting(0, maxHashes); len(hashes) > 0 {
		peer.TrySend(p2p.Envelope{ChannelID: batchChannel, Message: hashesFrame(frameAnnounce, hashes)})
	}
}

// RemovePeer ends the peer's inbox.
func (r *Reactor) RemovePeer(peer p2p.Peer, _ any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if inbox, ok := r.inboxes[peer.ID()]; ok {
		close(inbox)
		delete(r.inboxes, peer.ID())
		r.metrics.left(peer.ID())
	}
}

// Receive only files the frame: verification must not hold up the peer's other messages.
func (r *Reactor) Receive(e p2p.Envelope) {
	f, ok := e.Message.(*frame)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if inbox, ok := r.inboxes[e.Src.ID()]; ok {
		select {
		case inbox <- f.bytes:
		default: // full: the sender announces it again while it waits
			r.metrics.drop(e.Src.ID())
		}
	}
}

// Push sends a batch to every peer, once.
func (r *Reactor) Push(raw []byte) {
	r.Switch.Peers().ForEach(func(peer p2p.Peer) {
		peer.TrySend(p2p.Envelope{ChannelID: batchChannel, Message: pushFrame(raw)})
	})
}

// drain works off one peer's frames, in order.
func (r *Reactor) drain(peer p2p.Peer, inbox <-chan []byte) {
	for b := range inbox {
		kind, raw, hashes, err := parseFrame(b)
		switch {
		case err != nil:
			r.log.Warn("a peer sent a malformed frame", "peer", peer.ID(), "error", err)
			r.metrics.fault(peer.ID())
			r.Switch.StopPeerForError(peer, err)
		case kind == framePulse: // that it came is all it says
		case kind == framePush:
			r.receive(peer, raw)
		case kind == frameAnnounce:
			r.want(peer, hashes)
		case kind == frameFetch:
			r.answer(peer, hashes)
		}
	}
}

func (r *Reactor) receive(peer p2p.Peer, raw []byte) {
	hash := sha256.Sum256(raw)
	r.mu.Lock()
	r.forget(hash)
	r.mu.Unlock()
	if r.shelf.holds(hash) {
		return
	}
	err := r.shelf.accept(hash, raw)
	switch {
	case errors.Is(err, errRelay):
		r.log.Warn("a peer sent what no member sealed", "peer", peer.ID(), "error", err)
		r.metrics.fault(peer.ID())
		r.Switch.StopPeerForError(peer, err)
	case err != nil:
		r.log.Warn("batch refused", "peer", peer.ID(), "error", err)
	}
}

// want asks the peer for announced batches that are not here and not asked of another peer just now.
func (r *Reactor) want(peer p2p.Peer, hashes []Hash) {
	now := time.Now()
	var missing []Hash
	r.mu.Lock()
	for _, h := range hashes {
		if r.mayAsk(peer.ID(), h, now) && !r.shelf.holds(h) {
			r.forget(h)
			r.asked[h] = request{peer.ID(), now}
			r.askedOf[peer.ID()]++
			missing = append(missing, h)
		}
	}
	r.mu.Unlock()
	if len(missing) > 0 {
		peer.TrySend(p2p.Envelope{ChannelID: batchChannel, Message: hashesFrame(frameFetch, missing)})
	}
}

// mayAsk says whether to ask the peer for a batch: nobody was asked just now, and another peer has its turn before the
// one that did not answer. The caller holds mu.
func (r *Reactor) mayAsk(peer p2p.ID, h Hash, now time.Time) bool {
	last, asked := r.asked[h]
	if asked && (now.Sub(last.at) <= fetchAgain || last.peer == peer && now.Sub(last.at) <= 5*fetchAgain) {
		return false
	}
	return r.askedOf[peer] < maxAsked
}

// forget drops a request. The caller holds mu.
func (r *Reactor) forget(h Hash) {
	last, ok := r.asked[h]
	if !ok {
		return
	}
	delete(r.asked, h)
	if r.askedOf[last.peer]--; r.askedOf[last.peer] == 0 {
		delete(r.askedOf, last.peer)
	}
}

// answer sends the batches asked for, as far as there is room on the way to the peer: more would be copied to be dropped.
func (r *Reactor) answer(peer p2p.Peer, hashes []Hash) {
	for _, h := range hashes {
		raw, ok := r.shelf.get(h)
		if ok && !peer.TrySend(p2p.Envelope{ChannelID: batchChannel, Message: pushFrame(raw)}) {
			return
		}
	}
}

// offer announces, again and again, what still waits to be decided.
func (r *Reactor) offer() {
	tick := time.NewTicker(offerEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case now := <-tick.C:
			if hashes := r.shelf.waiting(offerAfter, maxHashes); len(hashes) > 0 {
				r.announce(hashes)
			}
			r.forgetAsked(now)
		}
	}
}

func (r *Reactor) forgetAsked(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for h, asked := range r.asked {
		if now.Sub(asked.at) > 10*fetchAgain {
			r.forget(h)
		}
	}
}

func (r *Reactor) announce(hashes []Hash) {
	r.Switch.Peers().ForEach(func(peer p2p.Peer) {
		peer.TrySend(p2p.Envelope{ChannelID: batchChannel, Message: hashesFrame(frameAnnounce, hashes)})
	})
}
