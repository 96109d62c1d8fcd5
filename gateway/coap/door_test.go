package coap_test

import (
	"context"
	"crypto"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

func digest(t *testing.T, nonce string) [32]byte {
	t.Helper()
	value, err := hex.DecodeString(nonce)
	if err != nil || len(value) != 32 {
		t.Fatalf("%s: %v", nonce, err)
	}
	return [32]byte(value)
}

// watch observes the challenge.
func watch(t *testing.T, c *caller) <-chan string {
	t.Helper()
	told := make(chan string, 10)
	_, err := c.Observe(t.Context(), "/challenge", func(m *pool.Message) {
		body, err := m.ReadBody()
		if err != nil {
			t.Error(err)
		}
		told <- string(body)
	})
	if err != nil {
		t.Fatal(err)
	}
	return told
}

// Who comes in and who does not.
func TestDoor(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car, meter := p.Device(1), p.Device(2)
	person := p.Thing(50)
	p.Do(func(d *client.Draft) { d.OpenAccount(simnet.Address(p.Maker), person.Signer.Key()) }, p.Maker)
	for name, c := range map[string]struct {
		name string
		key  crypto.Signer
	}{
		"no certificate":        {"", nil},
		"another's name":        {car.Address.String(), meter.Key},
		"no device":             {person.Address.String(), person.Key},
		"never heard of":        {p.Thing(51).Address.String(), p.Thing(51).Key},
		"no address":            {"car-81", car.Key},
		"an address, with more": {car.Address.String() + " ", car.Key},
	} {
		if conn, err := p.dial(c.name, c.key); err == nil {
			// The client's handshake may end before the server's does: nothing is answered then.
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if n, err := conn.Read(make([]byte, 100)); err == nil {
				t.Errorf("%s: let in, and %d bytes came", name, n)
			}
		}
	}
	if p.CoAP.Connected() != 0 {
		t.Errorf("%d connected", p.CoAP.Connected())
	}
	first := p.connect(car)
	p.connect(meter)
	if code, body := first.get("/.well-known/core"); code != codes.Content || !strings.Contains(body, `</reading>;rt="dure.reading";ct=18`) {
		t.Errorf("%v %s", code, body)
	}
	p.Net.Eventually(func() bool { return p.CoAP.Connected() == 2 }, "not both are in")
	// Another connection of the device ends the one before, which is always told.
	last := first
	for range 2 {
		next := p.connect(car)
		select {
		case <-last.Done():
		case <-time.After(time.Minute):
			t.Fatal("the one before is still there")
		}
		if code, _ := next.get("/.well-known/core"); code != codes.Content || p.CoAP.Connected() != 2 {
			t.Errorf("%v, %d connected", code, p.CoAP.Connected())
		}
		last = next
	}
}

// What is asked in the wrong way is refused as RFC 7252 has it.
func TestManners(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car := p.Device(1)
	c := p.raw(car)
	format := func(f message.MediaType) func(*pool.Message) {
		return func(m *pool.Message) { m.SetContentFormat(f) }
	}
	for i, s := range []struct {
		code   codes.Code
		path   string
		body   string
		change func(*pool.Message)
		want   codes.Code
	}{
		{codes.GET, "/", "", nil, codes.NotFound},
		{codes.GET, "/receipt", "", nil, codes.NotFound},
		{codes.GET, "/reading", "", nil, codes.MethodNotAllowed},
		{codes.PUT, "/reading", "x", nil, codes.MethodNotAllowed},
		{codes.DELETE, "/receipt/" + strings.Repeat("0", 64), "", nil, codes.MethodNotAllowed},
		{codes.POST, "/challenge", "x", nil, codes.MethodNotAllowed},
		{codes.POST, "/reading", "x", format(message.AppJSON), codes.UnsupportedMediaType},
		{codes.POST, "/tx", "x", format(message.AppCoseSign1), codes.UnsupportedMediaType},
		{codes.POST, "/tx", "x", format(message.AppOctets), codes.BadRequest},
		{codes.POST, "/reading", "x", func(m *pool.Message) { m.SetAccept(message.AppOctets) }, codes.NotAcceptable},
		{codes.POST, "/reading", "x", func(m *pool.Message) { m.AddQuery("a=b") }, codes.BadOption},
		{codes.POST, "/reading", "x", func(m *pool.Message) { m.SetOptionString(message.ProxyURI, "coap://other/") }, codes.BadOption},
		{codes.POST, "/reading", "x", func(m *pool.Message) { m.SetOptionUint32(message.Block1, 7) }, codes.BadRequest},
		{codes.POST, "/tx", "x", func(m *pool.Message) { m.SetOptionUint32(message.Size1, 1<<24) }, codes.RequestEntityTooLarge},
	} {
		var change []func(*pool.Message)
		if s.change != nil {
			change = append(change, s.change)
		}
		var body []byte
		if s.body != "" {
			body = []byte(s.body)
		}
		c.send(message.Confirmable, int32(i+1), s.code, s.path, body, change...)
		if m := c.next(); m.Code() != s.want || m.MessageID() != int32(i+1) {
			t.Errorf("%v %s: %v %s", s.code, s.path, m, bodyOf(t, m))
		}
	}
	// What is no message ends the connection, and that one alone.
	if _, err := c.Write([]byte("\xff\xff\xff\xff\xff")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("not closed: %v", err)
	}
	if code, _ := p.connect(car).get("/.well-known/core"); code != codes.Content {
		t.Error(code)
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
	if code, _ := first.get("/challenge"); code != codes.NotFound {
		t.Errorf("a suspended device: %v", code)
	}
	p.Do(func(d *client.Draft) { d.RevokeDevice(maker, revoked.Address, "stolen") }, p.Maker)
	other := txtest.Ed25519(77)
	p.Do(func(d *client.Draft) { d.RotateKey(rotated.Address, other.Key()) }, rotated.Signer, other)
	for _, c := range []*caller{first, second} {
		select {
		case <-c.Done():
		case <-time.After(time.Minute):
			t.Error("still there")
		}
	}
	if conn, err := p.dial(revoked.Address.String(), revoked.Key); err == nil {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(make([]byte, 100)); err == nil {
			t.Error("a revoked device came in")
		}
	}
}

// What is sent by and by: messages beyond the rate are dropped, and those that are sent again are answered.
func TestTooFast(t *testing.T) {
	p := newPlace(t)
	p.Open()
	c := p.raw(p.Device(2))
	const many = 400
	for i := range int32(many) {
		c.send(message.NonConfirmable, i+1, codes.GET, "/.well-known/core", nil)
	}
	answered := 0
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	for {
		if _, err := c.Read(make([]byte, 4096)); err != nil {
			break
		}
		answered++
	}
	if answered == 0 || answered > many*9/10 {
		t.Errorf("%d of %d were answered", answered, many)
	}
	p.Net.Eventually(func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.send(message.Confirmable, 1000, codes.GET, "/.well-known/core", nil)
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		n, err := c.Read(make([]byte, 4096))
		return ctx.Err() == nil && err == nil && n > 0
	}, "it is not answered any more")
}

// A device that has no use for a notification resets it, and is told nothing more.
func TestObservationEnds(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car, maker := p.Device(1), simnet.Address(p.Maker)
	c := p.raw(car)
	c.send(message.Confirmable, 1, codes.GET, "/challenge", nil, func(m *pool.Message) { m.SetObserve(0) })
	if m := c.next(); m.Code() != codes.Content || bodyOf(t, m) != "" || !m.HasOption(message.Observe) {
		t.Fatal(m)
	}
	p.Do(func(d *client.Draft) { d.ChallengeDevice(maker, car.Address) }, p.Maker)
	told := c.next()
	if told.Type() != message.Confirmable || len(bodyOf(t, told)) != 64 || string(told.Token()) != "\x00\x01" {
		t.Fatal(told)
	}
	c.send(message.Reset, told.MessageID(), codes.Empty, "", nil)
	p.Do(func(d *client.Draft) { d.ChallengeDevice(maker, car.Address) }, p.Maker)
	p.Net.Eventually(func() bool {
		c.send(message.Confirmable, 2+int32(time.Now().UnixNano()&0xfff), codes.GET, "/challenge", nil)
		m := c.next()
		if m.Type() != message.Acknowledgement {
			t.Fatal("told again: ", m)
		}
		return m.Code() == codes.Content && bodyOf(t, m) != bodyOf(t, told)
	}, "no new challenge")
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	if n, err := c.Read(make([]byte, 4096)); err == nil {
		t.Errorf("%d bytes came", n)
	}
}
