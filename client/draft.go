package client

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/tx"
)

// DefaultValidity is how long after signing a transaction without `once` may be ordered.
const DefaultValidity = time.Minute

// Draft is a transaction being written. Its methods add actions in order and return the draft; a mistake is kept
// and reported by Sign.
type Draft struct {
	network  string
	notAfter time.Time
	validity time.Duration
	salt     uint64
	salted   bool
	once     []byte
	actions  []*txv1.Action
	err      error
}

// NewTransaction starts a draft for the network with this id.
func NewTransaction(network string) *Draft {
	return &Draft{network: network, validity: DefaultValidity}
}

// Valid sets how long after signing the transaction may be ordered: at most 2 minutes, or 30 days with Once.
func (d *Draft) Valid(span time.Duration) *Draft {
	d.validity, d.notAfter = span, time.Time{}
	return d
}

// NotAfter sets the last block time the transaction may be ordered in; see Valid.
func (d *Draft) NotAfter(t time.Time) *Draft {
	d.notAfter = t
	return d
}

// Salt fixes the salt. Without it each signing draws a new one.
func (d *Draft) Salt(salt uint64) *Draft {
	d.salt, d.salted = salt, true
	return d
}

// Once sets the key that the actor of the first action uses up: the ledger takes it once, for good.
func (d *Draft) Once(key [32]byte) *Draft {
	d.once = key[:]
	return d
}

// Append adds finished actions, such as those of another body.
func (d *Draft) Append(actions ...*txv1.Action) *Draft {
	d.actions = append(d.actions, actions...)
	return d
}

// Body makes the transaction's body as of now.
func (d *Draft) Body(now time.Time) (*txv1.Body, error) {
	if d.err != nil {
		return nil, d.err
	}
	if len(d.actions) == 0 {
		return nil, errors.New("client: a transaction needs at least one action")
	}
	short, err := genesis.Short(d.network)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	body := &txv1.Body{Network: short, NotAfter: d.notAfter.UnixMilli(), Salt: d.salt, Once: d.once}
	if d.notAfter.IsZero() {
		body.NotAfter = now.Add(d.validity).UnixMilli()
	}
	if !d.salted {
		var b [8]byte
		rand.Read(b[:])
		body.Salt = binary.LittleEndian.Uint64(b[:])
	}
	for _, action := range d.actions {
		body.Actions = append(body.Actions, proto.CloneOf(action))
	}
	return body, nil
}

// Sign makes the body as of now and signs it. Every account that acts needs a signer whose key may act for it.
func (d *Draft) Sign(now time.Time, signers ...tx.Signer) (*Signed, error) {
	body, err := d.Body(now)
	if err != nil {
		return nil, err
	}
	raw, err := tx.Sign(d.network, body, signers...)
	if err != nil {
		return nil, fmt.Errorf("client: signing: %w", err)
	}
	return ReadSigned(d.network, raw)
}

// Signed is a transaction ready to submit. The same bytes always have the same outcome.
type Signed struct {
	// Raw is the serialised dure.tx.v1.Transaction.
	Raw []byte
	// ID is 64 hex digits.
	ID string
	// NotAfter is the last block time it may be ordered in.
	NotAfter time.Time
}

// maxRaw bounds a transaction read here, in bytes; the network's own limit is lower.
const maxRaw = 1 << 20

// ReadSigned reads a serialised transaction of a network, such as one saved or signed elsewhere.
func ReadSigned(network string, raw []byte) (*Signed, error) {
	t, err := tx.Decode(network, raw, maxRaw)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return &Signed{Raw: raw, ID: hex.EncodeToString(t.ID[:]), NotAfter: time.UnixMilli(t.Body.GetNotAfter())}, nil
}
