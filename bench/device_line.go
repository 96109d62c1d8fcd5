package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// line is a device's connection to a gateway, over MQTT with TLS on both sides. One goroutine uses it at a time.
type line struct {
	*reporter
	mqtt *paho.Client
	// asked has the challenge that the device heard last.
	asked chan string
}

const (
	// dialing is how many devices connect at once.
	dialing = 64
	// keepAlive is how long a device that says nothing waits before it says so, seconds.
	keepAlive = 60
	// answerTime is how long a gateway may take for an answer: longer than it tries itself.
	answerTime = 2 * time.Minute
	dialTime   = 30 * time.Second
	// receives is how many messages to the device may be without its answer.
	receives = 8
)

// connect connects all devices, which listen for challenges from then on, and looks how much memory the gateway has then.
func (r *devices) connect(parent context.Context) error {
	r.say("Connecting %s devices…", count(len(r.devices)))
	start := time.Now()
	r.lines = make([]*line, len(r.devices))
	group, ctx := errgroup.WithContext(parent)
	group.SetLimit(dialing)
	for i := range r.devices {
		group.Go(func() error {
			l, err := r.door.open(ctx, &r.devices[i])
			if err != nil {
				return fmt.Errorf("bench: device %d cannot connect: %w", i+1, err)
			}
			r.lines[i] = l
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	r.report.ConnectS = time.Since(start).Seconds()
	var err error
	r.report.GatewayIdleBytes, err = memoryOf(r.door.PID, rss)
	r.say("All are connected after %.1f s; the gateway has %d MiB.", r.report.ConnectS, r.report.GatewayIdleBytes>>20)
	return err
}

// open connects one device.
func (d Door) open(parent context.Context, of *reporter) (*line, error) {
	ctx, cancel := context.WithTimeout(parent, dialTime)
	defer cancel()
	l := &line{reporter: of, asked: make(chan string, 1)}
	certificate, err := certificate.Make(l.address(), of.key)
	if err != nil {
		return nil, err
	}
	settings := d.TLS.Clone()
	settings.Certificates = []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: of.key}}
	conn, err := (&tls.Dialer{Config: settings}).DialContext(ctx, "tcp", d.Address)
	if err != nil {
		return nil, err
	}
	l.mqtt = paho.NewClient(paho.ClientConfig{
		ClientID: l.address().String(), Conn: packets.NewThreadSafeConn(conn), PacketTimeout: answerTime,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){l.heard},
	})
	properties := &paho.ConnectProperties{RequestProblemInfo: true, ReceiveMaximum: new(uint16)}
	*properties.ReceiveMaximum = receives // the library makes room for as many at once
	if _, err := l.mqtt.Connect(ctx, &paho.Connect{ClientID: l.address().String(), CleanStart: true, KeepAlive: keepAlive, Properties: properties}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	_, err = l.mqtt.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: l.topic("challenge"), QoS: 1}}})
	return l, err
}

func (r *devices) hangUp() {
	for _, l := range r.lines {
		if l != nil {
			_ = l.mqtt.Disconnect(&paho.Disconnect{}) // the run is over
		}
	}
}

// lost counts the devices whose connection is gone.
func (r *devices) lost() (n int) {
	for _, l := range r.lines {
		select {
		case <-l.mqtt.Done():
			n++
		default:
		}
	}
	return n
}

func (l *line) address() tx.Address      { return l.signer.Key().Address() }
func (l *line) topic(what string) string { return "dure/1/" + l.address().String() + "/" + what }

// heard keeps the last challenge.
func (l *line) heard(p paho.PublishReceived) (bool, error) {
	select {
	case <-l.asked:
	default:
	}
	select {
	case l.asked <- string(p.Packet.Payload):
	default:
	}
	return true, nil
}

// report signs the device's next reading, publishes it, and returns what the gateway says of it when it is committed.
func (l *line) report(ctx context.Context, network string) (string, error) {
	raw, err := reading.Sign(network, l.address(), &reading.Reading{
		Boot: boot, Sequence: l.signed + 1, Feed: l.feed, Unit: unit, Value: reading.Decimal{Mantissa: mantissaOf(l.signed + 1), Exponent: -1}, Time: time.Now().UnixMilli(),
	}, l.key)
	if err != nil {
		return "", err
	}
	l.signed++
	said, err := l.publish(ctx, "reading", raw)
	if err == nil {
		l.sent = l.signed
	}
	return said, err
}

// publish sends a message with QoS 1 and returns the words of its PUBACK. A PUBACK with an error is an error.
func (l *line) publish(ctx context.Context, what string, payload []byte) (string, error) {
	res, err := l.mqtt.Publish(ctx, &paho.Publish{QoS: 1, Topic: l.topic(what), Payload: payload})
	said := ""
	if res != nil && res.Properties != nil {
		said = res.Properties.ReasonString
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	return said, nil
}
