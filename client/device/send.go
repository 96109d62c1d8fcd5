package device

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/dureledger/dure/client/coap"
)

// connectTime is how long a gateway has to let a device in.
const connectTime = 20 * time.Second

// Send sends one message to the gateway and returns what became of it, for those who keep no Device: a signed reading, or a transaction (what is
// "reading" or "tx"). Of cfg it uses Address, Key, Gateway and TLS. An error means that it is not known whether the message is committed, or that it
// was not sent; the same bytes may be sent again, and count once.
func Send(ctx context.Context, cfg Config, what string, payload []byte) (s Settled, err error) {
	d := &Device{cfg: cfg}
	scheme, host, own, err := d.door()
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime+answerTime)
	defer cancel()
	send := d.sendMQTT
	if scheme == schemeCoAP {
		send = d.sendCoAP
	}
	s, done, err := send(ctx, host, own, what, payload)
	if err == nil && !done {
		err = fmt.Errorf("device: the gateway could not have it committed now: %s", s.Said)
	}
	return s, err
}

func (d *Device) sendCoAP(ctx context.Context, host string, own tls.Certificate, what string, payload []byte) (s Settled, done bool, err error) {
	c, err := coap.Dial(ctx, host, coap.DialConfig{Certificate: own, TLS: d.cfg.TLS})
	if err != nil {
		return s, false, fmt.Errorf("device: the gateway at %s is not reached, or does not let the device in: %w", host, err)
	}
	defer c.Close()
	if s, done, err = post(ctx, c, what, payload); err != nil {
		err = fmt.Errorf("device: the gateway did not answer: %w", err)
	}
	return s, done, err
}

func (d *Device) sendMQTT(ctx context.Context, host string, own tls.Certificate, what string, payload []byte) (s Settled, done bool, err error) {
	settings := d.tls(own)
	if settings.ServerName == "" {
		if settings.ServerName, _, err = net.SplitHostPort(host); err != nil {
			return s, false, fmt.Errorf("device: %w", err)
		}
	}
	start, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := (&tls.Dialer{Config: settings}).DialContext(start, "tcp", host)
	if err != nil {
		return s, false, fmt.Errorf("device: the gateway at %s is not reached: %w", host, err)
	}
	defer conn.Close()
	id := d.cfg.Address.String()
	// The first PINGREQ goes out at once, beside what is published.
	c := paho.NewClient(paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn), ClientID: id, PacketTimeout: answerTime})
	answer, err := c.Connect(start, &paho.Connect{ClientID: id, KeepAlive: keepAlive, CleanStart: true})
	if err != nil {
		if answer != nil && answer.Properties != nil && answer.Properties.ReasonString != "" {
			return s, false, fmt.Errorf("device: the gateway did not let the device in: %s", answer.Properties.ReasonString)
		}
		return s, false, fmt.Errorf("device: the gateway did not let the device in: %w", err)
	}
	defer func() { _ = c.Disconnect(&paho.Disconnect{}) }()
	res, err := c.Publish(ctx, &paho.Publish{QoS: 1, Topic: d.topic(what), Payload: payload})
	if res == nil {
		return s, false, fmt.Errorf("device: the gateway did not answer: %w", err)
	}
	s = settled(res)
	return s, s.Committed || final(res.ReasonCode), nil
}
