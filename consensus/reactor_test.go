package consensus

import (
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/p2p"
)

// counter is a shelf that counts what it is offered.
type counter struct {
	*shelf
	mu       sync.Mutex
	accepted map[Hash]int
}

func (c *counter) accept(hash Hash, raw []byte) error {
	b, err := decodeBatch(testNetwork, raw, testKeys)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.accepted[hash]++
	c.mu.Unlock()
	_, err = c.put(b)
	return err
}

func (c *counter) peerName(p2p.ID) string { return "peer" }

func (c *counter) times(h Hash) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accepted[h]
}

// twoNodes are two reactors on connected switches of CometBFT.
func twoNodes(t *testing.T, prepare func(first *counter)) ([]*counter, []*Reactor, []*p2p.Switch) {
	t.Helper()
	shelves, reactors := make([]*counter, 2), make([]*Reactor, 2)
	for i := range shelves {
		shelves[i] = &counter{shelf: newShelf(nil), accepted: map[Hash]int{}}
		reactors[i] = newReactor(shelves[i], slog.New(slog.NewTextHandler(io.Discard, nil)))
	}
	prepare(shelves[0])
	switches := p2p.MakeConnectedSwitches(cmtcfg.DefaultP2PConfig(), 2, func(i int, sw *p2p.Switch) *p2p.Switch {
		sw.AddReactor("DURE", reactors[i])
		return sw
	}, p2p.Connect2Switches)
	t.Cleanup(func() {
		for _, sw := range switches {
			if err := sw.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
	return shelves, reactors, switches
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); !ok(); {
		select {
		case <-deadline:
			t.Fatal(what)
		case <-tick.C:
		}
	}
}

func TestPushedOnce(t *testing.T) {
	shelves, reactors, _ := twoNodes(t, func(*counter) {})
	b := testBatch(t, 1)
	if _, err := shelves[0].put(b); err != nil {
		t.Fatal(err)
	}
	reactors[0].Push(b.raw)
	within(t, "the batch did not arrive", func() bool { return shelves[1].holds(b.hash) })
	// What comes after on the same channel has been worked off only after a second push of the same.
	next := testBatch(t, 2)
	reactors[0].Push(b.raw)
	reactors[0].Push(next.raw)
	within(t, "the next batch did not arrive", func() bool { return shelves[1].holds(next.hash) })
	if n := shelves[1].times(b.hash); n != 1 {
		t.Errorf("the batch was verified %d times", n)
	}
}

// A node that was not there when a batch was pushed learns of it when it connects, and fetches it.
func TestFetchedByLatecomers(t *testing.T) {
	b := testBatch(t, 3)
	shelves, _, _ := twoNodes(t, func(first *counter) {
		if _, err := first.put(b); err != nil {
			t.Error(err)
		}
	})
	within(t, "the batch was not fetched", func() bool { return shelves[1].holds(b.hash) })
}

// A batch whose push was lost is offered again while it waits.
func TestOfferedAgain(t *testing.T) {
	shelves, _, _ := twoNodes(t, func(*counter) {})
	b := testBatch(t, 4)
	if _, err := shelves[0].put(b); err != nil { // put up, but never pushed
		t.Fatal(err)
	}
	within(t, "the batch was not offered again", func() bool { return shelves[1].holds(b.hash) })
}

// Who sends what no member sealed is disconnected; who passes on a member's bad batch is not.
func TestWhoAnswersForABadBatch(t *testing.T) {
	shelves, reactors, switches := twoNodes(t, func(*counter) {})
	reactors[0].Push(sealedNoise(t))
	good := testBatch(t, 6)
	reactors[0].Push(good.raw)
	within(t, "the good batch after the sealer's bad one did not arrive", func() bool { return shelves[1].holds(good.hash) })
	if switches[1].Peers().Size() != 1 {
		t.Error("the relay was blamed for the sealer's batch")
	}
	reactors[0].Push([]byte("no batch at all"))
	within(t, "the peer that sent noise is still connected", func() bool { return switches[1].Peers().Size() == 0 })
}

// silentPeer counts what is asked of it and never answers.
type silentPeer struct {
	p2p.Peer
	id    p2p.ID
	asked int
}

func (p *silentPeer) ID() p2p.ID { return p.id }
func (p *silentPeer) TrySend(e p2p.Envelope) bool {
	p.asked += len(e.Message.(*frame).bytes) / 32
	return true
}

// A peer that announces what it does not send keeps nobody from fetching it elsewhere.
func TestSilentPeerBlocksNobody(t *testing.T) {
	r := newReactor(&counter{shelf: newShelf(nil), accepted: map[Hash]int{}}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	liar, honest := &silentPeer{id: "liar"}, &silentPeer{id: "honest"}
	for i := range 2 * maxAsked {
		r.want(liar, []Hash{{byte(i), byte(i >> 8), 1}})
	}
	if liar.asked != maxAsked {
		t.Errorf("%d asked of one peer", liar.asked)
	}
	if r.want(honest, []Hash{{9, 9, 9}}); honest.asked != 1 {
		t.Error("nothing is asked of others")
	}
	h, late := Hash{0, 0, 1}, time.Now().Add(fetchAgain+time.Second)
	if r.mayAsk(liar.id, h, late) || !r.mayAsk(honest.id, h, late) {
		t.Error("the peer that did not answer is asked again before another")
	}
	r.forgetAsked(time.Now().Add(time.Hour))
	if len(r.asked) != 0 || len(r.askedOf) != 0 {
		t.Error("requests are remembered for ever")
	}
}

// busyPeer takes no more than it has room for, and counts what it is offered.
type busyPeer struct {
	p2p.Peer
	room, offered int
}

func (p *busyPeer) TrySend(p2p.Envelope) bool {
	p.offered++
	return p.offered <= p.room
}

// A peer that asks for more than it takes costs no more than what it takes.
func TestAnswersWhatThereIsRoomFor(t *testing.T) {
	shelf := &counter{shelf: newShelf(nil), accepted: map[Hash]int{}}
	r := newReactor(shelf, slog.New(slog.NewTextHandler(io.Discard, nil)))
	b := testBatch(t, 7)
	if _, err := shelf.put(b); err != nil {
		t.Fatal(err)
	}
	same := make([]Hash, maxHashes)
	for i := range same {
		same[i] = b.hash
	}
	peer := &busyPeer{room: 3}
	if r.answer(peer, same); peer.offered != peer.room+1 {
		t.Errorf("%d batches were copied for a peer that took %d", peer.offered, peer.room)
	}
	peer = &busyPeer{room: maxHashes}
	if r.answer(peer, []Hash{{1}, b.hash, {2}, b.hash}); peer.offered != 2 {
		t.Errorf("%d batches sent of two that are here and two that are not", peer.offered)
	}
}
