package mqtt_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client"
	sdk "github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/gateway/mqtt"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

const feed = "speed.ring"

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
			Title: "Speed on the ring", Unit: "km/h", Decimals: 1, Least: 0, Most: 3000, LateMs: 3_600_000, AheadMs: 60_000, StaleMs: 3_600_000, MinSources: 1, AppealMs: 60_000,
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

// committed are the readings of a device that are part of the record, as the ledger has them now, in order: start, number, verdict.
func (p *place) committed(d thing) (out []string) {
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
			if tx.Address(source.GetDevice()) != d.address {
				continue
			}
			verdicts := verdictsIn(p.t, t.GetOutcome(), d)
			for i, message := range source.GetReadings() {
				r, err := reading.Parse(message)
				if err != nil {
					p.t.Fatal(err)
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

func verdictsIn(t *testing.T, o *apiv1.Outcome, d thing) []byte {
	t.Helper()
	verdicts, err := client.Verdicts(o, 0)
	if err != nil || verdicts[d.address] == nil {
		t.Fatal("no verdicts", err)
	}
	return verdicts[d.address]
}

// What the ledger finds of a reading is what the device hears, and a PUBACK without an error means committed.
func TestReadings(t *testing.T) {
	p := newPlace(t, 1)
	p.open()
	car, meter := p.device(1), p.device(2)
	p.feed(car)
	c := p.connect(car)
	c.subscribe(mqtt.Topic(car.address, "outcome"))
	topic := mqtt.Topic(car.address, "reading")
	first := p.reading(car, 1, 1, "52.3", 0)
	precise, forged := p.reading(car, 1, 4, "1.234", 0), p.reading(meter, 1, 2, "52.3", 0)
	for _, step := range []struct {
		name           string
		raw            []byte
		code           byte
		words          string
		verdict, code2 string
	}{
		{"accepted", first, 0, "accepted", "accepted", ""},
		{"again", first, 0, "accepted", "accepted", ""},
		{"another with its number", p.reading(car, 1, 1, "99", 0), otherRefusal, "reading.replayed", "refused", "reading.replayed"},
		{"back-dated", p.reading(car, 1, 2, "50", 2*time.Hour), 0, "late", "late", ""},
		{"out of range", p.reading(car, 1, 3, "301", 0), 0, "quarantined: range", "quarantined", ""},
		{"too precise", precise, badPayload, "reading.precision", "refused", "reading.precision"},
		{"too precise, again", precise, badPayload, "reading.precision", "refused", "reading.precision"},
		{"after a gap", p.reading(car, 1, 9, "53", 0), 0, "accepted", "accepted", ""},
		{"another's", forged, notAuthorized, "reading.bad_signature", "", "reading.bad_signature"},
		{"of the next start", p.reading(car, 2, 1, "53", 0), 0, "accepted", "accepted", ""},
		{"of the start before", p.reading(car, 1, 10, "53", 0), otherRefusal, "reading.replayed", "refused", "reading.replayed"},
	} {
		code, words := c.publish(topic, step.raw)
		if code != step.code || !strings.Contains(words, step.words) {
			t.Errorf("%s: %#x %s", step.name, code, words)
		}
		if a := c.answer(); a.Of != "reading" || a.Verdict != step.verdict || a.Code != step.code2 || a.Verdict != "" && a.Boot == 0 {
			t.Errorf("%s: %+v", step.name, a)
		}
	}
	if _, err := c.Publish(t.Context(), &paho.Publish{Topic: topic, Payload: p.reading(car, 2, 2, "54", 0)}); err != nil {
		t.Fatal(err)
	}
	if a := c.answer(); a.Verdict != "accepted" || a.Sequence != 2 {
		t.Errorf("with QoS 0: %+v", a)
	}
	if got := fmt.Sprint(p.committed(car)); got != "[1.1 accepted 1.2 late 1.3 quarantined 1.9 accepted 2.1 accepted 2.2 accepted]" {
		t.Errorf("on the ledger: %s", got)
	}
	other := p.connect(meter)
	if code, words := other.publish(mqtt.Topic(meter.address, "reading"), p.reading(meter, 1, 1, "5", 0)); code != notAuthorized || !strings.Contains(words, "reading.not_admitted") {
		t.Errorf("not admitted: %#x %s", code, words)
	}
}

// A gateway that has forgotten everything asks the ledger about what comes again.
func TestAgainAfterRestart(t *testing.T) {
	p := newPlace(t, 1)
	p.open()
	car := p.device(1)
	p.feed(car)
	c := p.connect(car)
	topic := mqtt.Topic(car.address, "reading")
	first, second, third := p.reading(car, 1, 1, "1", 0), p.reading(car, 1, 2, "400", 0), p.reading(car, 1, 3, "3", 0)
	for _, raw := range [][]byte{first, second, third} {
		if code, words := c.publish(topic, raw); code != 0 {
			t.Fatalf("%#x %s", code, words)
		}
	}
	before := fmt.Sprint(p.committed(car))
	p.stop()
	p.open()
	c = p.connect(car)
	for i, raw := range [][]byte{first, second, third} {
		if code, words := c.publish(topic, raw); code != 0 || words != []string{"accepted", "quarantined: range", "accepted"}[i] {
			t.Errorf("%d: %#x %s", i, code, words)
		}
	}
	if code, words := c.publish(topic, p.reading(car, 1, 2, "2", 0)); code != otherRefusal {
		t.Errorf("another: %#x %s", code, words)
	}
	if after := fmt.Sprint(p.committed(car)); after != before {
		t.Errorf("%s, then %s", before, after)
	}
}

// Many messages of one connection without waiting: all are taken, in order; with a short queue some are refused for now.
func TestManyAtATime(t *testing.T) {
	p := newPlace(t, 1)
	p.open()
	car := p.device(1)
	p.feed(car)
	const many = 150
	send := func(from uint64) (codes [many]byte) {
		c := p.connect(car)
		var wg sync.WaitGroup
		for i := range codes {
			raw := p.reading(car, from, uint64(i+1), "5", 0)
			wg.Go(func() {
				res, _ := c.Publish(context.WithoutCancel(t.Context()), &paho.Publish{QoS: 1, Topic: mqtt.Topic(car.address, "reading"), Payload: raw})
				if codes[i] = 0xff; res != nil {
					codes[i] = res.ReasonCode
				}
			})
		}
		wg.Wait()
		return codes
	}
	// The client sends from many goroutines, so some pass others and come too late.
	taken := 0
	for _, code := range send(1) {
		switch code {
		case 0:
			taken++
		case otherRefusal:
		default:
			t.Errorf("%#x", code)
		}
	}
	if got := p.committed(car); len(got) != taken {
		t.Errorf("%d acknowledged, %d on the ledger", taken, len(got))
	}
	p.stop()
	p.queue = 1
	p.open()
	full := 0
	for _, code := range send(2) {
		if code == quotaExceeded {
			full++
		}
	}
	if full == 0 {
		t.Error("nothing was refused")
	}
}

// What is quarantined stays out of the record as long as the device is suspended by its evidence, and nobody relies on it.
func TestForgedFirmware(t *testing.T) {
	p := newPlace(t, 1)
	p.open()
	car := p.device(1)
	p.feed(car)
	maker := simnet.Address(p.maker)
	firmware := forged
	d := p.sdk(car, func(c *sdk.Config) { c.Measure = func(context.Context) ([32]byte, error) { return firmware, nil } })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	report := func() {
		t.Helper()
		if _, err := d.Report(feed, reading.Decimal{Mantissa: 50}, "km/h", time.Now()); err != nil {
			t.Fatal(err)
		}
		p.net.Eventually(func() bool { return d.Waiting() == 0 }, "not sent")
	}
	report()
	p.do(func(draft *client.Draft) { draft.ChallengeDevice(maker, car.address) }, p.maker)
	p.net.Eventually(func() bool {
		found, err := p.client.Device(t.Context(), car.address)
		return err == nil && found.GetState() == "suspended"
	}, "its evidence did not suspend it")
	report()
	if got := fmt.Sprint(p.committed(car)); got != "[1.1 accepted 1.2 quarantined]" {
		t.Error(got)
	}
	if answer, err := p.client.Rely(t.Context(), car.address, time.Time{}); err != nil || answer.GetOk() {
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
	p.t.Helper()
	cfg := sdk.Config{Dir: p.t.TempDir(), Network: p.network, Address: d.address, Key: d.key, Signer: d.signer, Gateway: p.address, TLS: p.tls(nil)}
	change(&cfg)
	opened, err := sdk.Open(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	return opened
}

// A device reports while the gateway is away, is started again, and loses and doubles nothing when the gateway comes and goes.
func TestOffline(t *testing.T) {
	p := newPlace(t, 1)
	p.open()
	car := p.device(2)
	p.feed(car)
	p.stop()
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
	p.open()
	p.net.Eventually(func() bool { return d.Waiting() < 12 }, "nothing is sent")
	p.stop()
	p.open()
	p.net.Eventually(func() bool { return d.Waiting() == 0 }, "not all is sent")
	var want []string
	for boot := 1; boot <= 2; boot++ {
		for n := 1; n <= 8; n++ {
			want = append(want, fmt.Sprintf("%d.%d accepted", boot, n))
		}
	}
	if got := p.committed(car); fmt.Sprint(got) != fmt.Sprint(want) {
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

// 256 readings of as many devices fit one transaction with the network's limits as they are.
func TestFullAnchor(t *testing.T) {
	p := newPlace(t, 1)
	var cars []thing
	anchor := &streamv1.Anchor{}
	for n := range uint64(8) {
		car := p.device(2 * n)
		cars = append(cars, car)
		source := &streamv1.Source{Device: car.address[:], Kind: car.signer.Key().Kind, PublicKey: car.signer.Key().Public}
		for s := range uint64(32) {
			source.Readings = append(source.Readings, p.reading(car, 1, s+1, "12.5", 0))
		}
		anchor.Sources = append(anchor.Sources, source)
	}
	p.feed(cars...)
	outcome := p.do(func(d *client.Draft) { d.AnchorReadings(simnet.Address(p.maker), anchor) }, p.maker)
	t.Logf("%d bytes, %d work", proto.Size(anchor), outcome.GetWork())
}
