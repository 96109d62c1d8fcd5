// Package gatewaytest has a network with a gateway for the tests of its doors and of the devices that come through them.
package gatewaytest

import (
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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/gateway/coap"
	"github.com/dureledger/dure/gateway/mqtt"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// Feed is the name of the feed that Place.Feed opens.
const Feed = "speed.ring"

// Good is the digest of firmware 1 of the devices, Forged that of none.
var (
	Good   = [32]byte{1}
	Forged = [32]byte{2}
)

// Place is a network with a gateway that has both doors. Member 0 is the devices' maker, the sponsor of everybody and the gateway's account.
type Place struct {
	T       *testing.T
	Net     *simnet.Network
	Client  *client.Client
	Network string
	Maker   tx.Signer

	// Certificate is the gateway's, Roots believe it.
	Certificate tls.Certificate
	Roots       *x509.CertPool
	// Queue bounds the gateway's readings. Wrap may put something between the doors and the gateway; nil: nothing.
	Queue int
	Wrap  func(*gateway.Gateway) gateway.Handler

	// MQTT and CoAP are open after Open, at MQTTAddress and CoAPAddress; Stop closes them.
	MQTT                     *mqtt.Broker
	CoAP                     *coap.Server
	MQTTAddress, CoAPAddress string
	Stop                     func()
}

// New starts a network of so many members.
func New(t *testing.T, members int) *Place {
	t.Helper()
	p := &Place{T: t, Net: simnet.Start(t, members), Maker: simnet.Signer(0), MQTTAddress: "127.0.0.1:0", CoAPAddress: "127.0.0.1:0"}
	p.Client = p.Net.Client()
	var err error
	if p.Network, err = p.Client.Network(t.Context()); err != nil {
		t.Fatal(err)
	}
	maker := simnet.Address(p.Maker)
	p.Do(func(d *client.Draft) {
		d.RegisterModel(maker, "sedan", "Sedan").RegisterFirmware(maker, client.Firmware{Model: "sedan", Number: 1, Version: "1", Digest: Good})
	}, p.Maker)
	p.Certificate, p.Roots = serverCertificate(t)
	return p
}

// Open starts a gateway, on the same ports as the last.
func (p *Place) Open() {
	p.T.Helper()
	log := slog.New(slog.NewTextHandler(p.T.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	g, err := gateway.New(p.T.Context(), gateway.Config{Client: p.Client, Account: simnet.Address(p.Maker), Signer: p.Maker, Queue: p.Queue, Log: log})
	if err != nil {
		p.T.Fatal(err)
	}
	cfg := gateway.DoorConfig{Handler: g, Certificate: func() (*tls.Certificate, error) { return &p.Certificate, nil }, Log: log}
	if p.Wrap != nil {
		cfg.Handler = p.Wrap(g)
	}
	l, err := net.Listen("tcp", p.MQTTAddress)
	if err != nil {
		p.T.Fatal(err)
	}
	if p.MQTT, err = mqtt.Listen(l, cfg); err != nil {
		p.T.Fatal(err)
	}
	if p.CoAP, err = coap.Listen(p.CoAPAddress, cfg); err != nil {
		p.T.Fatal(err)
	}
	p.MQTTAddress, p.CoAPAddress = l.Addr().String(), p.CoAP.Address()
	g.Open(p.MQTT)
	g.Open(p.CoAP)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		g.Run(ctx)
		close(ended)
	}()
	p.Stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		for _, close := range []func() error{p.MQTT.Close, p.CoAP.Close} {
			if err := close(); err != nil {
				p.T.Error(err)
			}
		}
	})
	p.T.Cleanup(p.Stop)
}

// Do commits actions, which must be ok.
func (p *Place) Do(draft func(*client.Draft), signers ...tx.Signer) *apiv1.Outcome {
	p.T.Helper()
	d := client.NewTransaction(p.Network)
	draft(d)
	outcome, err := p.Client.Do(p.T.Context(), d, signers...)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		p.T.Fatal(err)
	}
	return outcome
}

// Thing is one with an account.
type Thing struct {
	Address tx.Address
	Signer  tx.Signer
	Key     crypto.Signer
}

// Thing is a device, or an account that is none, with a P-256 key if n is odd, else Ed25519.
func (p *Place) Thing(n uint64) Thing {
	p.T.Helper()
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if n%2 == 1 {
		kind = accountv1.KeyKind_KEY_KIND_P256
	}
	signer := txtest.Signer(kind, n)
	key, err := reading.Key(kind, txtest.Secret(n))
	if err != nil {
		p.T.Fatal(err)
	}
	return Thing{signer.Key().Address(), signer, key}
}

// Account opens an account for a thing.
func (p *Place) Account(n uint64) Thing {
	p.T.Helper()
	d := p.Thing(n)
	p.Do(func(draft *client.Draft) { draft.OpenAccount(simnet.Address(p.Maker), d.Signer.Key()) }, p.Maker)
	return d
}

// Device enrols a thing.
func (p *Place) Device(n uint64) Thing {
	p.T.Helper()
	d, maker := p.Thing(n), simnet.Address(p.Maker)
	p.Do(func(draft *client.Draft) {
		draft.OpenAccount(maker, d.Signer.Key()).EnrolDevice(maker, d.Address, maker, "sedan", fmt.Sprint(n), 1)
	}, p.Maker)
	return d
}

// TLS are the settings with which a device connects; who says with whose certificate.
func (p *Place) TLS(who *Thing) *tls.Config {
	p.T.Helper()
	c := &tls.Config{RootCAs: p.Roots, MinVersion: tls.VersionTLS12}
	if who != nil {
		der, err := certificate.Make(who.Address, who.Key)
		if err != nil {
			p.T.Fatal(err)
		}
		c.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: who.Key}}
	}
	return c
}

// Feed opens one for the devices: km/h, one digit, 0 to 300, late after an hour.
func (p *Place) Feed(devices ...Thing) {
	p.T.Helper()
	operator := simnet.Address(p.Maker)
	admit := &streamv1.Admit{Feed: Feed}
	for _, d := range devices {
		admit.Devices = append(admit.Devices, d.Address[:])
	}
	p.Do(func(d *client.Draft) {
		d.Append(&txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamOpen{StreamOpen: &streamv1.Open{Feed: Feed, Terms: &streamv1.Terms{
			Title: "Speed on the ring", Unit: "km/h", Decimals: 1, Least: 0, Most: 3000, LateMs: 3_600_000, AheadMs: 60_000, StaleMs: 3_600_000, MinSources: 1, AppealMs: 60_000,
		}}}}, &txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamAdmit{StreamAdmit: admit}})
	}, p.Maker)
}

// Reading is one of the feed that a device has signed, with the time of so long ago.
func (p *Place) Reading(d Thing, boot, sequence uint64, value string, ago time.Duration) []byte {
	p.T.Helper()
	decimal, err := reading.ParseDecimal(value)
	if err != nil {
		p.T.Fatal(err)
	}
	raw, err := reading.Sign(p.Network, d.Address, &reading.Reading{
		Boot: boot, Sequence: sequence, Feed: Feed, Unit: "km/h", Value: decimal, Time: time.Now().Add(-ago).UnixMilli(),
	}, d.Key)
	if err != nil {
		p.T.Fatal(err)
	}
	return raw
}

// Committed are the readings of a device that are part of the record, as the ledger has them now, in order: start, number, verdict.
func (p *Place) Committed(d Thing) (out []string) {
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
			if tx.Address(source.GetDevice()) != d.Address {
				continue
			}
			verdicts := verdictsIn(p.T, t.GetOutcome(), d)
			for i, message := range source.GetReadings() {
				r, err := reading.Parse(message)
				if err != nil {
					p.T.Fatal(err)
				}
				if verdict := streamv1.Verdict(verdicts[i] >> 4); verdict != streamv1.Verdict_VERDICT_REFUSED {
					here = append(here, fmt.Sprintf("%d.%d %s", r.Boot, r.Sequence, strings.ToLower(strings.TrimPrefix(verdict.String(), "VERDICT_"))))
				}
			}
		}
		out = append(here, out...) // the list is newest first
	}
	return out
}

func verdictsIn(t *testing.T, o *apiv1.Outcome, d Thing) []byte {
	t.Helper()
	verdicts, err := client.Verdicts(o, 0)
	if err != nil || verdicts[d.Address] == nil {
		t.Fatal("no verdicts", err)
	}
	return verdicts[d.Address]
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
