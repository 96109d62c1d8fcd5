package torture

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/dureledger/dure/internal/ports"
)

// pieces is how many pieces of up to pieceBytes wait in a link for their time, each way of each connection. Then the
// sender waits, as it would for a full socket.
const (
	pieces     = 64
	pieceBytes = 32 << 10
)

// link is a proxy that carries the connections one member makes to another.
type link struct {
	listener net.Listener
	target   string
	seed     uint64
	stream   uint64

	mu     sync.Mutex
	now    weather
	style  cutStyle // empty: not cut
	healed chan struct{}
	open   map[net.Conn]bool
	count  uint64
	done   sync.WaitGroup
	over   chan struct{}
}

func newLink(target string, seed, stream uint64) (*link, error) {
	addresses, giveBack, err := ports.Addresses(1)
	if err != nil {
		return nil, err
	}
	defer giveBack() // whoever is given it now finds that it is taken
	l, err := net.Listen("tcp", addresses[0])
	if err != nil {
		return nil, fmt.Errorf("torture: %w", err)
	}
	out := &link{
		listener: l, target: target, seed: seed, stream: stream << 32, open: map[net.Conn]bool{}, healed: make(chan struct{}), over: make(chan struct{}),
	}
	close(out.healed)
	out.done.Go(out.accept)
	return out, nil
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) accept() {
	for {
		in, err := l.listener.Accept()
		if err != nil {
			return
		}
		if !l.keep(in) {
			_ = in.Close() // refused
			continue
		}
		l.done.Go(func() { l.carry(in) })
	}
}

// keep remembers an open connection, unless new ones are refused.
func (l *link) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.over:
		return false
	default:
	}
	if l.style == refusing {
		return false
	}
	l.open[c] = true
	return true
}

func (l *link) forget(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	_ = c.Close()
}

// carry joins an accepted connection to the target until either end closes.
func (l *link) carry(in net.Conn) {
	defer l.forget(in)
	if !l.passable() {
		return
	}
	out, err := net.DialTimeout("tcp", l.target, 2*time.Second)
	if err != nil || !l.keep(out) {
		return
	}
	defer l.forget(out)
	l.mu.Lock()
	l.count += 2
	first := l.stream + l.count
	l.mu.Unlock()
	var ways sync.WaitGroup
	ways.Go(func() { l.pump(in, out, rand.New(rand.NewPCG(l.seed, first))) })
	ways.Go(func() { l.pump(out, in, rand.New(rand.NewPCG(l.seed, first+1))) })
	ways.Wait()
}

// piece is bytes on their way.
type piece struct {
	bytes []byte
	due   time.Time
}

// pump carries one way until an end closes, and then closes both.
func (l *link) pump(from, to net.Conn, chance *rand.Rand) {
	defer from.Close()
	defer to.Close()
	waiting := make(chan piece, pieces)
	var writer sync.WaitGroup
	writer.Go(func() {
		defer from.Close() // a reader waits no longer
		for p := range waiting {
			time.Sleep(time.Until(p.due))
			if !l.passable() {
				break
			}
			if _, err := to.Write(p.bytes); err != nil {
				break
			}
		}
		for range waiting { // so that the reader is not held up
		}
	})
	var last time.Time
	for {
		buf := make([]byte, pieceBytes)
		k, err := from.Read(buf)
		w := l.current()
		if err != nil || chance.Float64() < w.drop {
			break
		}
		due := time.Now().Add(w.delay)
		if w.jitter > 0 {
			due = due.Add(time.Duration(chance.Int64N(int64(w.jitter))))
		}
		if chance.Float64() < w.stall {
			due = due.Add(w.stallFor)
		}
		if due.Before(last) { // what was sent first arrives first
			due = last
		}
		last = due
		waiting <- piece{buf[:k], due}
	}
	close(waiting)
	writer.Wait()
}

func (l *link) current() weather {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// passable waits while the link is silent; false when it is closed.
func (l *link) passable() bool {
	l.mu.Lock()
	healed := l.healed
	l.mu.Unlock()
	select {
	case <-healed:
		return true
	case <-l.over:
		return false
	}
}

func (l *link) set(w weather) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = w
}

func (l *link) cut(style cutStyle) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.style = style
	if style == silent {
		l.healed = make(chan struct{})
		return
	}
	l.breakAll()
}

func (l *link) breakAll() {
	for c := range l.open {
		_ = c.Close()
	}
}

func (l *link) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.style == silent {
		close(l.healed)
	}
	l.style, l.now = "", weather{}
}

func (l *link) close() {
	l.mu.Lock()
	close(l.over)
	_ = l.listener.Close()
	l.breakAll()
	l.mu.Unlock()
	l.done.Wait()
}
