package gateway_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	sdk "github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/gateway/gatewaytest"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
)

// place is a network with a gateway, whose devices speak one protocol.
type place struct {
	*gatewaytest.Place
	scheme string
}

type thing = gatewaytest.Thing

const feed = gatewaytest.Feed

// over plays a test with devices that speak MQTT and with devices that speak CoAP: both are promised the same.
func over(t *testing.T, play func(*testing.T, *place)) {
	for _, scheme := range []string{"mqtts", "coaps"} {
		t.Run(scheme, func(t *testing.T) { play(t, &place{gatewaytest.New(t, 1), scheme}) })
	}
}

// address is the gateway's, as devices know it.
func (p *place) address() string {
	if p.scheme == "coaps" {
		return "coaps://" + p.CoAPAddress
	}
	return "mqtts://" + p.MQTTAddress
}

// What is quarantined stays out of the record as long as the device is suspended by its evidence, and nobody relies on it.
func TestForgedFirmware(t *testing.T) { over(t, testTestForgedFirmware) }

func testTestForgedFirmware(t *testing.T, p *place) {
	p.Open()
	car := p.Device(1)
	p.Feed(car)
	maker := simnet.Address(p.Maker)
	firmware := gatewaytest.Forged
	d := p.sdk(car, func(c *sdk.Config) { c.Measure = func(context.Context) ([32]byte, error) { return firmware, nil } })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	report := func() {
		t.Helper()
		if _, err := d.Report(feed, reading.Decimal{Mantissa: 50}, "km/h", time.Now()); err != nil {
			t.Fatal(err)
		}
		p.Net.Eventually(func() bool { return d.Waiting() == 0 }, "not sent")
	}
	report()
	p.Do(func(draft *client.Draft) { draft.ChallengeDevice(maker, car.Address) }, p.Maker)
	p.Net.Eventually(func() bool {
		found, err := p.Client.Device(t.Context(), car.Address)
		return err == nil && found.GetState() == "suspended"
	}, "its evidence did not suspend it")
	report()
	if got := fmt.Sprint(p.Committed(car)); got != "[1.1 accepted 1.2 quarantined]" {
		t.Error(got)
	}
	if answer, err := p.Client.Rely(t.Context(), car.Address, time.Time{}); err != nil || answer.GetOk() {
		t.Errorf("relied on: %v %v", answer, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// sdk opens a device with the Go SDK.
func (p *place) sdk(d thing, change func(*sdk.Config)) *sdk.Device {
	p.T.Helper()
	cfg := sdk.Config{Dir: p.T.TempDir(), Network: p.Network, Address: d.Address, Key: d.Key, Signer: d.Signer, Gateway: p.address(), TLS: p.TLS(nil)}
	change(&cfg)
	opened, err := sdk.Open(cfg)
	if err != nil {
		p.T.Fatal(err)
	}
	return opened
}

// A device reports while the gateway is away, is started again, and loses and doubles nothing when the gateway comes and goes.
func TestOffline(t *testing.T) { over(t, testTestOffline) }

func testTestOffline(t *testing.T, p *place) {
	p.Open()
	car := p.Device(2)
	p.Feed(car)
	p.Stop()
	dir := t.TempDir()
	var mu sync.Mutex
	var settled []string
	open := func() *sdk.Device {
		return p.sdk(car, func(c *sdk.Config) {
			c.Dir, c.Buffer = dir, 16
			c.Settled = func(s sdk.Settled) {
				mu.Lock()
				defer mu.Unlock()
				settled = append(settled, fmt.Sprintf("%d.%d %s", s.Boot, s.Sequence, s.Said))
			}
		})
	}
	report := func(d *sdk.Device, n int) {
		t.Helper()
		for range n {
			if _, err := d.Report(feed, reading.Decimal{Mantissa: 50}, "km/h", time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := open()
	report(first, 8)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	d := open()
	if d.Boot() != 2 || d.Waiting() != 8 {
		t.Fatalf("start %d, %d waiting", d.Boot(), d.Waiting())
	}
	report(d, 8)
	if _, err := d.Report(feed, reading.Decimal{Mantissa: 50}, "km/h", time.Now()); fault.Code(err) != "device.buffer_full" {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	p.Open()
	p.Net.Eventually(func() bool { return d.Waiting() < 12 }, "nothing is sent")
	p.Stop()
	p.Open()
	p.Net.Eventually(func() bool { return d.Waiting() == 0 }, "not all is sent")
	var want []string
	for boot := 1; boot <= 2; boot++ {
		for n := 1; n <= 8; n++ {
			want = append(want, fmt.Sprintf("%d.%d accepted", boot, n))
		}
	}
	if got := p.Committed(car); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("on the ledger %v", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if mu.Lock(); fmt.Sprint(settled) != fmt.Sprint(want) {
		t.Errorf("settled %v", settled)
	}
	mu.Unlock()
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
