package coap_test

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	coapdtls "github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// from connects as a device from a UDP port, 0 for any, and gives its socket too: closed by itself, it is a device that lost its power.
func (p *place) from(d thing, port int) (*caller, *net.UDPConn) {
	p.T.Helper()
	to, err := net.ResolveUDPAddr("udp", p.CoAPAddress)
	if err != nil {
		p.T.Fatal(err)
	}
	socket, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, to)
	if err != nil {
		p.T.Fatal(err)
	}
	p.T.Cleanup(func() { socket.Close() })
	conn, err := dtls.ClientWithOptions(dtlsnet.PacketConnFromConn(socket), to, dtls.WithRootCAs(p.Roots), dtls.WithServerName("127.0.0.1"),
		dtls.WithCertificates(tls.Certificate{Certificate: [][]byte{namedCertificate(p.T, d.Address.String(), d.Key)}, PrivateKey: d.Key}))
	if err != nil {
		p.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.T.Context(), 10*time.Second)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		p.T.Fatal("it is not let in: ", err)
	}
	return &caller{coapdtls.Client(conn), p}, socket
}

func (c *caller) wantContent() {
	c.p.T.Helper()
	if code, body := c.get("/.well-known/core"); code != codes.Content {
		c.p.T.Errorf("%v %s", code, body)
	}
}

// A device that loses its power, starts again and speaks from the port that it had is let in at once, and the connection before is gone; so it
// is when another device has the port by then.
func TestRestartOnTheSamePort(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car, meter := p.Device(1), p.Device(2)
	c, socket := p.from(car, 0)
	c.wantContent()
	port := socket.LocalAddr().(*net.UDPAddr).Port
	for _, next := range []thing{car, meter, meter, car} {
		socket.Close()
		c, socket = p.from(next, port)
		c.wantContent()
		p.Net.Eventually(func() bool { return p.CoAP.Connected() == 1 }, "the connection before is still there")
		c.wantContent()
	}
}

// datagram is a record of DTLS 1.2 in the clear.
func datagram(kind byte, content ...byte) []byte {
	return append([]byte{kind, 254, 253, 0, 0, 0, 0, 0, 0, 1, 0, byte(len(content) >> 8), byte(len(content))}, content...)
}

// helloOf is what a client sends first.
func helloOf(t *testing.T) []byte {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	conn, err := dtls.DialWithOptions("udp", socket.LocalAddr().(*net.UDPAddr), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = conn.HandshakeContext(ctx) }()
	b := make([]byte, 4096)
	n, err := socket.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// Who writes a device's address on a datagram, without its keys, does not end its connection, nor delay it.
func TestForgedDatagrams(t *testing.T) {
	p := newPlace(t)
	p.Open()
	c, socket := p.from(p.Device(1), 0)
	c.wantContent()
	hello := helloOf(t)
	for name, forged := range map[string][]byte{
		"a hello": hello, "an alert": datagram(21, 2, 40), "the end": datagram(21, 1, 0), "data": datagram(23, 1, 2, 3), "a change of keys": datagram(20, 1),
		"half a hello": hello[:20], "a hello with an alert behind": append(append([]byte(nil), hello...), datagram(21, 2, 40)...), "nothing": {}, "noise": {1, 2, 3},
	} {
		for range 3 {
			if _, err := socket.Write(forged); err != nil {
				t.Fatal(name, err)
			}
			c.wantContent()
		}
		select {
		case <-c.Done():
			t.Fatal(name, "ends it")
		default:
		}
	}
	if p.CoAP.Connected() != 1 {
		t.Error("it is not there")
	}
}
