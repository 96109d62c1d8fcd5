package coap

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	coapdtls "github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/udp/client"

	"github.com/dureledger/dure/ledger/fault"
)

// DialConfig says who a client is and whom it believes to be the server.
type DialConfig struct {
	// Certificate is the device's own.
	Certificate tls.Certificate
	// TLS has RootCAs and ServerName of the server. A server without a name in it has that of the address.
	TLS *tls.Config
	// Verify, if there is one, looks at the server's certificate in the place of RootCAs.
	Verify func(*x509.Certificate) error
	// Local is the UDP address to speak from, host:port; "" means any that is free.
	Local string
}

// Answer is what a request got. Code's class is 2 when it was granted; the body of others is for people, with a code in brackets.
type Answer struct {
	Code codes.Code
	Body []byte
}

// OK says that the request was granted.
func (a Answer) OK() bool { return a.Code>>5 == 2 }

// Client is a connection to a server. It is safe for concurrent use.
type Client struct {
	conn *client.Conn
}

const (
	// clientHello is how long a client's handshake may take, pingEvery how long nothing may be heard before the server is asked whether it is
	// there, pingTime how long that may take.
	clientHello = 20 * time.Second
	pingEvery   = 30 * time.Second
	pingTime    = 15 * time.Second
)

// Dial connects. The connection is watched: it ends when the server is silent and does not answer a ping either.
func Dial(ctx context.Context, address string, cfg DialConfig) (*Client, error) {
	dialer := net.Dialer{}
	if cfg.Local != "" {
		local, err := net.ResolveUDPAddr("udp", cfg.Local)
		if err != nil {
			return nil, fmt.Errorf("coap: %w", err)
		}
		dialer.LocalAddr = local
	}
	socket, err := dialer.DialContext(ctx, "udp", address)
	if err != nil {
		return nil, fmt.Errorf("coap: %w", err)
	}
	conn, err := dtls.ClientWithOptions(dtlsnet.PacketConnFromConn(socket), socket.RemoteAddr(), cfg.options(address)...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("coap: %w", err), socket.Close())
	}
	hello, cancel := context.WithTimeout(ctx, clientHello)
	defer cancel()
	if err := conn.HandshakeContext(hello); err != nil {
		return nil, errors.Join(fmt.Errorf("coap: %w", err), conn.Close())
	}
	c := &Client{conn: coapdtls.Client(conn,
		options.WithBlockwise(false, blockwise.SZX1024, time.Minute), // Get does it, within bounds
		options.WithMaxMessageSize(maxDatagram), options.WithErrors(func(error) {}), options.WithCloseSocket(),
	)}
	go c.watch()
	return c, nil
}

func (cfg DialConfig) options(address string) []dtls.ClientOption {
	name, _, _ := net.SplitHostPort(address)
	settings := cfg.TLS
	if settings == nil {
		settings = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if settings.ServerName != "" {
		name = settings.ServerName
	}
	out := []dtls.ClientOption{
		dtls.WithCertificates(cfg.Certificate), dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret), suites, dtls.WithServerName(name),
	}
	if cfg.Verify == nil {
		if settings.RootCAs != nil {
			out = append(out, dtls.WithRootCAs(settings.RootCAs))
		}
		return out
	}
	return append(out, dtls.WithInsecureSkipVerify(true), dtls.WithVerifyConnection(func(state *dtls.State) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("coap: the server shows no certificate")
		}
		shown, err := x509.ParseCertificate(state.PeerCertificates[0])
		if err != nil {
			return fmt.Errorf("coap: the server's certificate: %w", err)
		}
		return cfg.Verify(shown)
	}))
}

// watch pings the server now and then.
func (c *Client) watch() {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.conn.Done():
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(c.conn.Context(), pingTime)
			err := c.conn.Ping(ctx)
			cancel()
			if err != nil {
				c.Close()
				return
			}
		}
	}
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.conn.Done() }

// Close ends the connection.
func (c *Client) Close() { _ = c.conn.Close() } // it may have ended

// Post sends a body of at most 1,024 bytes and waits for the answer. An error means that it is not known whether it was taken.
func (c *Client) Post(ctx context.Context, path string, format message.MediaType, body []byte) (Answer, error) {
	res, err := c.conn.Post(ctx, path, format, bytes.NewReader(body))
	return c.read(res, err)
}

func (c *Client) read(res *pool.Message, err error) (Answer, error) {
	if err != nil {
		return Answer{}, fmt.Errorf("coap: %w", err)
	}
	defer c.conn.ReleaseMessage(res)
	body, err := res.ReadBody()
	if err != nil {
		return Answer{}, fmt.Errorf("coap: %w", err)
	}
	return Answer{Code: res.Code(), Body: bytes.Clone(body)}, nil
}

// Get fetches what is at a path, block by block, at most so many bytes. Code coap.too_large.
func (c *Client) Get(ctx context.Context, path string, most int) (Answer, error) {
	var whole []byte
	var tag []byte
	for next := (block{szx: blockwise.SZX1024}); ; next.num++ {
		value := make([]byte, 4)
		n, err := message.EncodeUint32(value, next.value())
		if err != nil {
			return Answer{}, fmt.Errorf("coap: %w", err)
		}
		res, err := c.conn.Get(ctx, path, message.Option{ID: message.Block2, Value: value[:n]})
		if err != nil {
			return Answer{}, fmt.Errorf("coap: %w", err)
		}
		got, _ := res.ETag()
		got = bytes.Clone(got)
		more, err := blockOf(res, next)
		a, err := c.read(res, err)
		if err != nil || !a.OK() {
			return a, err
		}
		if next.num > 0 && !bytes.Equal(got, tag) {
			return Answer{}, errors.New("coap: what is fetched has changed between two blocks")
		}
		tag = got
		if whole = append(whole, a.Body...); len(whole) > most {
			return Answer{}, fault.New("coap.too_large", fmt.Sprintf("What the server has at %s is longer than %d bytes.", path, most), "path", path, "most", most)
		}
		if !more {
			return Answer{Code: a.Code, Body: whole}, nil
		}
	}
}

// blockOf says whether there is more behind the block that was asked for. A server may give smaller blocks than were asked for only as the first,
// which is not done here.
func blockOf(res *pool.Message, asked block) (more bool, err error) {
	if !res.HasOption(message.Block2) || res.Code() != codes.Content {
		return false, nil // all of it is here
	}
	value, err := res.GetOptionUint32(message.Block2)
	if err != nil {
		return false, fmt.Errorf("coap: block: %w", err)
	}
	size, sized := res.BodySize()
	b, err := readBlock(value)
	if err == nil && (sized != nil || b.num != asked.num || b.szx != asked.szx || b.more && size != b.szx.Size()) {
		err = errors.New("coap: the server gave another block than the one that was asked for")
	}
	return b.more, err
}

// Observe has the server tell of what is at a path, at once and whenever it changes (RFC 7641). told must not wait; more says that the body goes
// on, to be had with Get. An answer that is no content ends the observation.
func (c *Client) Observe(ctx context.Context, path string, told func(a Answer, more bool)) error {
	_, err := c.conn.Observe(ctx, path, func(m *pool.Message) {
		body, err := m.ReadBody()
		if err != nil {
			return
		}
		value, err := m.GetOptionUint32(message.Block2)
		told(Answer{Code: m.Code(), Body: bytes.Clone(body)}, err == nil && value&8 != 0)
	})
	if err != nil {
		return fmt.Errorf("coap: %w", err)
	}
	return nil
}
