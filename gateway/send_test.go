package gateway_test

import (
	"fmt"
	"testing"

	sdk "github.com/dureledger/dure/client/device"
)

// Send connects anew for each message. What it sends arrives whole, whatever else goes over the connection at its beginning, and counts once.
func TestSend(t *testing.T) { over(t, testTestSend) }

func testTestSend(t *testing.T, p *place) {
	p.Open()
	car := p.Device(1)
	p.Feed(car)
	cfg := sdk.Config{Address: car.Address, Key: car.Key, Gateway: p.address(), TLS: p.TLS(nil)}
	want := ""
	for i := range uint64(40) {
		raw := p.Reading(car, 1, i+1, "50", 0)
		for range 2 { // the same once more
			if said, err := sdk.Send(t.Context(), cfg, "reading", raw); err != nil || !said.Committed || said.Said != "accepted" {
				t.Fatalf("reading %d: %+v %v", i+1, said, err)
			}
		}
		want += fmt.Sprintf("1.%d accepted ", i+1)
	}
	if got := fmt.Sprint(p.Committed(car)); got != "["+want[:len(want)-1]+"]" {
		t.Error(got)
	}
	cfg.Gateway = "127.0.0.1"
	if _, err := sdk.Send(t.Context(), cfg, "reading", nil); err == nil {
		t.Error("sent to nowhere")
	}
}
