package mqtt_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/gateway/gatewaytest"
)

// place is a network with a gateway.
type place struct{ *gatewaytest.Place }

type thing = gatewaytest.Thing

func newPlace(t *testing.T) *place { return &place{gatewaytest.New(t, 1)} }

// caller is a connected MQTT 5 client.
type caller struct {
	*paho.Client
	p     *place
	heard chan *packets.Publish
	// gone has why the gateway ended the connection.
	gone chan *paho.Disconnect
}

// call connects as a client id with a device's certificate.
func (p *place) call(who *thing, id string, change func(*paho.Connect)) (*caller, *paho.Connack, error) {
	p.T.Helper()
	conn, err := tls.Dial("tcp", p.MQTTAddress, p.TLS(who))
	if err != nil {
		return nil, nil, err
	}
	c := &caller{p: p, heard: make(chan *packets.Publish, 1000), gone: make(chan *paho.Disconnect, 1)}
	c.Client = paho.NewClient(paho.ClientConfig{
		ClientID: id, Conn: packets.NewThreadSafeConn(conn), PacketTimeout: time.Minute,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			c.heard <- r.Packet.Packet()
			return true, nil
		}},
		OnServerDisconnect: func(d *paho.Disconnect) { c.gone <- d },
	})
	connect := &paho.Connect{ClientID: id, KeepAlive: 30, CleanStart: true}
	change(connect)
	ctx, cancel := context.WithTimeout(p.T.Context(), 20*time.Second)
	defer cancel()
	ack, err := c.Connect(ctx, connect)
	if err == nil {
		p.T.Cleanup(func() { _ = c.Disconnect(&paho.Disconnect{}) })
	}
	return c, ack, err
}

// connect is call as it should be.
func (p *place) connect(who thing) *caller {
	p.T.Helper()
	c, _, err := p.call(&who, who.Address.String(), func(*paho.Connect) {})
	if err != nil {
		p.T.Fatal(err)
	}
	return c
}

// publish sends a message with QoS 1 and returns the code and the words of the PUBACK.
func (c *caller) publish(topic string, payload []byte) (byte, string) {
	c.p.T.Helper()
	ctx, cancel := context.WithTimeout(c.p.T.Context(), time.Minute)
	defer cancel()
	res, err := c.Publish(ctx, &paho.Publish{QoS: 1, Topic: topic, Payload: payload})
	if res == nil {
		c.p.T.Fatalf("no PUBACK: %v", err)
	}
	if res.Properties == nil {
		return res.ReasonCode, ""
	}
	return res.ReasonCode, res.Properties.ReasonString
}

func (c *caller) subscribe(topic string) byte {
	c.p.T.Helper()
	ack, err := c.Subscribe(c.p.T.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic, QoS: 1}}})
	if ack == nil {
		c.p.T.Fatal(err)
	}
	return ack.Reasons[0]
}

// answer is the next message on the outcome topic.
func (c *caller) answer() (a gateway.Answer) {
	c.p.T.Helper()
	if err := json.Unmarshal(next(c.p.T, c.heard).Payload, &a); err != nil {
		c.p.T.Fatal(err)
	}
	return a
}

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
