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
	"log/slog"
	"math/big"
	"net"
	"sync"
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
	sdk "github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/gateway/coap"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

const feed = "speed.ring"

// place is a network with a gateway. Member 0 is the devices' maker, the sponsor of everybody and the gateway's account.
type place struct {
	t       *testing.T
	net     *simnet.Network
	client  *client.Client
	network string
	maker   tx.Signer

	certificate tls.Certificate
	roots       *x509.CertPool
	queue       int
	// wrap may stand between the door and the gateway.
	wrap func(gateway.Handler) gateway.Handler

	door *coap.Server
	stop func()
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, net: simnet.Start(t, 1), maker: simnet.Signer(0), wrap: func(h gateway.Handler) gateway.Handler { return h }}
	p.client = p.net.Client()
	var err error
	if p.network, err = p.client.Network(t.Context()); err != nil {
		t.Fatal(err)
	}
	maker := simnet.Address(p.maker)
	p.do(func(d *client.Draft) {
		d.RegisterModel(maker, "sedan", "Sedan").RegisterFirmware(maker, client.Firmware{Model: "sedan", Number: 1, Version: "1", Digest: [32]byte{1}})
	}, p.maker)
	p.certificate, p.roots = serverCertificate(t)
	return p
}

// open starts a gateway.
func (p *place) open() {
	p.t.Helper()
	log := slog.New(slog.NewTextHandler(p.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	g, err := gateway.New(p.t.Context(), gateway.Config{Client: p.client, Account: simnet.Address(p.maker), Signer: p.maker, Queue: p.queue, Log: log})
	if err != nil {
		p.t.Fatal(err)
	}
	p.door, err = coap.Listen("127.0.0.1:0", coap.Config{
		Handler: p.wrap(g), Certificate: func() (*tls.Certificate, error) { return &p.certificate, nil }, Log: log,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	g.Open(p.door)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		g.Run(ctx)
		close(ended)
	}()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		if err := p.door.Close(); err != nil {
			p.t.Error(err)
		}
	})
	p.t.Cleanup(p.stop)
}

// do commits actions, which must be ok.
func (p *place) do(draft func(*client.Draft), signers ...tx.Signer) *apiv1.Outcome {
	p.t.Helper()
	d := client.NewTransaction(p.network)
	draft(d)
	outcome, err := p.client.Do(p.t.Context(), d, signers...)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return outcome
}

// thing is a device.
type thing struct {
	address tx.Address
	signer  tx.Signer
	key     crypto.Signer
}

func (p *place) thing(n uint64) thing {
	p.t.Helper()
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if n%2 == 1 {
		kind = accountv1.KeyKind_KEY_KIND_P256
	}
	signer := txtest.Signer(kind, n)
	key, err := reading.Key(kind, txtest.Secret(n))
	if err != nil {
		p.t.Fatal(err)
	}
	return thing{signer.Key().Address(), signer, key}
}

// device enrols one, with a P-256 key if n is odd, else Ed25519.
func (p *place) device(n uint64) thing {
	p.t.Helper()
	d, maker := p.thing(n), simnet.Address(p.maker)
	p.do(func(draft *client.Draft) {
		draft.OpenAccount(maker, d.signer.Key()).EnrolDevice(maker, d.address, maker, "sedan", fmt.Sprint(n), 1)
	}, p.maker)
	return d
}

// feed opens one for the devices: km/h, one digit, 0 to 300, late after an hour.
func (p *place) feed(devices ...thing) {
	p.t.Helper()
	operator := simnet.Address(p.maker)
	admit := &streamv1.Admit{Feed: feed}
	for _, d := range devices {
		admit.Devices = append(admit.Devices, d.address[:])
	}
	p.do(func(d *client.Draft) {
		d.Append(&txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamOpen{StreamOpen: &streamv1.Open{Feed: feed, Terms: &streamv1.Terms{
			Title: "Speed on the ring", Unit: "km/h", Decimals: 1, Most: 3000, LateMs: 3_600_000, AheadMs: 60_000, StaleMs: 3_600_000, MinSources: 1, AppealMs: 60_000,
		}}}}, &txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamAdmit{StreamAdmit: admit}})
	}, p.maker)
}

func (p *place) reading(d thing, boot, sequence uint64, value string, ago time.Duration) []byte {
	p.t.Helper()
	decimal, err := reading.ParseDecimal(value)
	if err != nil {
		p.t.Fatal(err)
	}
	raw, err := reading.Sign(p.network, d.address, &reading.Reading{
		Boot: boot, Sequence: sequence, Feed: feed, Unit: "km/h", Value: decimal, Time: time.Now().Add(-ago).UnixMilli(),
	}, d.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

// committed are the numbers of the readings of a device that are in transactions which are ok, whatever their verdict, in order.
func (p *place) committed(d thing) (numbers []string) {
	p.t.Helper()
	for t, err := range p.client.Transactions(p.t.Context(), &apiv1.ListTransactionsRequest{Account: d.address.String(), Status: client.StatusOK}) {
		if err != nil {
			p.t.Fatal(err)
		}
		_, raw, err := p.client.FindRaw(p.t.Context(), t.GetId())
		if err != nil {
			p.t.Fatal(err)
		}
		decoded, err := tx.Decode(p.network, raw, 1<<20)
		if err != nil {
			p.t.Fatal(err)
		}
		var here []string
		for _, source := range decoded.Body.GetActions()[0].GetStreamAnchor().GetSources() {
			for _, message := range source.GetReadings() {
				if r, err := reading.Parse(message); err == nil && tx.Address(source.GetDevice()) == d.address {
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
	p.t.Helper()
	address, err := net.ResolveUDPAddr("udp", p.door.Address())
	if err != nil {
		p.t.Fatal(err)
	}
	options := []dtls.ClientOption{dtls.WithRootCAs(p.roots), dtls.WithServerName("127.0.0.1")}
	if key != nil {
		options = append(options, dtls.WithCertificates(tls.Certificate{Certificate: [][]byte{namedCertificate(p.t, name, key)}, PrivateKey: key}))
	}
	conn, err := dtls.DialWithOptions("udp", address, options...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	p.t.Cleanup(func() { conn.Close() })
	return conn, nil
}

// caller is a connected client.
type caller struct {
	*coapclient.Conn
	p *place
}

func (p *place) connect(d thing) *caller {
	p.t.Helper()
	conn, err := p.dial(d.address.String(), d.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return &caller{coapdtls.Client(conn), p}
}

// post sends a body and returns the code and the body of the answer.
func (c *caller) post(path string, format message.MediaType, body []byte) (codes.Code, string) {
	c.p.t.Helper()
	ctx, cancel := context.WithTimeout(c.p.t.Context(), time.Minute)
	defer cancel()
	res, err := c.Post(ctx, path, format, bytes.NewReader(body))
	return c.read(res, err)
}

func (c *caller) get(path string) (codes.Code, string) {
	c.p.t.Helper()
	ctx, cancel := context.WithTimeout(c.p.t.Context(), time.Minute)
	defer cancel()
	res, err := c.Get(ctx, path)
	return c.read(res, err)
}

func (c *caller) read(res *pool.Message, err error) (codes.Code, string) {
	c.p.t.Helper()
	if err != nil {
		c.p.t.Fatal(err)
	}
	body, err := res.ReadBody()
	if err != nil {
		c.p.t.Fatal(err)
	}
	return res.Code(), string(body)
}

// raw sends messages as they are given.
type raw struct {
	*dtls.Conn
	p *place
}

func (p *place) raw(d thing) *raw {
	p.t.Helper()
	conn, err := p.dial(d.address.String(), d.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return &raw{conn, p}
}

func (r *raw) send(kind message.Type, id int32, code codes.Code, path string, body []byte, change ...func(*pool.Message)) {
	r.p.t.Helper()
	m := pool.New(0, 0).AcquireMessage(r.p.t.Context())
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
		r.p.t.Fatal(err)
	}
	if _, err := r.Write(data); err != nil {
		r.p.t.Fatal(err)
	}
}

// next is the next message that came.
func (r *raw) next() *pool.Message {
	r.p.t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		r.p.t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	n, err := r.Read(buffer)
	if err != nil {
		r.p.t.Fatal(err)
	}
	m := pool.New(0, 0).AcquireMessage(r.p.t.Context())
	if _, err := m.UnmarshalWithDecoder(coder.DefaultCoder, buffer[:n]); err != nil {
		r.p.t.Fatal(err)
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
		der, err := sdk.Certificate(address, key)
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

// serverCertificate is one for 127.0.0.1, signed by itself.
func serverCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := reading.Key(accountv1.KeyKind_KEY_KIND_P256, txtest.Secret(999))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
