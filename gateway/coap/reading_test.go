package coap_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/tx"
)

// What the ledger finds of a reading is what the device hears, and 2.04 means committed.
func TestReadings(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car, meter := p.Device(1), p.Device(2)
	p.Feed(car)
	c := p.connect(car)
	first := p.Reading(car, 1, 1, "52.3", 0)
	for _, step := range []struct {
		name    string
		raw     []byte
		code    codes.Code
		verdict string
		words   string
	}{
		{"accepted", first, codes.Changed, "accepted", ""},
		{"again", first, codes.Changed, "accepted", ""},
		{"another with its number", p.Reading(car, 1, 1, "99", 0), codes.BadRequest, "", "[reading.replayed]"},
		{"back-dated", p.Reading(car, 1, 2, "50", 2*time.Hour), codes.Changed, "late", ""},
		{"out of range", p.Reading(car, 1, 3, "301", 0), codes.Changed, "quarantined", ""},
		{"too precise", p.Reading(car, 1, 4, "1.234", 0), codes.BadRequest, "", "[reading.precision]"},
		{"another's", p.Reading(meter, 1, 5, "52.3", 0), codes.Forbidden, "", "[reading.bad_signature]"},
		{"no reading", []byte("hello"), codes.BadRequest, "", "[reading.malformed]"},
		{"nothing", nil, codes.BadRequest, "", "no body"},
		{"too large", make([]byte, 1025), codes.RequestEntityTooLarge, "", ""},
		{"after a gap", p.Reading(car, 1, 9, "53", 0), codes.Changed, "accepted", ""},
	} {
		code, body := c.post("/reading", message.AppCoseSign1, step.raw)
		if code != step.code || !strings.Contains(body, step.words) {
			t.Errorf("%s: %v %s", step.name, code, body)
		}
		if step.verdict == "" {
			continue
		}
		var a gateway.Answer
		if err := json.Unmarshal([]byte(body), &a); err != nil || a.Verdict != step.verdict || a.Result != "taken" || a.Boot != 1 || a.Sequence == 0 {
			t.Errorf("%s: %s %v", step.name, body, err)
		}
		if _, err := p.Client.Find(t.Context(), a.Transaction); err != nil {
			t.Errorf("%s: it is not on the ledger: %v", step.name, err)
		}
	}
	// The one with the number of the first, and the one that is too precise, are there with a verdict that refuses them.
	p.Net.Eventually(func() bool { return fmt.Sprint(p.committed(car)) == "[1.1 1.1 1.2 1.3 1.4 1.9]" }, "not all is on the ledger as it should be")
	if code, body := p.connect(meter).post("/reading", message.AppCoseSign1, p.Reading(meter, 1, 1, "5", 0)); code != codes.Forbidden || !strings.Contains(body, "[reading.not_admitted]") {
		t.Errorf("not admitted: %v %s", code, body)
	}
}

// A device that did not hear the answer sends its request again, as it was and as a new one. It gets the same answer, and the ledger has the reading once.
func TestRepeated(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car := p.Device(2)
	p.Feed(car)
	c := p.raw(car)
	body := p.Reading(car, 1, 1, "52.3", 0)
	c.send(message.Confirmable, 7, codes.POST, "/reading", body)
	answer := c.next()
	if answer.Type() != message.Acknowledgement || answer.MessageID() != 7 || answer.Code() != codes.Changed {
		t.Fatal(answer)
	}
	first := bodyOf(t, answer)
	for range 3 {
		c.send(message.Confirmable, 7, codes.POST, "/reading", body)
		if again := c.next(); again.Type() != message.Acknowledgement || again.MessageID() != 7 || bodyOf(t, again) != first {
			t.Errorf("the same request: %v", again)
		}
	}
	c.send(message.Confirmable, 8, codes.POST, "/reading", body)
	if again := c.next(); again.Code() != codes.Changed || bodyOf(t, again) != first {
		t.Errorf("a new request: %v", again)
	}
	c.send(message.NonConfirmable, 9, codes.POST, "/reading", body)
	if again := c.next(); again.Type() != message.NonConfirmable || bodyOf(t, again) != first {
		t.Errorf("not confirmable: %v", again)
	}
	other := p.raw(car) // another connection, as after a loss of power
	other.send(message.Confirmable, 7, codes.POST, "/reading", body)
	if again := other.next(); again.Code() != codes.Changed || bodyOf(t, again) != first {
		t.Errorf("on another connection: %v", again)
	}
	if got := fmt.Sprint(p.committed(car)); got != "[1.1]" {
		t.Errorf("on the ledger: %s", got)
	}
}

// held keeps answers back until it is let go.
type held struct {
	gateway.Handler
	gate chan struct{}
}

func (h *held) Reading(ctx context.Context, device tx.Address, key tx.Key, raw []byte, done func(gateway.Answer)) {
	h.Handler.Reading(ctx, device, key, raw, func(a gateway.Answer) {
		go func() {
			<-h.gate
			done(a)
		}()
	})
}

// When the ledger takes long the request is acknowledged first, and the answer follows until it is acknowledged in turn.
func TestSeparateAnswer(t *testing.T) {
	p := newPlace(t)
	gate := make(chan struct{})
	p.Wrap = func(h *gateway.Gateway) gateway.Handler { return &held{h, gate} }
	p.Open()
	car := p.Device(1)
	p.Feed(car)
	c := p.raw(car)
	body := p.Reading(car, 1, 1, "52.3", 0)
	for range 2 { // the second is the same request again, before there is an answer
		c.send(message.Confirmable, 7, codes.POST, "/reading", body)
		if ack := c.next(); ack.Type() != message.Acknowledgement || ack.MessageID() != 7 || ack.Code() != codes.Empty || len(ack.Token()) != 0 {
			t.Fatal(ack)
		}
	}
	close(gate)
	answer := c.next()
	if answer.Type() != message.Confirmable || answer.Code() != codes.Changed || string(answer.Token()) != "\x00\x07" {
		t.Fatal(answer)
	}
	if again := c.next(); again.MessageID() != answer.MessageID() || bodyOf(t, again) != bodyOf(t, answer) {
		t.Fatal(again) // it was not acknowledged
	}
	c.send(message.Acknowledgement, answer.MessageID(), codes.Empty, "", nil)

	// Several at a time are not held up by the first, and keep their order.
	const many = 12
	for i := range int32(many) {
		c.send(message.Confirmable, 100+i, codes.POST, "/reading", p.Reading(car, 1, uint64(i+2), "5", 0))
	}
	taken := 0
	for taken < many {
		m := c.next()
		if m.Type() == message.Confirmable {
			c.send(message.Acknowledgement, m.MessageID(), codes.Empty, "", nil)
		}
		switch m.Code() {
		case codes.Empty:
		case codes.Changed:
			taken++
		default:
			t.Fatal(m)
		}
	}
	if got := p.committed(car); len(got) != many+1 || got[many] != fmt.Sprintf("1.%d", many+1) {
		t.Errorf("on the ledger: %s", got)
	}
}

// A full queue says so, and when to come again.
func TestFull(t *testing.T) {
	p := newPlace(t)
	p.Queue = 1
	p.Open()
	car := p.Device(1)
	p.Feed(car)
	c := p.raw(car)
	const many = 30
	for i := range int32(many) {
		c.send(message.Confirmable, i+1, codes.POST, "/reading", p.Reading(car, 1, uint64(i+1), "5", 0))
	}
	full := 0
	for answers := 0; answers < many; {
		m := c.next()
		if m.Type() == message.Confirmable {
			c.send(message.Acknowledgement, m.MessageID(), codes.Empty, "", nil)
		}
		switch m.Code() {
		case codes.Empty:
			continue
		case codes.ServiceUnavailable:
			if age, err := m.GetOptionUint32(message.MaxAge); err != nil || age == 0 || !strings.Contains(bodyOf(t, m), "[gateway.queue_full]") {
				t.Errorf("%v %v", m, err)
			}
			full++
		}
		answers++
	}
	if full == 0 {
		t.Error("nothing was refused")
	}
}

// A device signs what it is asked and sends it itself; another's transaction is not taken.
func TestTransaction(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car, maker := p.Device(1), simnet.Address(p.Maker)
	c := p.connect(car)
	if code, body := c.get("/challenge"); code != codes.NotFound {
		t.Errorf("%v %s", code, body)
	}
	told := watch(t, c)
	if first := <-told; first != "" {
		t.Errorf("asked %s", first)
	}
	p.Do(func(d *client.Draft) { d.ChallengeDevice(maker, car.Address) }, p.Maker)
	nonce := <-told
	if code, body := c.get("/challenge"); code != codes.Content || body != nonce || len(nonce) != 64 {
		t.Fatalf("%v %s, told %s", code, body, nonce)
	}
	evidence, err := client.NewTransaction(p.Network).AttestDevice(car.Address, digest(t, nonce), 1, [32]byte{1}).Sign(time.Now(), car.Signer)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same bytes have one outcome
		if code, body := c.post("/tx", message.AppOctets, evidence.Raw); code != codes.Changed || !strings.Contains(body, evidence.ID) {
			t.Fatalf("%v %s", code, body)
		}
	}
	if d, err := p.Client.Device(t.Context(), car.Address); err != nil || d.GetLastGoodTransaction() != evidence.ID {
		t.Errorf("%v %v", d, err)
	}
	foreign, err := client.NewTransaction(p.Network).Transfer(simnet.Address(simnet.Person(0)), maker, "krw", "1").Sign(time.Now(), simnet.Person(0))
	if err != nil {
		t.Fatal(err)
	}
	if code, body := c.post("/tx", message.AppOctets, foreign.Raw); code != codes.Forbidden || !strings.Contains(body, "[gateway.not_the_device]") {
		t.Errorf("%v %s", code, body)
	}
	late, err := client.NewTransaction(p.Network).AttestDevice(car.Address, digest(t, nonce), 1, [32]byte{1}).Sign(time.Now(), car.Signer)
	if err != nil {
		t.Fatal(err)
	}
	if code, body := c.post("/tx", message.AppOctets, late.Raw); code != codes.BadRequest || !strings.Contains(body, "[device.not_challenged]") {
		t.Errorf("%v %s", code, body)
	}

	// The receipt is what the node gives.
	want, err := p.Client.Receipt(t.Context(), evidence.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if code, file := c.get("/receipt/" + evidence.ID); code != codes.Content || file != string(want) {
		t.Errorf("%v %d bytes, not %d", code, len(file), len(want))
	}
	for id, want := range map[string]codes.Code{strings.Repeat("0", 64): codes.NotFound, "x": codes.BadRequest, strings.ToUpper(evidence.ID): codes.BadRequest} {
		if code, body := c.get("/receipt/" + id); code != want {
			t.Errorf("%s: %v %s", id, code, body)
		}
	}
}
