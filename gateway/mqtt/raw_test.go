package mqtt_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"github.com/dureledger/dure/gateway/mqtt"
)

// raw connects without a client library's good manners.
func (p *place) raw(who thing) net.Conn {
	p.T.Helper()
	conn, err := tls.Dial("tcp", p.MQTTAddress, p.TLS(&who))
	if err != nil {
		p.T.Fatal(err)
	}
	p.T.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	hello := packets.NewControlPacket(packets.CONNECT)
	c := hello.Content.(*packets.Connect)
	c.ClientID, c.CleanStart, c.KeepAlive = who.Address.String(), true, 30
	if _, err := hello.WriteTo(conn); err != nil {
		p.T.Fatal(err)
	}
	if ack, err := packets.ReadPacket(conn); err != nil || ack.Content.(*packets.Connack).ReasonCode != 0 {
		p.T.Fatal(ack, err)
	}
	return conn
}

// What a client library would not send is refused as well, and nothing of it reaches anybody.
func TestBadManners(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car := p.Device(1)
	topic := mqtt.Topic(car.Address, "reading")
	for name, c := range map[string]struct {
		change func(*packets.Publish)
		want   byte
	}{
		"QoS 2":         {func(m *packets.Publish) { m.QoS = 2 }, qosTooHigh},
		"retained":      {func(m *packets.Publish) { m.Retain = true }, 0x9a},
		"$SYS":          {func(m *packets.Publish) { m.Topic = "$SYS/broker/uptime" }, 0x90},
		"wildcard":      {func(m *packets.Publish) { m.Topic = "dure/1/+/reading" }, 0x82},
		"topic alias":   {func(m *packets.Publish) { alias := uint16(1); m.Properties = &packets.Properties{TopicAlias: &alias} }, 0x94},
		"no identifier": {func(m *packets.Publish) { m.PacketID = 0 }, 0x82},
	} {
		conn := p.raw(car)
		publish := packets.NewControlPacket(packets.PUBLISH)
		m := publish.Content.(*packets.Publish)
		m.Topic, m.QoS, m.PacketID, m.Payload = topic, 1, 1, []byte("x")
		c.change(m)
		if _, err := publish.WriteTo(conn); err != nil {
			t.Fatal(err)
		}
		answer, err := packets.ReadPacket(conn)
		if err != nil || answer.Type != packets.DISCONNECT || answer.Content.(*packets.Disconnect).ReasonCode != c.want {
			t.Errorf("%s: %v %v", name, answer, err)
		}
	}

	conn := p.raw(car)
	subscribe := packets.NewControlPacket(packets.SUBSCRIBE)
	s := subscribe.Content.(*packets.Subscribe)
	s.PacketID = 1
	filters := []string{"#", "dure/1/+/outcome", "dure/1/" + car.Address.String() + "/+", "$share/a/" + mqtt.Topic(car.Address, "outcome"), "$SYS/#", mqtt.Topic(car.Address, "outcome")}
	for _, f := range filters {
		s.Subscriptions = append(s.Subscriptions, packets.SubOptions{Topic: f, QoS: 1})
	}
	if _, err := subscribe.WriteTo(conn); err != nil {
		t.Fatal(err)
	}
	answer, err := packets.ReadPacket(conn)
	if err != nil {
		t.Fatal(err)
	}
	for i, code := range answer.Content.(*packets.Suback).Reasons {
		if want := byte(notAuthorized); (code != want) != (i == len(filters)-1) {
			t.Errorf("%s: %#x", filters[i], code)
		}
	}

	for name, bytes := range map[string]string{
		"too long":  "\x32\xff\xff\xff\x7f" + strings.Repeat("x", 1000),
		"no packet": strings.Repeat("\xff", 1000),
	} {
		conn := p.raw(car)
		if _, err := io.WriteString(conn, bytes); err != nil {
			t.Fatal(err)
		}
		if _, err := packets.ReadPacket(conn); err == nil || errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.Net.Eventually(func() bool { return p.MQTT.Connected() == 0 }, "their connections are still there")
}
