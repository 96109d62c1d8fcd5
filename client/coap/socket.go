package coap

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/transport/v4/deadline"
	"github.com/pion/transport/v4/packetio"
)

const (
	// maxRecord is the longest datagram that is read, bytes.
	maxRecord = 8192
	// maxUnread bounds the bytes of a peer that wait to be read, maxNew the peers that wait to be accepted. What is more is dropped.
	maxUnread = 64 << 10
	maxNew    = 128
)

// socket gives the datagrams of one UDP socket to peers by the address they come from.
//
// A ClientHello from the address of a peer whose handshake is through may be by a device that has started anew, or by anybody who writes the
// device's address on a datagram. So it gets a peer of its own beside the one that is there, which lives on, with all its messages, until the new
// one's handshake is through as well: that takes whoever receives what is sent to the address (RFC 6347, section 4.2.8).
type socket struct {
	conn *net.UDPConn
	come chan *peer

	mu     sync.Mutex
	closed bool
	peers  map[netip.AddrPort]pair
}

// pair are the peers of an address. coming is nil unless here is settled and a new handshake is under way.
type pair struct{ here, coming *peer }

// peer is one DTLS connection's side of the socket. It implements net.PacketConn.
type peer struct {
	socket  *socket
	address netip.AddrPort
	in      *packetio.Buffer
	late    *deadline.Deadline // of writes
	// settled, by the socket's lock: its handshake is through. gone: it sends nothing any more.
	settled, gone bool
}

func listen(address string) (*socket, error) {
	udp, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", udp)
	if err != nil {
		return nil, err
	}
	return &socket{conn: conn, come: make(chan *peer, maxNew), peers: map[netip.AddrPort]pair{}}, nil
}

// read gives out datagrams until the socket is closed.
func (s *socket) read() {
	defer close(s.come)
	buffer := make([]byte, maxRecord)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil { // others are of a datagram that was sent, to an address where nobody is any more
			s.give(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), buffer[:n])
		}
	}
}

// give gives a datagram to whom it may be for.
func (s *socket) give(from netip.AddrPort, datagram []byte) {
	what := look(datagram)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.peers[from]
	if what == hello && !s.closed {
		switch {
		case p.here == nil:
			p.here = s.meet(from)
		case p.here.settled && p.coming == nil:
			p.coming = s.meet(from)
		}
		if p.here == nil {
			return
		}
		s.peers[from] = p
	}
	switch {
	case p.here == nil, what == neither:
	case what == sealed:
		p.here.take(datagram)
		if p.coming != nil { // which of the two it is for is found by its keys
			p.coming.take(datagram)
		}
	case p.coming != nil:
		p.coming.take(datagram)
	case what == handshake || !p.here.settled:
		p.here.take(datagram)
	}
}

// meet makes a peer for a first datagram; nil if so many wait that there is no room.
func (s *socket) meet(from netip.AddrPort) *peer {
	p := &peer{socket: s, address: from, in: packetio.NewBuffer(), late: deadline.New()}
	p.in.SetLimitSize(maxUnread)
	select {
	case s.come <- p:
		return p
	default:
		return nil
	}
}

func (p *peer) take(datagram []byte) { _, _ = p.in.Write(datagram) } // what does not fit is lost, as datagrams are

// settle is called when the peer's handshake is through: it takes the place of the one before at its address.
func (p *peer) settle() {
	p.socket.mu.Lock()
	defer p.socket.mu.Unlock()
	p.settled = true
	if both := p.socket.peers[p.address]; both.coming == p {
		both.here.gone = true // its farewell would be taken for the new one's
		_ = both.here.in.Close()
		p.socket.peers[p.address] = pair{here: p}
	}
}

// Close implements net.PacketConn.
func (p *peer) Close() error {
	p.socket.mu.Lock()
	defer p.socket.mu.Unlock()
	p.gone = true
	both := p.socket.peers[p.address]
	switch p {
	case both.coming:
		p.socket.peers[p.address] = pair{here: both.here}
	case both.here:
		if both.coming == nil {
			delete(p.socket.peers, p.address)
		} else {
			p.socket.peers[p.address] = pair{here: both.coming}
		}
	}
	return p.in.Close()
}

// ReadFrom implements net.PacketConn.
func (p *peer) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.in.Read(b)
	return n, p.RemoteAddr(), err
}

// WriteTo implements net.PacketConn.
func (p *peer) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-p.late.Done():
		return 0, p.late.Err()
	default:
	}
	p.socket.mu.Lock()
	gone := p.gone
	p.socket.mu.Unlock()
	if gone {
		return 0, net.ErrClosed
	}
	return p.socket.conn.WriteToUDPAddrPort(b, p.address)
}

// RemoteAddr is where the peer is.
func (p *peer) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(p.address) }

// LocalAddr implements net.PacketConn.
func (p *peer) LocalAddr() net.Addr { return p.socket.conn.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (p *peer) SetDeadline(t time.Time) error {
	p.late.Set(t)
	return p.in.SetReadDeadline(t)
}

// SetReadDeadline implements net.PacketConn.
func (p *peer) SetReadDeadline(t time.Time) error { return p.in.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (p *peer) SetWriteDeadline(t time.Time) error {
	p.late.Set(t)
	return nil
}

// refuse lets no new peers in.
func (s *socket) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}
