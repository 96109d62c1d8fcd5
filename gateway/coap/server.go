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
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/ledger/tx"
)

// Config says for whom to listen.
type Config struct {
	Handler gateway.Handler
	// Certificate shows devices which gateway this is. It is asked at each handshake, so that a renewed one may take its place.
	Certificate func() (*tls.Certificate, error)
	// Devices bounds how many are connected at a time; 0 means 20,000.
	Devices int
	// Registry takes the metrics.
	Registry prometheus.Registerer
	Log      *slog.Logger
}

const (
	// helloTime is how long a handshake may take, admitTime a look at the ledger while a device waits.
	helloTime = 20 * time.Second
	admitTime = 10 * time.Second
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

// Server is the door for CoAP. It implements gateway.Door.
type Server struct {
	cfg      Config
	listener net.Listener
	metrics  *metrics
	receipts *receipts
	life     context.Context
	end      context.CancelFunc
	work     sync.WaitGroup

	connections atomic.Int64
	uploads     chan struct{} // full: as many bodies are coming in blocks as may be
	// unanswered counts the requests without an answer, for Close.
	unanswered atomic.Int64

	mu      sync.Mutex
	devices map[tx.Address]*session
}

// Listen starts a server on a UDP address, host:port.
func Listen(address string, cfg Config) (*Server, error) {
	if cfg.Devices <= 0 {
		cfg.Devices = 20_000
	}
	s := &Server{cfg: cfg, metrics: newMetrics(), devices: map[tx.Address]*session{}, uploads: make(chan struct{}, maxUploads)}
	s.life, s.end = context.WithCancel(context.Background())
	s.receipts = newReceipts(cfg.Handler)
	if cfg.Registry != nil {
		if err := s.metrics.register(cfg.Registry, s.Connected); err != nil {
			return nil, err
		}
	}
	udp, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("coap: %w", err)
	}
	if s.listener, err = dtls.ListenWithOptions("udp", udp, s.dtls()...); err != nil {
		return nil, fmt.Errorf("coap: %w", err)
	}
	s.work.Go(s.accept)
	s.work.Go(s.sweep)
	return s, nil
}

// Address is where the server listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Connected is how many devices are here.
func (s *Server) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.devices)
}

// accept lets connections in until the server ends.
func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if s.life.Err() != nil {
			if err == nil {
				c.Close()
			}
			return
		}
		if err != nil {
			s.cfg.Log.Warn("a connection could not be accepted", "error", err)
			select {
			case <-s.life.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		conn, ok := c.(*dtls.Conn)
		if !ok || s.connections.Add(1) > int64(s.cfg.Devices)+strangers {
			s.connections.Add(-1)
			c.Close()
			continue
		}
		s.work.Go(func() {
			defer s.connections.Add(-1)
			s.serve(conn)
		})
	}
}

// serve is a connection's life. A fault of the program with one connection ends that connection alone.
func (s *Server) serve(c *dtls.Conn) {
	defer func() { _ = c.Close() }()
	defer func() {
		if fault := recover(); fault != nil {
			s.cfg.Log.Error("a connection ended by a fault of the program; please report it", "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
		}
	}()
	hello, cancel := context.WithTimeout(s.life, helloTime)
	defer cancel()
	if err := c.HandshakeContext(hello); err != nil {
		s.cfg.Log.Debug("no connection came about", "from", c.RemoteAddr().String(), "error", err)
		return
	}
	state, _ := c.ConnectionState()
	device, key, err := identity(state.PeerCertificates)
	if err != nil {
		return // the handshake has looked at it
	}
	d := newSession(s, c, device, key)
	if !s.came(d) {
		s.refused(c.RemoteAddr(), "gateway.too_many_devices", nil)
		return
	}
	defer s.left(d)
	if err := d.conn.Run(); err != nil && !errors.Is(err, net.ErrClosed) {
		s.cfg.Log.Debug("a connection ended", "device", device.String(), "error", err)
	}
}

// came makes a session the device's, in place of the one before; false if there are too many devices.
func (s *Server) came(d *session) bool {
	s.mu.Lock()
	before := s.devices[d.device]
	if before == nil && len(s.devices) >= s.cfg.Devices {
		s.mu.Unlock()
		d.close()
		return false
	}
	s.devices[d.device] = d
	s.mu.Unlock()
	if before != nil {
		before.close()
	}
	return true
}

func (s *Server) left(d *session) {
	d.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.devices[d.device] == d {
		delete(s.devices, d.device)
	}
}

func (s *Server) here(device tx.Address) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.devices[device]
}

func (s *Server) all() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*session, 0, len(s.devices))
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

// Changed implements gateway.Door: it asks again whether the device's key may act for it, and cuts it off if not.
func (s *Server) Changed(device tx.Address) {
	if d := s.here(device); d != nil {
		go func() {
			ctx, cancel := context.WithTimeout(s.life, admitTime)
			defer cancel()
			if err := s.cfg.Handler.Admit(ctx, device, d.key); err != nil && gateway.KindOf(err) == gateway.NotAllowed {
				d.cut("not allowed", err.Error())
			}
		}()
	}
}

// Challenge implements gateway.Door.
func (s *Server) Challenge(device tx.Address, nonce string) {
	if d := s.here(device); d != nil && nonce != "" {
		go d.notify(nonce)
	}
}

// Commanded implements gateway.Door. A device asks for its commands where it is connected by MQTT; CoAP has no way for them.
func (s *Server) Commanded(tx.Address, string) {}

// Close ends the connections and lets nobody in any more, when every request has its answer or a moment later: what was taken and not
// answered its device sends again. The handler takes nothing any more, but answers.
func (s *Server) Close() error {
	for end := time.Now().Add(stopTime); s.unanswered.Load() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	s.end()
	err := s.listener.Close()
	for _, d := range s.all() {
		d.close()
	}
	s.work.Wait()
	if err != nil {
		return fmt.Errorf("coap: %w", err)
	}
	return nil
}
