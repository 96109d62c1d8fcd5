package coap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/dureledger/dure/ledger/tx"
)

// Config says who may come and what is served.
type Config struct {
	// Certificate shows devices who this is. It is asked at each handshake, so that a renewed one may take its place.
	Certificate func() (*tls.Certificate, error)
	// Admit says whether a key may speak for a device.
	Admit func(ctx context.Context, device tx.Address, key tx.Key) error
	// Serve takes a request of a device. It must not wait.
	Serve func(*Request)
	// Devices bounds how many are connected at a time; 0 means 20,000.
	Devices int
	// Tally counts; nil: nobody does.
	Tally Tally
	Log   *slog.Logger
}

// Tally counts what a server does not serve.
type Tally interface {
	// Refused is a connection that was not let in, Cut one that the server ended, Dropped a message that was not looked at.
	Refused(code string)
	Cut(reason string)
	Dropped()
}

type noTally struct{}

func (noTally) Refused(string) {}
func (noTally) Cut(string)     {}
func (noTally) Dropped()       {}

const (
	// AdmitTime bounds a look at the ledger while a device waits.
	AdmitTime = 10 * time.Second
	// helloTime is how long a handshake may take.
	helloTime = 20 * time.Second
	// strangers is how many connections may be at their handshake besides those that are through.
	strangers = 512
	// idleTime ends the connection of a device that is not heard of.
	idleTime = 10 * time.Minute
	// tick is how often what has run out is looked for.
	tick     = 5 * time.Second
	stopTime = 5 * time.Second
	// maxUploads bounds how many bodies may be coming in blocks, of all devices together; uploadTime one of them.
	maxUploads = 256
	uploadTime = 4 * time.Minute
)

// Server takes connections of devices.
type Server struct {
	cfg    Config
	socket *socket
	life   context.Context
	end    context.CancelFunc
	work   sync.WaitGroup

	connections atomic.Int64
	uploads     chan struct{} // full: as many bodies are coming in blocks as may be
	// unanswered counts the requests without an answer, for Close.
	unanswered atomic.Int64

	mu      sync.Mutex
	devices map[tx.Address]*Session
}

// Listen starts a server on a UDP address, host:port.
func Listen(address string, cfg Config) (*Server, error) {
	if cfg.Devices <= 0 {
		cfg.Devices = 20_000
	}
	if cfg.Tally == nil {
		cfg.Tally = noTally{}
	}
	socket, err := listen(address)
	if err != nil {
		return nil, fmt.Errorf("coap: %w", err)
	}
	s := &Server{cfg: cfg, socket: socket, devices: map[tx.Address]*Session{}, uploads: make(chan struct{}, maxUploads)}
	s.life, s.end = context.WithCancel(context.Background())
	go socket.read()
	s.work.Go(s.accept)
	s.work.Go(s.sweep)
	return s, nil
}

// Address is where the server listens.
func (s *Server) Address() string { return s.socket.conn.LocalAddr().String() }

// Connected is how many devices are here.
func (s *Server) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.devices)
}

// accept lets connections in until the server ends.
func (s *Server) accept() {
	for {
		select {
		case <-s.life.Done():
			return
		case p := <-s.socket.come:
			if s.connections.Add(1) > int64(s.cfg.Devices)+strangers {
				s.connections.Add(-1)
				_ = p.Close()
				continue
			}
			s.work.Go(func() {
				defer s.connections.Add(-1)
				s.serve(p)
			})
		}
	}
}

// serve is a connection's life. A fault of the program with one connection ends that connection alone.
func (s *Server) serve(p *peer) {
	defer func() { _ = p.Close() }()
	defer func() {
		if fault := recover(); fault != nil {
			s.cfg.Log.Error("a connection ended by a fault of the program; please report it", "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
		}
	}()
	c, err := dtls.ServerWithOptions(p, p.RemoteAddr(), s.dtls()...)
	if err != nil {
		s.cfg.Log.Warn("a connection could not be accepted", "error", err)
		return
	}
	defer func() { _ = c.Close() }()
	hello, cancel := context.WithTimeout(s.life, helloTime)
	defer cancel()
	if err := c.HandshakeContext(hello); err != nil {
		s.cfg.Log.Debug("no connection came about", "from", p.RemoteAddr().String(), "error", err)
		return
	}
	p.settle()
	state, _ := c.ConnectionState()
	device, key, err := identity(state.PeerCertificates)
	if err != nil {
		return // the handshake has looked at it
	}
	d := newSession(s, c, device, key)
	if !s.came(d) {
		s.refused(p.RemoteAddr(), "gateway.too_many_devices", nil)
		return
	}
	defer s.left(d)
	if err := d.conn.Run(); err != nil && !errors.Is(err, net.ErrClosed) {
		s.cfg.Log.Debug("a connection ended", "device", device.String(), "error", err)
	}
}

// came makes a session the device's, in place of the one before; false if there are too many devices.
func (s *Server) came(d *Session) bool {
	s.mu.Lock()
	before := s.devices[d.Device]
	if before == nil && len(s.devices) >= s.cfg.Devices {
		s.mu.Unlock()
		d.close()
		return false
	}
	s.devices[d.Device] = d
	s.mu.Unlock()
	if before != nil {
		before.close()
	}
	return true
}

func (s *Server) left(d *Session) {
	d.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.devices[d.Device] == d {
		delete(s.devices, d.Device)
	}
}

// Here is the connection of a device, nil if there is none.
func (s *Server) Here(device tx.Address) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.devices[device]
}

func (s *Server) all() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Session, 0, len(s.devices))
	for _, d := range s.devices {
		all = append(all, d)
	}
	return all
}

// sweep ends what has run out.
func (s *Server) sweep() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-s.life.Done():
			return
		case now := <-ticker.C:
			for _, d := range s.all() {
				d.conn.CheckExpirations(now)
				d.expire(now)
			}
		}
	}
}

// Close ends the connections and lets nobody in any more, when every request has its answer or a moment later: what was taken and not
// answered its device sends again. Serve is called no more than to refuse by then.
func (s *Server) Close() error {
	for end := time.Now().Add(stopTime); s.unanswered.Load() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	s.end()
	s.socket.refuse()
	for _, d := range s.all() {
		d.close()
	}
	s.work.Wait()
	if err := s.socket.conn.Close(); err != nil {
		return fmt.Errorf("coap: %w", err)
	}
	return nil
}
