package mqtt

import (
	"context"
	"encoding/json"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/ledger/tx"
)

// session is one connection of a device.
type session struct {
	broker  *Broker
	client  *mochi.Client
	device  tx.Address
	key     tx.Key
	version byte
	// waiting has the messages without an answer, in the order they came: they are acknowledged in this order (MQTT 5, section 4.6).
	waiting chan *message
	life    context.Context
	end     context.CancelFunc
	// commands calls command to look for commands, of a transaction or "" for any; handed has the transactions whose receipts the device got.
	commands chan string
	handed   map[string]bool
}

// message is a PUBLISH without an answer.
type message struct {
	id     uint16
	qos    byte
	answer chan gateway.Answer
}

// take hands a message on. The goroutine that reads the connection waits here when too many have no answer.
func (s *session) take(p packets.Packet) {
	m := &message{id: p.PacketID, qos: p.FixedHeader.Qos, answer: make(chan gateway.Answer, 1)}
	select {
	case s.waiting <- m:
		s.broker.unanswered.Add(1)
	case <-s.life.Done():
		return
	}
	done := func(a gateway.Answer) { m.answer <- a }
	switch own(s.client.ID, p.TopicName) {
	case topicReading:
		ctx, cancel := context.WithTimeout(s.life, gateway.AdmitTime)
		defer cancel()
		s.broker.cfg.Handler.Reading(ctx, s.device, s.key, p.Payload, done)
	case topicTx:
		s.broker.cfg.Handler.Transaction(s.device, p.Payload, done)
	default:
		done(gateway.Answer{Kind: gateway.NotAllowed, Of: "message", Result: gateway.NotAllowed.String(), Code: "gateway.foreign_topic",
			Message: "A device publishes on its own topics reading and tx alone: " + Topic(s.device, topicReading) + "."})
	}
}

// acknowledge answers one message after the other until the session ends.
func (s *session) acknowledge() {
	defer func() { s.broker.unanswered.Add(int64(-len(s.waiting))) }()
	for {
		select {
		case <-s.life.Done():
			return
		case m := <-s.waiting:
			select {
			case <-s.life.Done():
			case a := <-m.answer:
				s.tell(m, a)
			}
			s.broker.unanswered.Add(-1)
		}
	}
}

// tell sends the PUBACK and, if the device listens, the whole answer.
func (s *session) tell(m *message, a gateway.Answer) {
	if s.listens(topicOutcome) {
		if text, err := json.Marshal(a); err == nil {
			s.publish(topicOutcome, text)
		}
	}
	code := codeOf(a)
	failed := code.Code >= packets.ErrUnspecifiedError.Code
	if failed && s.version < 5 { // there is no PUBACK that says no
		s.cut(code.Reason)
		return
	}
	if m.qos == 1 {
		ack := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.id, ReasonCode: code.Code}
		ack.Properties.ReasonString = code.Reason
		_ = s.client.WritePacket(ack) // the reader notices when the connection is gone
	}
	if gateway.Ends(a.Code) {
		s.cut(code.Reason)
	}
}

// codeOf is the reason code of a PUBACK, with words for people.
func codeOf(a gateway.Answer) packets.Code {
	text := a.Words()
	switch a.Kind {
	case gateway.Taken:
		return packets.Code{Code: packets.CodeSuccess.Code, Reason: text}
	case gateway.Malformed:
		return reason(packets.ErrPayloadFormatInvalid, text)
	case gateway.NotAllowed:
		return reason(packets.ErrNotAuthorized, text)
	case gateway.Full:
		return reason(packets.ErrQuotaExceeded, text)
	case gateway.NotKnown:
		return reason(packets.ErrUnspecifiedError, text)
	}
	return reason(packets.ErrImplementationSpecificError, text)
}

// publish sends a device a message on one of its topics, if it subscribed to it.
func (s *session) publish(what string, payload []byte) {
	if !s.listens(what) {
		return
	}
	_ = s.client.WritePacket(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: Topic(s.device, what), Payload: payload,
	})
}

// listens says whether the device subscribed to one of its topics.
func (s *session) listens(what string) bool {
	_, ok := s.client.State.Subscriptions.Get(Topic(s.device, what))
	return ok
}

// remind tells a device which challenge it has not answered.
func (s *session) remind() {
	ctx, cancel := context.WithTimeout(s.life, gateway.AdmitTime)
	defer cancel()
	if nonce, err := s.broker.cfg.Handler.Nonce(ctx, s.device); err == nil && nonce != "" {
		s.publish(topicChallenge, []byte(nonce))
	}
}

// look has command look for commands.
func (s *session) look(transaction string) {
	select {
	case s.commands <- transaction:
	default: // whoever looks for those before finds this one too
	}
}

// command hands the device what it is told to do, until the session ends.
func (s *session) command() {
	for {
		select {
		case <-s.life.Done():
			return
		case transaction := <-s.commands:
			s.hand(transaction)
		}
	}
}

// hand gives a device the commands that it has not got on this connection, each as the receipt that proves it.
func (s *session) hand(transaction string) {
	if !s.listens(topicCommand) || transaction != "" && s.handed[transaction] {
		return
	}
	err := gateway.Look(s.life, func(ctx context.Context) error {
		commands, err := s.broker.cfg.Handler.Commands(ctx, s.device, transaction, func(id string) bool { return s.handed[id] })
		for _, c := range commands {
			s.publish(topicCommand, c.Receipt)
			if len(s.handed) >= maxHanded {
				clear(s.handed) // what is open still is handed again, and the device knows it
			}
			s.handed[c.Transaction] = true
		}
		return err
	})
	if err != nil {
		s.broker.cfg.Log.Warn("a device may lack a command until it connects again", "device", s.device.String(), "error", err)
	}
}

// cut ends the connection of a device that may not be here any more, or did what has no other answer.
func (s *session) cut(why string) {
	s.broker.metrics.cut.WithLabelValues(packets.ErrNotAuthorized.Reason).Inc()
	s.broker.cfg.Log.Info("a device was cut off", "device", s.device.String(), "why", why)
	disconnect(s.broker.server, s.client, reason(packets.ErrNotAuthorized, why))
}
