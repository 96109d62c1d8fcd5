package coap

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	dtlsserver "github.com/plgd-dev/go-coap/v3/dtls/server"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	coapnet "github.com/plgd-dev/go-coap/v3/net"
	"github.com/plgd-dev/go-coap/v3/net/monitor/inactivity"
	"github.com/plgd-dev/go-coap/v3/net/responsewriter"
	"github.com/plgd-dev/go-coap/v3/udp/client"
	"golang.org/x/time/rate"

	"github.com/dureledger/dure/ledger/tx"
)

const (
	// maxOpen is how many requests of a device may be without an answer.
	maxOpen = 64
	// patience is how long an answer may take to go with the acknowledgement: less than a client waits before it repeats a request (2 s).
	patience = time.Second
	// ackTime is how long an acknowledgement is waited for at first, doubled maxRepeats times (RFC 7252, section 4.8).
	ackTime    = 2 * time.Second
	maxRepeats = 4
	// maxRate and maxBurst bound the messages of a device in a second. What is more is dropped, and comes again later.
	maxRate  = 50
	maxBurst = 200
	// maxDatagram is the longest message that is read, bytes.
	maxDatagram = 4096
)

// Session is one connection of a device.
type Session struct {
	server *Server
	conn   *client.Conn
	// Device and Key are whose connection it is.
	Device tx.Address
	Key    tx.Key
	life   context.Context
	end    context.CancelFunc
	// farewell ends the DTLS connection.
	farewell sync.Once

	rate *rate.Limiter
	open chan struct{} // full: as many requests are without an answer as may be
	// newest is the message id of the latest request, hurry tells when there is another.
	newest atomic.Int32
	hurry  chan struct{}

	sending sync.Mutex // held while an acknowledgement is waited for: one at a time (RFC 7252, section 4.7)
	mu      sync.Mutex
	// heard is where those wait who sent a message that has to be acknowledged, by its id. True is an acknowledgement, false a reset.
	heard  map[int32]chan bool
	coming *upload
	// observers are by path.
	observers map[string]*observer
}

func newSession(s *Server, c net.Conn, device tx.Address, key tx.Key) *Session {
	d := &Session{
		server: s, Device: device, Key: key, observers: map[string]*observer{}, rate: rate.NewLimiter(maxRate, maxBurst), open: make(chan struct{}, maxOpen),
		hurry: make(chan struct{}, 1), heard: map[int32]chan bool{},
	}
	d.life, d.end = context.WithCancel(s.life)
	cfg := client.DefaultConfig
	cfg.Handler = d.handle
	cfg.Errors = func(err error) { s.cfg.Log.Debug("CoAP", "device", device.String(), "error", err) }
	cfg.ReceivedMessageQueueSize = 16
	cfg.MessagePool = pool.New(64, maxDatagram)
	d.conn = client.NewConnWithOpts(
		dtlsserver.NewSession(d.life, coapnet.NewConn(c), maxDatagram, maxDatagram, true), &cfg,
		client.WithInactivityMonitor(inactivity.New(idleTime, func(*client.Conn) { d.Cut("idle", "nothing was heard of it") })),
		client.WithRequestMonitor(d.monitor),
		client.WithResponseMessageCache(&memory{}),
	)
	return d
}

// monitor sees every message first, in order. It takes acknowledgements, which are for send, and bounds the rate of the others.
func (d *Session) monitor(_ *client.Conn, m *pool.Message) (drop bool, err error) {
	switch m.Type() {
	case message.Acknowledgement, message.Reset:
		d.conn.InactivityMonitor().Notify()
		d.mu.Lock()
		defer d.mu.Unlock()
		if heard := d.heard[m.MessageID()]; heard != nil {
			delete(d.heard, m.MessageID())
			heard <- m.Type() == message.Acknowledgement
		}
		return true, nil
	}
	if !d.rate.Allow() {
		d.server.cfg.Tally.Dropped()
		return true, nil
	}
	if isRequest(m.Code()) {
		d.newest.Store(m.MessageID())
		select {
		case d.hurry <- struct{}{}:
		default:
		}
	}
	return false, nil
}

func isRequest(code codes.Code) bool { return code >= 1 && code < 32 }

// handle answers a request that has not been seen before, or lets an acknowledgement go out and the answer follow.
func (d *Session) handle(w *responsewriter.ResponseWriter[*client.Conn], m *pool.Message) {
	if !isRequest(m.Code()) {
		return
	}
	confirmable := m.Type() == message.Confirmable
	select {
	case d.open <- struct{}{}:
	default:
		if confirmable {
			Busy("As many requests of the device have no answer as may be at a time. Wait for their answers.").fill(w.Message())
		}
		return
	}
	d.server.unanswered.Add(1)
	answer := make(chan Response, 1)
	d.route(m, func(r Response) { answer <- r })
	if confirmable {
		if r, ok := d.soon(m.MessageID(), answer); ok {
			if !r.Ends {
				r.fill(w.Message())
				d.answered()
				return
			}
			answer <- r // it has to be heard before the connection ends
		}
	}
	token := bytes.Clone(m.Token())
	go func() {
		defer d.answered()
		select {
		case <-d.life.Done():
		case r := <-answer:
			_ = d.send(token, r, confirmable)
			if r.Ends {
				d.Cut("not allowed", string(r.Body))
			}
		}
	}()
}

// route has a request served. done is called once, perhaps later.
func (d *Session) route(m *pool.Message, done func(Response)) {
	path, err := m.Path()
	if err != nil {
		done(Refusal(codes.NotFound, "There is no path."))
		return
	}
	d.server.cfg.Serve(&Request{Session: d, Path: path, message: m, done: done})
}

func (d *Session) answered() {
	<-d.open
	d.server.unanswered.Add(-1)
}

// soon is the answer if it is known before long and no other request waits meanwhile.
func (d *Session) soon(id int32, answer <-chan Response) (Response, bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case r := <-answer:
			return r, true
		default:
		}
		if d.newest.Load() != id {
			return Response{}, false
		}
		select {
		case r := <-answer:
			return r, true
		case <-d.hurry: // by this request itself, or another
		case <-timer.C:
			return Response{}, false
		case <-d.life.Done():
			return Response{}, false
		}
	}
}

// send sends a message of its own. If it is confirmable it is repeated until it is acknowledged, and the connection ends if it never is;
// heard is false when the device has no use for it.
func (d *Session) send(token message.Token, r Response, confirmable bool) (heard bool) {
	m := d.conn.AcquireMessage(d.life)
	defer d.conn.ReleaseMessage(m)
	m.SetToken(token)
	m.SetMessageID(d.conn.GetMessageID())
	m.SetType(message.NonConfirmable)
	r.fill(m)
	if !confirmable {
		return d.conn.Session().WriteMessage(m) == nil
	}
	m.SetType(message.Confirmable)
	d.sending.Lock()
	defer d.sending.Unlock()
	acknowledged := make(chan bool, 1)
	d.mu.Lock()
	d.heard[m.MessageID()] = acknowledged
	d.mu.Unlock()
	wait := ackTime + rand.N(ackTime/2)
	for range 1 + maxRepeats {
		if err := d.conn.Session().WriteMessage(m); err != nil {
			return false
		}
		select {
		case heard = <-acknowledged:
			return heard
		case <-time.After(wait):
			wait *= 2
		case <-d.life.Done():
			return false
		}
	}
	d.Cut("silent", "it acknowledges nothing")
	return false
}

// expire gives up a body of which no more blocks come.
func (d *Session) expire(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.coming != nil && now.Sub(d.coming.began) > uploadTime {
		d.drop()
	}
}

// drop forgets the body that is coming. The caller holds mu.
func (d *Session) drop() {
	if d.coming != nil {
		d.coming = nil
		<-d.server.uploads
	}
}

// close ends the connection. When it returns the device has been sent a farewell, whoever called it first: after that nothing more can be sent.
func (d *Session) close() {
	d.end()
	d.farewell.Do(func() { _ = d.conn.Close() }) // nothing to be done about a device that is gone
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop()
}

// Life ends with the connection.
func (d *Session) Life() context.Context { return d.life }

// Cut ends the connection for a reason that others want to know.
func (d *Session) Cut(reason, why string) {
	if d.life.Err() != nil {
		return
	}
	d.server.cfg.Tally.Cut(reason)
	d.server.cfg.Log.Info("a device was cut off", "device", d.Device.String(), "why", why)
	d.close()
}
