package coap_test

import (
	"strings"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/internal/simnet"
)

func (p *place) command(d thing, kind string) string {
	p.T.Helper()
	return p.Do(func(draft *client.Draft) {
		draft.CommandDevice(simnet.Address(p.Maker), d.Address, kind, nil, time.Now().Add(time.Hour))
	}, p.Maker).GetId()
}

// The list of commands is told when it is asked for and observed, grows with each command, has more than a message's worth, and shrinks with each answer.
func TestCommandList(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car, bus := p.Device(1), p.Device(2)
	c := p.connect(car)
	if code, body := c.get("/command"); code != codes.Content || body != "" {
		t.Fatalf("no command: %v %q", code, body)
	}
	told := make(chan string, 100)
	if _, err := c.Observe(t.Context(), "/command", func(m *pool.Message) {
		body, err := m.ReadBody()
		if err != nil {
			t.Error(err)
		}
		told <- string(body)
	}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	p.command(bus, "unlock")
	for range 3 {
		ids = append(ids, p.command(car, "unlock"))
		want := strings.Join(ids, "\n")
		p.Net.Eventually(func() bool { return len(told) > 0 && <-told == want }, "it is not told of a command")
	}
	if code, body := c.get("/command"); code != codes.Content || body != strings.Join(ids, "\n") {
		t.Errorf("asked for: %v %s", code, body)
	}
	info, err := p.Client.NetworkInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := light.FromGenesis(info.GetGenesis())
	if err != nil {
		t.Fatal(err)
	}
	_, file := c.get("/receipt/" + ids[2])
	v, err := anchor.VerifyReceipt([]byte(file))
	if err != nil || !v.OK() {
		t.Fatal(err)
	}
	first := v.Outcome.GetEvents()[0].GetDeviceCommanded().GetCommand()
	answer, err := client.NewTransaction(p.Network).AnswerCommand(car.Address, [16]byte(first), true, "unlocked").Sign(time.Now(), car.Signer)
	if err != nil {
		t.Fatal(err)
	}
	if code, body := c.post("/tx", message.AppOctets, answer.Raw); code != codes.Changed {
		t.Fatalf("answered: %v %s", code, body)
	}
	p.Net.Eventually(func() bool { _, body := c.get("/command"); return body == strings.Join(ids[:2], "\n") }, "what is answered is still there")
	for len(ids) < 17 {
		ids = append(ids, p.command(car, "unlock"))
	}
	want := strings.Join(append(ids[:2:2], ids[3:]...), "\n")
	if len(want) <= 1024 {
		t.Fatal(len(want))
	}
	p.Net.Eventually(func() bool { _, body := c.get("/command"); return body == want }, "sixteen commands are not listed")
}
