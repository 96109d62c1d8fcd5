package coap

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/tx"
)

// slowFarewell is a connection that takes a while to end.
type slowFarewell struct {
	net.Conn
	begun chan struct{}
	ended atomic.Bool
}

func (c *slowFarewell) Close() error {
	close(c.begun)
	time.Sleep(100 * time.Millisecond)
	c.ended.Store(true)
	return nil
}

// Whoever ends a session beside somebody who does so already waits until the device has been told: it takes away what the farewell is sent by.
func TestFarewell(t *testing.T) {
	c := &slowFarewell{begun: make(chan struct{})}
	d := newSession(&Server{cfg: Config{Log: slog.New(slog.DiscardHandler)}, life: context.Background()}, c, tx.Address{1}, tx.Key{})
	go d.close()
	<-c.begun
	d.close()
	if !c.ended.Load() {
		t.Error("it did not wait")
	}
}
