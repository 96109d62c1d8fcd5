package mqtt_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/gateway/gatewaytest"
	"github.com/dureledger/dure/gateway/mqtt"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

const (
	notAuthorized = 0x87
	badClientID   = 0x85
	badPayload    = 0x99
	otherRefusal  = 0x83
	quotaExceeded = 0x97
	qosTooHigh    = 0x9b
)

// Who comes in and who does not, and what a device may do that is in.
func TestDoor(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car, meter := p.Device(1), p.Device(2)
	person := p.Account(50)

	plain := func(*paho.Connect) {}
	if _, _, err := p.call(nil, car.Address.String(), plain); err == nil {
		t.Error("let in without a certificate")
	}
	for name, c := range map[string]struct {
		who    thing
		id     string
		change func(*paho.Connect)
		want   byte
	}{
		"another's id":  {meter, car.Address.String(), plain, notAuthorized},
		"no device":     {person, person.Address.String(), plain, notAuthorized},
		"no address":    {car, "car-81", plain, badClientID},
		"lower case":    {car, strings.ToLower(car.Address.String()), plain, badClientID},
		"with a will":   {car, car.Address.String(), func(c *paho.Connect) { c.WillMessage = &paho.WillMessage{Topic: "x", Payload: []byte("x")} }, notAuthorized},
		"unknown to it": {thing{Address: simnet.Address(simnet.Person(1)), Key: car.Key}, simnet.Address(simnet.Person(1)).String(), plain, notAuthorized},
	} {
		_, ack, err := p.call(&c.who, c.id, c.change)
		if err == nil || ack == nil || ack.ReasonCode != c.want {
			t.Errorf("%s: %v %v", name, ack, err)
		}
	}
	c, ack, err := p.call(&car, car.Address.String(), func(c *paho.Connect) {
		expiry := uint32(3600)
		c.CleanStart, c.Properties = false, &paho.ConnectProperties{SessionExpiryInterval: &expiry, RequestProblemInfo: true}
	})
	if err != nil {
		t.Fatal(err)
	}
	is := ack.Properties
	if *is.MaximumQoS != 1 || is.RetainAvailable || is.WildcardSubAvailable || is.SharedSubAvailable || *is.ReceiveMaximum != 64 || *is.SessionExpiryInterval != 0 {
		t.Errorf("CONNACK %+v", is)
	}
	p.Net.Eventually(func() bool { return p.MQTT.Connected() == 1 }, "it is not counted") // a moment after its CONNACK

	for _, topic := range []string{mqtt.Topic(meter.Address, "reading"), mqtt.Topic(car.Address, "outcome"), "dure/1/x/reading", "weather"} {
		if code, words := c.publish(topic, []byte("x")); code != notAuthorized || !strings.Contains(words, "gateway.foreign_topic") {
			t.Errorf("%s: %#x %s", topic, code, words)
		}
	}
	for _, filter := range []string{mqtt.Topic(meter.Address, "outcome"), mqtt.Topic(car.Address, "reading"), "$SYS/broker/uptime"} {
		if code := c.subscribe(filter); code != notAuthorized {
			t.Errorf("subscribed to %s: %#x", filter, code)
		}
	}
	if code, words := c.publish(mqtt.Topic(car.Address, "reading"), []byte("hello")); code != badPayload || !strings.Contains(words, "reading.malformed") {
		t.Errorf("%#x %s", code, words)
	}
	if code, _ := c.publish(mqtt.Topic(car.Address, "tx"), []byte("hello")); code != badPayload {
		t.Errorf("%#x", code)
	}

	// A second connection of the device ends the first.
	p.connect(car)
	if d := next(t, c.gone); d.ReasonCode != 0x8e {
		t.Errorf("%#x", d.ReasonCode)
	}
	p.Net.Eventually(func() bool { return p.MQTT.Connected() == 1 }, "the first is still there")
}

// A device is asked, answers with a transaction, and hears what became of it; another's transaction is not taken.
func TestTransaction(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car := p.Device(1)
	maker := simnet.Address(p.Maker)
	c := p.connect(car)
	if c.subscribe(mqtt.Topic(car.Address, "outcome")) != 1 || c.subscribe(mqtt.Topic(car.Address, "challenge")) != 1 {
		t.Fatal("not subscribed")
	}
	p.Do(func(d *client.Draft) { d.ChallengeDevice(maker, car.Address) }, p.Maker)
	nonce := next(t, c.heard)
	if nonce.Topic != mqtt.Topic(car.Address, "challenge") {
		t.Fatal(nonce.Topic)
	}
	value, err := hex.DecodeString(string(nonce.Payload))
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := client.NewTransaction(p.Network).AttestDevice(car.Address, [32]byte(value), 1, gatewaytest.Good).Sign(time.Now(), car.Signer)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same bytes have one outcome
		if code, words := c.publish(mqtt.Topic(car.Address, "tx"), evidence.Raw); code != 0 {
			t.Fatalf("%#x %s", code, words)
		}
		if a := c.answer(); a.Of != "transaction" || a.Result != "taken" || a.Transaction != evidence.ID {
			t.Errorf("%+v", a)
		}
	}
	if d, err := p.Client.Device(t.Context(), car.Address); err != nil || d.GetLastGoodTransaction() != evidence.ID {
		t.Errorf("%v %v", d, err)
	}

	late, err := client.NewTransaction(p.Network).AttestDevice(car.Address, [32]byte(value), 1, gatewaytest.Good).Sign(time.Now(), car.Signer)
	if err != nil {
		t.Fatal(err)
	}
	if code, words := c.publish(mqtt.Topic(car.Address, "tx"), late.Raw); code != otherRefusal || !strings.Contains(words, "device.not_challenged") {
		t.Errorf("%#x %s", code, words)
	}
	if a := c.answer(); a.Result != "refused" || a.Code != "device.not_challenged" || a.Transaction != late.ID {
		t.Errorf("%+v", a)
	}
	foreign, err := client.NewTransaction(p.Network).Transfer(simnet.Address(simnet.Person(0)), maker, "krw", "1").Sign(time.Now(), simnet.Person(0))
	if err != nil {
		t.Fatal(err)
	}
	if code, words := c.publish(mqtt.Topic(car.Address, "tx"), foreign.Raw); code != notAuthorized || !strings.Contains(words, "gateway.not_the_device") {
		t.Errorf("%#x %s", code, words)
	}

	// A challenge from before the connection is told when the device asks for challenges.
	p.Do(func(d *client.Draft) { d.ChallengeDevice(maker, car.Address) }, p.Maker)
	again := p.connect(car)
	if again.subscribe(mqtt.Topic(car.Address, "challenge")) != 1 || len(next(t, again.heard).Payload) != 64 {
		t.Error("not reminded")
	}
}

// Who may not speak for the device any more is cut off, though idle.
func TestCutOff(t *testing.T) {
	p := newPlace(t)
	p.Open()
	maker := simnet.Address(p.Maker)
	revoked, rotated := p.Device(1), p.Device(2)
	first, second := p.connect(revoked), p.connect(rotated)
	p.Do(func(d *client.Draft) { d.SuspendDevice(maker, revoked.Address, "odd") }, p.Maker)
	if code := first.subscribe(mqtt.Topic(revoked.Address, "outcome")); code != 1 {
		t.Errorf("a suspended device: %#x", code)
	}
	p.Do(func(d *client.Draft) { d.RevokeDevice(maker, revoked.Address, "stolen") }, p.Maker)
	if d := next(t, first.gone); d.ReasonCode != notAuthorized || !strings.Contains(d.Properties.ReasonString, "gateway.revoked") {
		t.Errorf("%#x %s", d.ReasonCode, d.Properties.ReasonString)
	}
	if _, ack, err := p.call(&revoked, revoked.Address.String(), func(*paho.Connect) {}); err == nil || ack.ReasonCode != notAuthorized {
		t.Error("a revoked device came in")
	}
	other := txtest.Ed25519(77)
	p.Do(func(d *client.Draft) { d.RotateKey(rotated.Address, other.Key()) }, rotated.Signer, other)
	if d := next(t, second.gone); d.ReasonCode != notAuthorized || !strings.Contains(d.Properties.ReasonString, "gateway.wrong_key") {
		t.Errorf("%#x %s", d.ReasonCode, d.Properties.ReasonString)
	}
}
