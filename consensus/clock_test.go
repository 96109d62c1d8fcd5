package consensus

import (
	"log/slog"
	"testing"
	"time"
)

// A clock that blocks show to be wrong is said to be, once, and sends clients away; slow blocks, idle hours and blocks
// fetched later do not.
func TestClockWatch(t *testing.T) {
	log := &lines{}
	var off time.Duration
	network := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // what right clocks say
	w := &clockWatch{log: slog.New(slog.NewTextHandler(log, nil)), now: func() time.Time { return network.Add(off) }}
	voted := network
	block := func(after time.Duration, live bool) { // a block that comes after a while, with the time of the votes before it
		network = network.Add(after)
		w.block(voted, live)
		voted = network
	}
	block(0, true)
	for range 5 {
		block(time.Second, true)
	}
	block(10*time.Hour, true) // idle
	block(time.Second, true)
	for range 5 {
		block(time.Minute, false) // fetched
	}
	if w.refusal() != nil || log.has("clock") {
		t.Fatalf("a clock that is right: %v", w.refusal())
	}
	for _, off = range []time.Duration{time.Hour, -time.Hour} {
		block(time.Second, true)
		block(time.Second, true)
		block(time.Second, true)
		if w.refusal() != nil {
			t.Errorf("%v: two blocks are enough", off)
		}
		block(time.Second, true)
		if e := w.refusal(); e == nil || e.Code != "node.wrong_clock" || e.Fields[0].Value != off.String() || !log.has("level=ERROR") {
			t.Errorf("%v: %v", off, e)
		}
		off = 0
		block(time.Second, true)
		block(time.Second, true)
		if w.refusal() != nil || !log.has("agrees with the other members' again") {
			t.Error("a clock that is right again")
		}
	}
}
