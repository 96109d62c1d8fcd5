package device

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/dureledger/dure/client"
)

// heardChallenge keeps the latest challenge for answer.
func (d *Device) heardChallenge(nonce string) {
	select {
	case <-d.challenges: // a newer one replaces it, on the ledger as well
	default:
	}
	select {
	case d.challenges <- nonce:
	default:
	}
}

// answer gives evidence for each challenge.
func (d *Device) answer(ctx context.Context, l line) {
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
			said, done := d.submit(ctx, l, evidence)
			if !done {
				return
			}
			d.cfg.Log.Info("gave evidence", "committed", said.Committed, "said", said.Said)
		}
	}
}

// submit sends a transaction until it is done with; done is false when ctx ends before. The same bytes have one outcome.
func (d *Device) submit(ctx context.Context, l line, raw []byte) (said Settled, done bool) {
	for {
		if said, done = l.publish(ctx, toTx, raw); done || !pause(ctx, retryPause) {
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
