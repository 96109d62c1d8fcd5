package device

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/dureledger/dure/client"
)

// up listens for challenges and commands on a new connection. The gateway says at once which are open.
func (d *Device) up(ctx context.Context, c *autopaho.ConnectionManager) {
	d.lineMu.Lock()
	d.line = make(chan struct{})
	d.lineMu.Unlock()
	var topics []paho.SubscribeOptions
	if d.cfg.Measure != nil {
		topics = append(topics, paho.SubscribeOptions{Topic: d.topic("challenge"), QoS: 1})
	}
	if d.obeys() {
		topics = append(topics, paho.SubscribeOptions{Topic: d.topic("command"), QoS: 1})
	}
	if topics == nil {
		return
	}
	go func() { // the connection is not up before this function returns
		_, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: topics})
		if err != nil && ctx.Err() == nil {
			d.cfg.Log.Warn("challenges and commands cannot be heard on this connection", "error", err)
		}
	}()
}

// down notes that the connection is lost; true: connect again.
func (d *Device) down() bool {
	d.lineMu.Lock()
	defer d.lineMu.Unlock()
	close(d.line)
	return true
}

// heard keeps the latest challenge for answer, and commands for obey.
func (d *Device) heard(p paho.PublishReceived) (bool, error) {
	if p.Packet.Topic == d.topic("command") {
		select {
		case d.receipts <- p.Packet.Payload:
		default: // the gateway hands it again on the next connection
			d.cfg.Log.Warn("so many commands wait that one more is not taken now")
		}
		return true, nil
	}
	if p.Packet.Topic != d.topic("challenge") {
		return false, nil
	}
	select {
	case <-d.challenges: // a newer one replaces it, on the ledger as well
	default:
	}
	select {
	case d.challenges <- string(p.Packet.Payload):
	default:
	}
	return true, nil
}

// answer gives evidence for each challenge.
func (d *Device) answer(ctx context.Context, c *autopaho.ConnectionManager) {
	for {
		select {
		case <-ctx.Done():
			return
		case nonce := <-d.challenges:
			evidence, err := d.evidence(ctx, nonce)
			if err != nil {
				d.cfg.Log.Error("a challenge cannot be answered", "error", err)
				continue
			}
			said, done := d.submit(ctx, c, evidence)
			if !done {
				return
			}
			d.cfg.Log.Info("gave evidence", "committed", said.Committed, "said", said.Said)
		}
	}
}

// submit sends a transaction until it is done with; done is false when ctx ends before. The same bytes have one outcome.
func (d *Device) submit(ctx context.Context, c *autopaho.ConnectionManager, raw []byte) (said Settled, done bool) {
	for {
		if said, done = d.publish(ctx, c, "tx", raw); done || !pause(ctx, retryPause) {
			return said, done
		}
	}
}

// evidence is the device's signed answer to a challenge, a serialised transaction.
func (d *Device) evidence(ctx context.Context, text string) ([]byte, error) {
	nonce, err := hex.DecodeString(text)
	if err != nil || len(nonce) != 32 {
		return nil, errors.New("device: the challenge is no nonce of 64 hex digits")
	}
	firmware, err := d.cfg.Measure(ctx)
	if err != nil {
		return nil, fmt.Errorf("device: measuring the firmware: %w", err)
	}
	draft := client.NewTransaction(d.cfg.Network).AttestDevice(d.cfg.Address, [32]byte(nonce), d.boot, firmware)
	signed, err := draft.Sign(d.cfg.Now(), d.cfg.Signer)
	if err != nil {
		return nil, err
	}
	return signed.Raw, nil
}
