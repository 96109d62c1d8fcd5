package mqtt

import (
	"errors"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// hook is what the broker calls. doc.go says why messages never go on into it.
type hook struct {
	mochi.HookBase
	b *Broker
}

func (h *hook) ID() string { return "dure" }

func (h *hook) Provides(event byte) bool {
	switch event {
	case mochi.OnConnect, mochi.OnConnectAuthenticate, mochi.OnSessionEstablished, mochi.OnDisconnect, mochi.OnPacketRead, mochi.OnPacketEncode,
		mochi.OnACLCheck, mochi.OnSubscribed, mochi.OnPublish:
		return true
	}
	return false
}

// OnPacketRead refuses what the broker would bend until it fits.
func (h *hook) OnPacketRead(c *mochi.Client, p packets.Packet) (packets.Packet, error) {
	switch p.FixedHeader.Type {
	case packets.Connect:
		p.Connect.Clean = true // nothing outlives a connection
	case packets.Publish:
		switch {
		case p.FixedHeader.Qos > 1:
			return p, h.refuse(c, packets.ErrQosNotSupported)
		case p.FixedHeader.Retain:
			return p, h.refuse(c, packets.ErrRetainNotSupported)
		case len(p.TopicName) > 0 && p.TopicName[0] == '$':
			return p, h.refuse(c, packets.ErrTopicNameInvalid) // the broker would say nothing to some of them
		}
	}
	return p, nil
}

// refuse ends a connection for something that the protocol has no milder answer to.
func (h *hook) refuse(c *mochi.Client, code packets.Code) error {
	h.b.metrics.cut.WithLabelValues(code.Reason).Inc()
	disconnect(h.b.server, c, code)
	return packets.ErrRejectPacket
}

// disconnect tells an MQTT 5 client why; for 3.1.1 there is no such packet from a server.
func disconnect(server *mochi.Server, c *mochi.Client, code packets.Code) {
	if c.Properties.ProtocolVersion == 5 {
		_ = server.DisconnectClient(c, code)
		return
	}
	c.Stop(code)
}

// OnConnect lets in those of whom the ledger says that they may come.
func (h *hook) OnConnect(c *mochi.Client, _ packets.Packet) error {
	if err := h.b.admit(c); err != nil {
		code := packets.ErrNotAuthorized
		_ = errors.As(err, &code)
		h.b.refused(c, code)
		if c.Properties.ProtocolVersion < 5 {
			code = connack3(code)
		}
		_ = h.b.server.SendConnack(c, code, false, nil)
		return err
	}
	if p := c.Properties.ProtocolVersion; p == 5 && (c.State.Keepalive == 0 || c.State.Keepalive > maxKeepAlive) {
		c.State.Keepalive, c.State.ServerKeepalive = maxKeepAlive, true
	}
	return nil
}

// connack3 is what MQTT 3.1.1 has for a reason code.
func connack3(code packets.Code) packets.Code {
	switch code.Code {
	case packets.ErrClientIdentifierNotValid.Code:
		return packets.Err3ClientIdentifierNotValid
	case packets.ErrServerUnavailable.Code:
		return packets.Err3ServerUnavailable
	}
	return packets.Err3NotAuthorized
}

// OnConnectAuthenticate has nothing to add to OnConnect, which can say why not.
func (h *hook) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

// OnPacketEncode tells a client what is not to be had here.
func (h *hook) OnPacketEncode(c *mochi.Client, p packets.Packet) packets.Packet {
	if p.FixedHeader.Type == packets.Connack && p.ReasonCode == packets.CodeSuccess.Code && c.Properties.ProtocolVersion == 5 {
		p.Properties.RetainAvailableFlag, p.Properties.RetainAvailable = true, 0
		p.Properties.WildcardSubAvailableFlag, p.Properties.WildcardSubAvailable = true, 0
		p.Properties.SharedSubAvailableFlag, p.Properties.SharedSubAvailable = true, 0
		p.Properties.MaximumPacketSize = h.b.server.Options.Capabilities.MaximumPacketSize
	}
	return p
}

// OnSessionEstablished starts a client's session; the broker has answered its CONNECT and reads on when this returns.
func (h *hook) OnSessionEstablished(c *mochi.Client, _ packets.Packet) {
	device, key, err := h.b.identity(c)
	if err != nil {
		c.Stop(packets.ErrNotAuthorized)
		return
	}
	h.b.came(c, device, key)
}

// OnDisconnect ends it.
func (h *hook) OnDisconnect(c *mochi.Client, _ error, _ bool) { h.b.left(c) }

// OnACLCheck allows a device to hear its own three topics. What it may publish on its session says, which can refuse in turn.
func (h *hook) OnACLCheck(c *mochi.Client, topic string, write bool) bool {
	if write {
		return true
	}
	what := own(c.ID, topic)
	return what == topicOutcome || what == topicChallenge || what == topicCommand
}

// OnSubscribed tells a device at once what it is asked and told to do, should it be.
func (h *hook) OnSubscribed(c *mochi.Client, p packets.Packet, codes []byte) {
	for i, filter := range p.Filters {
		s := h.b.session(c)
		if s == nil || codes[i] >= packets.ErrUnspecifiedError.Code {
			continue
		}
		switch own(c.ID, filter.Filter) {
		case topicChallenge:
			go s.remind()
		case topicCommand:
			s.look("")
		}
	}
}

// OnPublish takes every message out of the broker's hands. It waits while the device has as many without an answer as it may.
func (h *hook) OnPublish(c *mochi.Client, p packets.Packet) (packets.Packet, error) {
	if s := h.b.session(c); s != nil {
		s.take(p)
	}
	return p, packets.ErrRejectPacket
}
