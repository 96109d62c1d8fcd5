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
	"github.com/dureledger/dure/gateway/mqtt"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/internal/simnet"
)

// What the ledger finds of a reading is what the device hears, and a PUBACK without an error means committed.
func TestReadings(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car, meter := p.Device(1), p.Device(2)
	p.Feed(car)
	c := p.connect(car)
	c.subscribe(mqtt.Topic(car.Address, "outcome"))
	topic := mqtt.Topic(car.Address, "reading")
	first := p.Reading(car, 1, 1, "52.3", 0)
	precise, forged := p.Reading(car, 1, 4, "1.234", 0), p.Reading(meter, 1, 2, "52.3", 0)
	for _, step := range []struct {
		name           string
		raw            []byte
		code           byte
		words          string
		verdict, code2 string
	}{
		{"accepted", first, 0, "accepted", "accepted", ""},
		{"again", first, 0, "accepted", "accepted", ""},
		{"another with its number", p.Reading(car, 1, 1, "99", 0), otherRefusal, "reading.replayed", "refused", "reading.replayed"},
		{"back-dated", p.Reading(car, 1, 2, "50", 2*time.Hour), 0, "late", "late", ""},
		{"out of range", p.Reading(car, 1, 3, "301", 0), 0, "quarantined: range", "quarantined", ""},
		{"too precise", precise, badPayload, "reading.precision", "refused", "reading.precision"},
		{"too precise, again", precise, badPayload, "reading.precision", "refused", "reading.precision"},
		{"after a gap", p.Reading(car, 1, 9, "53", 0), 0, "accepted", "accepted", ""},
		{"another's", forged, notAuthorized, "reading.bad_signature", "", "reading.bad_signature"},
		{"of the next start", p.Reading(car, 2, 1, "53", 0), 0, "accepted", "accepted", ""},
		{"of the start before", p.Reading(car, 1, 10, "53", 0), otherRefusal, "reading.replayed", "refused", "reading.replayed"},
	} {
		code, words := c.publish(topic, step.raw)
		if code != step.code || !strings.Contains(words, step.words) {
			t.Errorf("%s: %#x %s", step.name, code, words)
		}
		if a := c.answer(); a.Of != "reading" || a.Verdict != step.verdict || a.Code != step.code2 || a.Verdict != "" && a.Boot == 0 {
			t.Errorf("%s: %+v", step.name, a)
		}
	}
	if _, err := c.Publish(t.Context(), &paho.Publish{Topic: topic, Payload: p.Reading(car, 2, 2, "54", 0)}); err != nil {
		t.Fatal(err)
	}
	if a := c.answer(); a.Verdict != "accepted" || a.Sequence != 2 {
		t.Errorf("with QoS 0: %+v", a)
	}
	if got := fmt.Sprint(p.Committed(car)); got != "[1.1 accepted 1.2 late 1.3 quarantined 1.9 accepted 2.1 accepted 2.2 accepted]" {
		t.Errorf("on the ledger: %s", got)
	}
	other := p.connect(meter)
	if code, words := other.publish(mqtt.Topic(meter.Address, "reading"), p.Reading(meter, 1, 1, "5", 0)); code != notAuthorized || !strings.Contains(words, "reading.not_admitted") {
		t.Errorf("not admitted: %#x %s", code, words)
	}
}

// A gateway that has forgotten everything asks the ledger about what comes again.
func TestAgainAfterRestart(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car := p.Device(1)
	p.Feed(car)
	c := p.connect(car)
	topic := mqtt.Topic(car.Address, "reading")
	first, second, third := p.Reading(car, 1, 1, "1", 0), p.Reading(car, 1, 2, "400", 0), p.Reading(car, 1, 3, "3", 0)
	for _, raw := range [][]byte{first, second, third} {
		if code, words := c.publish(topic, raw); code != 0 {
			t.Fatalf("%#x %s", code, words)
		}
	}
	before := fmt.Sprint(p.Committed(car))
	p.Stop()
	p.Open()
	c = p.connect(car)
	for i, raw := range [][]byte{first, second, third} {
		if code, words := c.publish(topic, raw); code != 0 || words != []string{"accepted", "quarantined: range", "accepted"}[i] {
			t.Errorf("%d: %#x %s", i, code, words)
		}
	}
	if code, words := c.publish(topic, p.Reading(car, 1, 2, "2", 0)); code != otherRefusal {
		t.Errorf("another: %#x %s", code, words)
	}
	if after := fmt.Sprint(p.Committed(car)); after != before {
		t.Errorf("%s, then %s", before, after)
	}
}

// Many messages of one connection without waiting: all are taken, in order; with a short queue some are refused for now.
func TestManyAtATime(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car := p.Device(1)
	p.Feed(car)
	const many = 150
	send := func(from uint64) (codes [many]byte) {
		c := p.connect(car)
		var wg sync.WaitGroup
		for i := range codes {
			raw := p.Reading(car, from, uint64(i+1), "5", 0)
			wg.Go(func() {
				res, _ := c.Publish(context.WithoutCancel(t.Context()), &paho.Publish{QoS: 1, Topic: mqtt.Topic(car.Address, "reading"), Payload: raw})
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
	if got := p.Committed(car); len(got) != taken {
		t.Errorf("%d acknowledged, %d on the ledger", taken, len(got))
	}
	p.Stop()
	p.Queue = 1
	p.Open()
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

// 256 readings of as many devices fit one transaction with the network's limits as they are.
func TestFullAnchor(t *testing.T) {
	p := newPlace(t)
	var cars []thing
	anchor := &streamv1.Anchor{}
	for n := range uint64(8) {
		car := p.Device(2 * n)
		cars = append(cars, car)
		source := &streamv1.Source{Device: car.Address[:], Kind: car.Signer.Key().Kind, PublicKey: car.Signer.Key().Public}
		for s := range uint64(32) {
			source.Readings = append(source.Readings, p.Reading(car, 1, s+1, "12.5", 0))
		}
		anchor.Sources = append(anchor.Sources, source)
	}
	p.Feed(cars...)
	outcome := p.Do(func(d *client.Draft) { d.AnchorReadings(simnet.Address(p.Maker), anchor) }, p.Maker)
	t.Logf("%d bytes, %d work", proto.Size(anchor), outcome.GetWork())
}
