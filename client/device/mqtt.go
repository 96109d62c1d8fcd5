package device

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// mqttLine is a line over MQTT 5.
type mqttLine struct {
	d *Device
	c *autopaho.ConnectionManager

	mu sync.Mutex
	up chan struct{} // of the connection that is up: closed when it is lost; nil: none has been up
}

const keepAlive = 60 // seconds

func (d *Device) mqtt(ctx context.Context, host string, own tls.Certificate) (*mqttLine, error) {
	settings := d.tls(own)
	l := &mqttLine{d: d}
	var err error
	l.c, err = autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{{Scheme: schemeMQTT, Host: host}}, TlsCfg: settings, KeepAlive: keepAlive, CleanStartOnInitialConnection: true,
		ReconnectBackoff: autopaho.NewExponentialBackoff(firstPause, longestPause, time.Second, 2),
		OnConnectionUp:   func(c *autopaho.ConnectionManager, _ *paho.Connack) { l.came(ctx, c) },
		OnConnectionDown: l.lost,
		OnConnectError: func(err error) {
			d.cfg.Log.Warn("the gateway is not reached; trying again", "gateway", d.cfg.Gateway, "error", err)
		},
		ClientConfig: paho.ClientConfig{
			ClientID: d.cfg.Address.String(), PacketTimeout: answerTime,
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){l.heard},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("device: %w", err)
	}
	return l, nil
}

// close implements line.
func (l *mqttLine) close() {
	bye, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = l.c.Disconnect(bye)
}

// came listens for challenges and commands on a new connection. The gateway says at once which are open.
func (l *mqttLine) came(ctx context.Context, c *autopaho.ConnectionManager) {
	l.mu.Lock()
	l.up = make(chan struct{})
	l.mu.Unlock()
	var topics []paho.SubscribeOptions
	if l.d.cfg.Measure != nil {
		topics = append(topics, paho.SubscribeOptions{Topic: l.topic("challenge"), QoS: 1})
	}
	if l.d.obeys() {
		topics = append(topics, paho.SubscribeOptions{Topic: l.topic("command"), QoS: 1})
	}
	if topics == nil {
		return
	}
	go func() { // the connection is not up before this function returns
		_, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: topics})
		if err != nil && ctx.Err() == nil {
			l.d.cfg.Log.Warn("challenges and commands cannot be heard on this connection", "error", err)
		}
	}()
}

// lost notes that the connection is lost; true: connect again.
func (l *mqttLine) lost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.up)
	return true
}

// heard keeps the latest challenge for answer, and commands for obey.
func (l *mqttLine) heard(p paho.PublishReceived) (bool, error) {
	switch p.Packet.Topic {
	case l.topic("command"):
		select {
		case l.d.receipts <- p.Packet.Payload:
		default: // the gateway hands it again on the next connection
			l.d.cfg.Log.Warn("so many commands wait that one more is not taken now")
		}
	case l.topic("challenge"):
		l.d.heardChallenge(string(p.Packet.Payload))
	default:
		return false, nil
	}
	return true, nil
}

// Reason codes of MQTT 5 after which the same message may be taken later: no reason given, quota exceeded.
const (
	codeUnspecified = 0x80
	codeQuota       = 0x97
)

// publish implements line with QoS 1.
func (l *mqttLine) publish(ctx context.Context, to string, payload []byte) (s Settled, done bool) {
	if l.c.AwaitConnection(ctx) != nil {
		return s, false
	}
	ctx, cancel := l.onLine(ctx)
	defer cancel()
	res, err := l.c.Publish(ctx, &paho.Publish{QoS: 1, Topic: l.topic(to), Payload: payload})
	if res == nil { // the connection was lost
		l.d.cfg.Log.Info("a message was not answered; sending it again", "error", err)
		return s, false
	}
	s = settled(res)
	return s, s.Committed || final(res.ReasonCode)
}

// settled is what a PUBACK says.
func settled(res *paho.PublishResponse) (s Settled) {
	if res.Properties != nil {
		s.Said = res.Properties.ReasonString
	}
	s.Committed = res.ReasonCode < codeUnspecified
	return s
}

// final says whether sending the message again would change nothing.
func final(code byte) bool { return code != codeUnspecified && code != codeQuota }

// onLine is a context that ends when the connection is lost: what was sent on it has no answer then, and the client library may go on waiting for
// one.
func (l *mqttLine) onLine(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	l.mu.Lock()
	up := l.up
	l.mu.Unlock()
	if up == nil { // it is just coming up
		cancel()
		return ctx, cancel
	}
	go func() {
		select {
		case <-up:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func (l *mqttLine) topic(what string) string { return l.d.topic(what) }

func (d *Device) topic(what string) string { return "dure/1/" + d.cfg.Address.String() + "/" + what }

// tls is the settings of a connection: Config.TLS with the device's certificate.
func (d *Device) tls(own tls.Certificate) *tls.Config {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.cfg.TLS != nil {
		settings = d.cfg.TLS.Clone()
	}
	settings.Certificates = []tls.Certificate{own}
	return settings
}
