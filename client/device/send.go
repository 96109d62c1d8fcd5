package device

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// connectTime is how long a gateway has to let a device in.
const connectTime = 20 * time.Second

// Send sends one message to the gateway and returns what became of it, for those who keep no Device: a signed reading, or a transaction (what is
// "reading" or "tx"). Of cfg it uses Address, Key, Gateway and TLS. An error means that it is not known whether the message is committed, or that it
// was not sent; the same bytes may be sent again, and count once.
func Send(ctx context.Context, cfg Config, what string, payload []byte) (s Settled, err error) {
	d := &Device{cfg: cfg}
	settings, err := d.tls()
	if err != nil {
		return s, err
	}
	if settings.ServerName == "" {
		if settings.ServerName, _, err = net.SplitHostPort(cfg.Gateway); err != nil {
			return s, fmt.Errorf("device: the gateway's address has to be HOST:PORT: %w", err)
		}
	}
	start, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := (&tls.Dialer{Config: settings}).DialContext(start, "tcp", cfg.Gateway)
	if err != nil {
		return s, fmt.Errorf("device: the gateway at %s is not reached: %w", cfg.Gateway, err)
	}
	defer conn.Close()
	c := paho.NewClient(paho.ClientConfig{Conn: conn, ClientID: cfg.Address.String(), PacketTimeout: answerTime})
	answer, err := c.Connect(start, &paho.Connect{ClientID: cfg.Address.String(), KeepAlive: keepAlive, CleanStart: true})
	if err != nil {
		if answer != nil && answer.Properties != nil && answer.Properties.ReasonString != "" {
			return s, fmt.Errorf("device: the gateway let the device not in: %s", answer.Properties.ReasonString)
		}
		return s, fmt.Errorf("device: the gateway let the device not in: %w", err)
	}
	defer func() { _ = c.Disconnect(&paho.Disconnect{}) }()
	res, err := c.Publish(ctx, &paho.Publish{QoS: 1, Topic: d.topic(what), Payload: payload})
	if res == nil {
		return s, fmt.Errorf("device: the gateway did not answer: %w", err)
	}
	if s = settled(res); !s.Committed && !final(res.ReasonCode) {
		return s, fmt.Errorf("device: the gateway could not have it committed now: %s", s.Said)
	}
	return s, nil
}
