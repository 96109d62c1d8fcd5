package coap_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	coapdtls "github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	coapclient "github.com/plgd-dev/go-coap/v3/udp/client"
	"github.com/plgd-dev/go-coap/v3/udp/coder"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/gateway/gatewaytest"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// place is a network with a gateway.
type place struct{ *gatewaytest.Place }

type thing = gatewaytest.Thing

func newPlace(t *testing.T) *place { return &place{gatewaytest.New(t, 1)} }

// committed are the numbers of the readings of a device that are in transactions which are ok, whatever their verdict, in order.
func (p *place) committed(d thing) (numbers []string) {
	p.T.Helper()
	if err := p.Client.Indexed(p.T.Context(), 0); err != nil {
		p.T.Fatal(err)
	}
	for t, err := range p.Client.Transactions(p.T.Context(), &apiv1.ListTransactionsRequest{Account: d.Address.String(), Status: client.StatusOK}) {
		if err != nil {
			p.T.Fatal(err)
		}
		_, raw, err := p.Client.FindRaw(p.T.Context(), t.GetId())
		if err != nil {
			p.T.Fatal(err)
		}
		decoded, err := tx.Decode(p.Network, raw, 1<<20)
		if err != nil {
			p.T.Fatal(err)
		}
		var here []string
		for _, source := range decoded.Body.GetActions()[0].GetStreamAnchor().GetSources() {
			for _, message := range source.GetReadings() {
				if r, err := reading.Parse(message); err == nil && tx.Address(source.GetDevice()) == d.Address {
					here = append(here, fmt.Sprintf("%d.%d", r.Boot, r.Sequence))
				}
			}
		}
		numbers = append(here, numbers...) // the list is newest first
	}
	return numbers
}

// dial makes the handshake with a certificate that names a device, for a key; none for nil.
func (p *place) dial(name string, key crypto.Signer) (*dtls.Conn, error) {
	p.T.Helper()
	address, err := net.ResolveUDPAddr("udp", p.CoAP.Address())
	if err != nil {
		p.T.Fatal(err)
	}
	options := []dtls.ClientOption{dtls.WithRootCAs(p.Roots), dtls.WithServerName("127.0.0.1")}
	if key != nil {
		options = append(options, dtls.WithCertificates(tls.Certificate{Certificate: [][]byte{namedCertificate(p.T, name, key)}, PrivateKey: key}))
	}
	conn, err := dtls.DialWithOptions("udp", address, options...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(p.T.Context(), 20*time.Second)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	p.T.Cleanup(func() { conn.Close() })
	return conn, nil
}

// caller is a connected client.
type caller struct {
	*coapclient.Conn
	p *place
}

func (p *place) connect(d thing) *caller {
	p.T.Helper()
	conn, err := p.dial(d.Address.String(), d.Key)
	if err != nil {
		p.T.Fatal(err)
	}
	return &caller{coapdtls.Client(conn), p}
}

// post sends a body and returns the code and the body of the answer.
func (c *caller) post(path string, format message.MediaType, body []byte) (codes.Code, string) {
	c.p.T.Helper()
	ctx, cancel := context.WithTimeout(c.p.T.Context(), time.Minute)
	defer cancel()
	res, err := c.Post(ctx, path, format, bytes.NewReader(body))
	return c.read(res, err)
}

func (c *caller) get(path string) (codes.Code, string) {
	c.p.T.Helper()
	ctx, cancel := context.WithTimeout(c.p.T.Context(), time.Minute)
	defer cancel()
	res, err := c.Get(ctx, path)
	return c.read(res, err)
}

func (c *caller) read(res *pool.Message, err error) (codes.Code, string) {
	c.p.T.Helper()
	if err != nil {
		c.p.T.Fatal(err)
	}
	body, err := res.ReadBody()
	if err != nil {
		c.p.T.Fatal(err)
	}
	return res.Code(), string(body)
}

// raw sends messages as they are given.
type raw struct {
	*dtls.Conn
	p *place
}

func (p *place) raw(d thing) *raw {
	p.T.Helper()
	conn, err := p.dial(d.Address.String(), d.Key)
	if err != nil {
		p.T.Fatal(err)
	}
	return &raw{conn, p}
}

func (r *raw) send(kind message.Type, id int32, code codes.Code, path string, body []byte, change ...func(*pool.Message)) {
	r.p.T.Helper()
	m := pool.New(0, 0).AcquireMessage(r.p.T.Context())
	m.SetType(kind)
	m.SetMessageID(id)
	m.SetCode(code)
	if code != codes.Empty {
		m.SetToken(message.Token{byte(id >> 8), byte(id)})
		m.MustSetPath(path)
	}
	if body != nil {
		m.SetBody(bytes.NewReader(body))
	}
	for _, c := range change {
		c(m)
	}
	data, err := m.MarshalWithEncoder(coder.DefaultCoder)
	if err != nil {
		r.p.T.Fatal(err)
	}
	if _, err := r.Write(data); err != nil {
		r.p.T.Fatal(err)
	}
}

// next is the next message that came.
func (r *raw) next() *pool.Message {
	r.p.T.Helper()
	if err := r.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		r.p.T.Fatal(err)
	}
	buffer := make([]byte, 4096)
	n, err := r.Read(buffer)
	if err != nil {
		r.p.T.Fatal(err)
	}
	m := pool.New(0, 0).AcquireMessage(r.p.T.Context())
	if _, err := m.UnmarshalWithDecoder(coder.DefaultCoder, buffer[:n]); err != nil {
		r.p.T.Fatal(err)
	}
	return m
}

func bodyOf(t *testing.T, m *pool.Message) string {
	t.Helper()
	body, err := m.ReadBody()
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// namedCertificate is a device's own, with another name perhaps.
func namedCertificate(t *testing.T, name string, key crypto.Signer) []byte {
	t.Helper()
	if address, err := tx.ParseAddress(name); err == nil {
		der, err := certificate.Make(address, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
