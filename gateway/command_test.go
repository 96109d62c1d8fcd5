package gateway_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	sdk "github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/gateway/gatewaytest"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/tx"
)

// anchor is what devices trust.
func (p *place) anchor() *light.Anchor {
	p.T.Helper()
	info, err := p.Client.NetworkInfo(p.T.Context())
	if err != nil {
		p.T.Fatal(err)
	}
	a, err := light.FromGenesis(info.GetGenesis())
	if err != nil {
		p.T.Fatal(err)
	}
	return a
}

// start runs a device until the function that it returns is called.
func (p *place) start(who thing, change func(*sdk.Config)) (stop func()) {
	p.T.Helper()
	cfg := sdk.Config{
		Dir: filepath.Join(p.T.TempDir(), "device"), Network: p.Network, Address: who.Address, Key: who.Key, Signer: who.Signer,
		Gateway: p.address(), TLS: p.TLS(nil), Anchor: p.anchor(),
		Log: slog.New(slog.NewTextHandler(p.T.Output(), nil)),
	}
	change(&cfg)
	d, err := sdk.Open(cfg)
	if err != nil {
		p.T.Fatal(err)
	}
	ctx, cancel := context.WithCancel(p.T.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return func() {
		cancel()
		if err := errors.Join(<-ended, d.Close()); err != nil {
			p.T.Error(err)
		}
	}
}

// command has the maker tell a device something, and returns the id of the transaction.
func (p *place) command(who thing, kind string, payload []byte, expires time.Time) string {
	p.T.Helper()
	return p.Do(func(d *client.Draft) { d.CommandDevice(simnet.Address(p.Maker), who.Address, kind, payload, expires) }, p.Maker).GetId()
}

// said waits until a device has answered its newest command.
func (p *place) said(who thing) (answer *apiv1.DeviceCommand) {
	p.T.Helper()
	p.Net.Eventually(func() bool {
		d, err := p.Client.Device(p.T.Context(), who.Address)
		if err != nil || len(d.GetCommands()) == 0 {
			return false
		}
		answer = d.GetCommands()[len(d.GetCommands())-1]
		return answer.GetAnsweredAt() != ""
	}, "the command is not answered")
	return answer
}

// A device does what it is told once: when it is here, when it comes later, and not again when it starts anew.
func TestCommands(t *testing.T) { over(t, testTestCommands) }

func testTestCommands(t *testing.T, p *place) {
	p.Open()
	car, dir := p.Device(1), filepath.Join(t.TempDir(), "car")
	done := make(chan sdk.Command, 10)
	run := func(c *sdk.Config) {
		c.Dir = dir
		c.Command = func(_ context.Context, k sdk.Command) (string, error) {
			done <- k
			if k.Kind != "unlock" {
				return "", fmt.Errorf("no %s\nhere", k.Kind)
			}
			return "unlocked", nil
		}
	}
	p.command(car, "unlock", []byte("front"), time.Now().Add(time.Hour))
	stop := p.start(car, run)
	if k := next(t, done); k.Kind != "unlock" || string(k.Payload) != "front" || k.By != simnet.Address(p.Maker) {
		t.Errorf("got %+v", k)
	}
	if a := p.said(car); a.GetState() != "done" || a.GetNote() != "unlocked" {
		t.Errorf("answered %v", a)
	}
	p.command(car, "fly", nil, time.Now().Add(time.Hour))
	next(t, done)
	if a := p.said(car); a.GetState() != "failed" || a.GetNote() != "no fly here" {
		t.Errorf("answered %v", a)
	}
	stop()
	stop = p.start(car, run)
	p.command(car, "unlock", []byte("again"), time.Now().Add(time.Hour))
	if k := next(t, done); string(k.Payload) != "again" {
		t.Errorf("after a start it did %+v", k)
	}
	p.said(car)
	stop()
}

// meddler is a gateway that hands devices what it likes besides.
type meddler struct {
	*gateway.Gateway
	besides [][]byte
}

func (m *meddler) Commands(ctx context.Context, device tx.Address, wanted string, given func(string) bool) ([]gateway.Command, error) {
	var out []gateway.Command
	for i, receipt := range m.besides {
		out = append(out, gateway.Command{Transaction: fmt.Sprintf("%064x", i), Receipt: receipt})
	}
	honest, err := m.Gateway.Commands(ctx, device, wanted, func(string) bool { return false })
	return append(append(out, honest...), honest...), err
}

// A gateway that forges commands, hands over another device's, old ones, or each twice, is not believed.
func TestCommandsOfAMeddler(t *testing.T) { over(t, testTestCommandsOfAMeddler) }

func testTestCommandsOfAMeddler(t *testing.T, p *place) {
	car, bus := p.Device(1), p.Device(2)
	m := &meddler{}
	p.Wrap = func(g *gateway.Gateway) gateway.Handler { m.Gateway = g; return m }
	receipt := func(id string) []byte {
		var file []byte
		p.Net.Eventually(func() (ok bool) {
			var err error
			file, err = p.Client.Receipt(t.Context(), id, 0)
			return err == nil
		}, "no receipt")
		return file
	}
	others := receipt(p.command(bus, "unlock", []byte("bus"), time.Now().Add(time.Hour)))
	forged := append([]byte(nil), receipt(p.command(car, "unlock", []byte("front"), time.Now().Add(time.Hour)))...)
	for i := range forged {
		if i+5 <= len(forged) && string(forged[i:i+5]) == "front" {
			copy(forged[i:], "trunk")
		}
	}
	late := receipt(p.command(car, "unlock", []byte("late"), time.Now().Add(24*time.Hour)))
	m.besides = [][]byte{others, forged, []byte("no receipt"), late}
	p.Open()
	done := make(chan string, 10)
	stop := p.start(car, func(c *sdk.Config) {
		c.Now = func() time.Time { return time.Now().Add(25 * time.Hour) } // what was given for a day is late
		c.Command = func(_ context.Context, k sdk.Command) (string, error) {
			done <- string(k.Payload)
			return "", nil
		}
	})
	p.command(car, "unlock", []byte("now"), time.Now().Add(26*time.Hour))
	if got := next(t, done); got != "now" {
		t.Errorf("it did %q", got)
	}
	stop()
	select {
	case got := <-done:
		t.Errorf("it did %q besides", got)
	default:
	}
}

// An update is installed if the image is the one commanded, and its evidence shows it.
func TestUpdates(t *testing.T) { over(t, testTestUpdates) }

func testTestUpdates(t *testing.T, p *place) {
	p.Open()
	maker := simnet.Address(p.Maker)
	image := []byte("firmware two")
	digest := sha256.Sum256(image)
	p.Do(func(d *client.Draft) {
		d.RegisterFirmware(maker, client.Firmware{Model: "sedan", Number: 2, Version: "2", Digest: digest})
	}, p.Maker)
	car := p.Device(1)
	var running, served atomic.Value
	running.Store(gatewaytest.Good)
	served.Store([]byte("forged on the way"))
	installed := make(chan string, 10)
	dir := t.TempDir()
	stop := p.start(car, func(c *sdk.Config) {
		c.Measure = func(context.Context) ([32]byte, error) { return running.Load().([32]byte), nil }
		c.Update = &sdk.Update{
			Fetch: func(context.Context, client.Update) (string, error) {
				file := filepath.Join(dir, "image")
				return file, os.WriteFile(file, served.Load().([]byte), 0o600)
			},
			Install: func(_ context.Context, u client.Update, file string) error {
				running.Store(u.Digest)
				installed <- file
				return nil
			},
		}
	})
	defer stop()
	update := client.Update{Number: 2, Digest: digest}
	p.command(car, client.KindUpdate, update.Payload(), time.Now().Add(time.Hour))
	if a := p.said(car); a.GetState() != "failed" {
		t.Errorf("a wrong image: %v", a)
	}
	if len(installed) > 0 {
		t.Error("a wrong image is installed")
	}
	served.Store(image)
	p.command(car, client.KindUpdate, update.Payload(), time.Now().Add(time.Hour))
	next(t, installed)
	if a := p.said(car); a.GetState() != "done" || a.GetNote() != "installed firmware 2" {
		t.Errorf("the right image: %v", a)
	}
	p.Do(func(d *client.Draft) { d.ChallengeDevice(maker, car.Address) }, p.Maker)
	p.Net.Eventually(func() bool {
		d, err := p.Client.Device(t.Context(), car.Address)
		return err == nil && d.GetFirmware().GetNumber() == 2
	}, "no evidence of the update")
}
