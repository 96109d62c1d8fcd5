package mqtt_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/dureledger/dure/client"
	sdk "github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/gateway/mqtt"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

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
	// meddle puts something between the broker and the gateway; nil: nothing.
	meddle func(*gateway.Gateway) gateway.Handler

	gateway *gateway.Gateway
	broker  *mqtt.Broker
	address string
	stop    func()
}

var (
	good   = [32]byte{1}
	forged = [32]byte{2}
)

func newPlace(t *testing.T, members int) *place {
	t.Helper()
	p := &place{t: t, net: simnet.Start(t, members), maker: simnet.Signer(0), address: "127.0.0.1:0"}
	p.client = p.net.Client()
	var err error
	if p.network, err = p.client.Network(t.Context()); err != nil {
		t.Fatal(err)
	}
	maker := simnet.Address(p.maker)
	p.do(func(d *client.Draft) {
		d.RegisterModel(maker, "sedan", "Sedan").RegisterFirmware(maker, client.Firmware{Model: "sedan", Number: 1, Version: "1", Digest: good})
	}, p.maker)
	p.certificate, p.roots = serverCertificate(t)
	return p
}

// open starts a gateway, on the same port as the last.
func (p *place) open() {
	p.t.Helper()
	log := slog.New(slog.NewTextHandler(p.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	g, err := gateway.New(p.t.Context(), gateway.Config{Client: p.client, Account: simnet.Address(p.maker), Signer: p.maker, Queue: p.queue, Log: log})
	if err != nil {
		p.t.Fatal(err)
	}
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.address = l.Addr().String()
	p.gateway = g
	handler := gateway.Handler(g)
	if p.meddle != nil {
		handler = p.meddle(g)
	}
	if p.broker, err = mqtt.Listen(l, mqtt.Config{Handler: handler, Certificate: func() (*tls.Certificate, error) { return &p.certificate, nil }, Log: log}); err != nil {
		p.t.Fatal(err)
	}
	g.Open(p.broker)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		g.Run(ctx)
		close(ended)
	}()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		if err := p.broker.Close(); err != nil {
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

// account opens an account for a key.
func (p *place) account(kind accountv1.KeyKind, n uint64) thing {
	p.t.Helper()
	d := p.thing(kind, n)
	p.do(func(draft *client.Draft) { draft.OpenAccount(simnet.Address(p.maker), d.signer.Key()) }, p.maker)
	return d
}

func (p *place) thing(kind accountv1.KeyKind, n uint64) thing {
	p.t.Helper()
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
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if n%2 == 1 {
		kind = accountv1.KeyKind_KEY_KIND_P256
	}
	d, maker := p.thing(kind, n), simnet.Address(p.maker)
	p.do(func(draft *client.Draft) {
		draft.OpenAccount(maker, d.signer.Key()).EnrolDevice(maker, d.address, maker, "sedan", fmt.Sprint(n), 1)
	}, p.maker)
	return d
}

// tls are the settings with which a device connects; who says with whose certificate.
func (p *place) tls(who *thing) *tls.Config {
	p.t.Helper()
	c := &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12}
	if who != nil {
		der, err := sdk.Certificate(who.address, who.key)
		if err != nil {
			p.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: who.key}}
	}
	return c
}

// caller is a connected MQTT 5 client.
type caller struct {
	*paho.Client
	p     *place
	heard chan *packets.Publish
	// gone has why the gateway ended the connection.
	gone chan *paho.Disconnect
}

// call connects as a client id with a device's certificate.
func (p *place) call(who *thing, id string, change func(*paho.Connect)) (*caller, *paho.Connack, error) {
	p.t.Helper()
	conn, err := tls.Dial("tcp", p.address, p.tls(who))
	if err != nil {
		return nil, nil, err
	}
	c := &caller{p: p, heard: make(chan *packets.Publish, 1000), gone: make(chan *paho.Disconnect, 1)}
	c.Client = paho.NewClient(paho.ClientConfig{
		ClientID: id, Conn: packets.NewThreadSafeConn(conn), PacketTimeout: time.Minute,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			c.heard <- r.Packet.Packet()
			return true, nil
		}},
		OnServerDisconnect: func(d *paho.Disconnect) { c.gone <- d },
	})
	connect := &paho.Connect{ClientID: id, KeepAlive: 30, CleanStart: true}
	change(connect)
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	ack, err := c.Connect(ctx, connect)
	if err == nil {
		p.t.Cleanup(func() { _ = c.Disconnect(&paho.Disconnect{}) })
	}
	return c, ack, err
}

// connect is call as it should be.
func (p *place) connect(who thing) *caller {
	p.t.Helper()
	c, _, err := p.call(&who, who.address.String(), func(*paho.Connect) {})
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// publish sends a message with QoS 1 and returns the code and the words of the PUBACK.
func (c *caller) publish(topic string, payload []byte) (byte, string) {
	c.p.t.Helper()
	ctx, cancel := context.WithTimeout(c.p.t.Context(), time.Minute)
	defer cancel()
	res, err := c.Publish(ctx, &paho.Publish{QoS: 1, Topic: topic, Payload: payload})
	if res == nil {
		c.p.t.Fatalf("no PUBACK: %v", err)
	}
	if res.Properties == nil {
		return res.ReasonCode, ""
	}
	return res.ReasonCode, res.Properties.ReasonString
}

func (c *caller) subscribe(topic string) byte {
	c.p.t.Helper()
	ack, err := c.Subscribe(c.p.t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic, QoS: 1}}})
	if ack == nil {
		c.p.t.Fatal(err)
	}
	return ack.Reasons[0]
}

// answer is the next message on the outcome topic.
func (c *caller) answer() (a gateway.Answer) {
	c.p.t.Helper()
	if err := json.Unmarshal(next(c.p.t, c.heard).Payload, &a); err != nil {
		c.p.t.Fatal(err)
	}
	return a
}

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		panic("unreachable")
	}
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
