package stream

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/holiman/uint256"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	minute = 60 * 1000
	day    = 24 * 3600 * 1000
)

// Limits, in bytes, count and milliseconds.
const (
	MaxTitle    = 200
	MaxUnit     = 16
	MaxReason   = 256
	MaxDecimals = 9
	// MaxNamed is how many devices one action may name, MaxDevices how many a feed has at a time.
	MaxNamed   = 100
	MaxDevices = 10_000
	MaxGaps    = 16
	MaxDues    = 64
	// MaxQuarantined is how many readings of a device wait in quarantine of a feed.
	MaxQuarantined = 16

	MaxLateMs    = 30 * day
	MaxAheadMs   = 10 * minute
	MaxStaleMs   = 400 * day
	MaxAppealMs  = 90 * day
	MaxDisputeMs = 400 * day
	// ConfirmMs is how long after readings were anchored good evidence may still confirm them.
	ConfirmMs = 90 * day
)

// place is a device in a feed.
type place struct {
	feed   string
	device tx.Address
}

// spot is one reading of a device for a feed.
type spot struct {
	place
	boot, sequence uint64
}

var (
	addresses = state.Codec[tx.Address]{
		Append: func(b []byte, a tx.Address) []byte { return append(b, a[:]...) },
		Decode: tx.ToAddress,
	}
	// A feed's id ends in a zero byte in keys, so that speed is no prefix of speed2.
	ids = state.Codec[string]{
		Append: func(b []byte, s string) []byte { return append(append(b, s...), 0) },
		Decode: func(b []byte) (string, error) {
			if i := bytes.IndexByte(b, 0); i < 0 || i != len(b)-1 {
				return "", errors.New("want a feed and a zero byte")
			}
			return string(b[:len(b)-1]), nil
		},
	}
	places = state.Codec[place]{
		Append: func(b []byte, p place) []byte { return append(ids.Append(b, p.feed), p.device[:]...) },
		Decode: func(b []byte) (p place, err error) {
			if len(b) < 21 {
				return p, errors.New("want a feed, a zero byte and an address")
			}
			p.device = tx.Address(b[len(b)-20:])
			p.feed, err = ids.Decode(b[:len(b)-20])
			return p, err
		},
	}
	spots = state.Codec[spot]{
		Append: func(b []byte, s spot) []byte {
			b = binary.BigEndian.AppendUint64(places.Append(b, s.place), s.boot)
			return binary.BigEndian.AppendUint64(b, s.sequence)
		},
		Decode: func(b []byte) (s spot, err error) {
			end := len(b) - 16
			if end < 0 {
				return s, errors.New("want a feed, a device, a start and a sequence number")
			}
			s.boot, s.sequence = binary.BigEndian.Uint64(b[end:]), binary.BigEndian.Uint64(b[end+8:])
			s.place, err = places.Decode(b[:end])
			return s, err
		},
	}

	feeds       = state.NewMap("Ff", ids, state.Proto[streamv1.Feed]())
	waiting     = state.NewMap("Fw", ids, state.Uint64)
	heads       = state.NewMap("Fh", addresses, state.Proto[streamv1.Head]())
	reports     = state.NewMap("Fr", places, state.Proto[streamv1.Report]())
	quarantines = state.NewMap("Fq", spots, state.Proto[streamv1.Quarantined]())
)

// Accounts says who may act.
type Accounts interface {
	// Exists says whether an account is open, frozen or not.
	Exists(g state.Getter, a tx.Address) bool
	// KeyOf returns the address of the key that may act for an account at a time, in unix milliseconds; none may if it is frozen, acts by a
	// rule, or is not open.
	KeyOf(g state.Getter, a tx.Address, now int64) (tx.Address, bool)
}

// Devices says what is known of devices.
type Devices interface {
	// Get returns a device and whether the account is one.
	Get(g state.Getter, device tx.Address) (*devicev1.Device, bool)
	// Doubted says why nothing may be relied on that a device said of one time and the ledger had at another, unix milliseconds, in either
	// order, or in between; empty if nothing speaks against it.
	Doubted(d *devicev1.Device, taken, anchored int64) string
}

// Assets keeps units aside and gives them away. Both are refused while the asset is paused.
type Assets interface {
	// Exists says whether there is such an asset.
	Exists(g state.Getter, asset string) bool
	// Reserve takes units from what the actor can spend, if its rules let it pay them to the account named; from then on this module answers for them (AscendFunds).
	Reserve(c *exec.Context, asset string, to tx.Address, amount uint256.Int) error
	// Pay gives units that were reserved to an account, frozen or not.
	Pay(v *state.View, asset string, to tx.Address, amount uint256.Int) error
}

// Module is the stream module.
type Module struct {
	accounts Accounts
	devices  Devices
	assets   Assets
}

var _ exec.Module = (*Module)(nil)

// New makes the module.
func New(accounts Accounts, devices Devices, assets Assets) *Module {
	return &Module{accounts, devices, assets}
}

// Name is the module's name.
func (m *Module) Name() string { return "stream" }

// Handlers lists the module's actions.
func (m *Module) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("stream.open", 1, func(c *txv1.Action_StreamOpen) *streamv1.Open { return c.StreamOpen }, m.open),
		exec.Handle("stream.close", 1, func(c *txv1.Action_StreamClose) *streamv1.Close { return c.StreamClose }, m.close),
		exec.Handle("stream.admit", 1, func(c *txv1.Action_StreamAdmit) *streamv1.Admit { return c.StreamAdmit }, m.admit),
		exec.Handle("stream.dismiss", 1, func(c *txv1.Action_StreamDismiss) *streamv1.Dismiss { return c.StreamDismiss }, m.dismiss),
		exec.Handle("stream.fund", 1, func(c *txv1.Action_StreamFund) *streamv1.Fund { return c.StreamFund }, m.fund),
		exec.Handle("stream.anchor", 1, func(c *txv1.Action_StreamAnchor) *streamv1.Anchor { return c.StreamAnchor }, m.anchor),
		exec.Handle("stream.appeal", 1, func(c *txv1.Action_StreamAppeal) *streamv1.Appeal { return c.StreamAppeal }, m.appeal),
		exec.Handle("stream.decide", 1, func(c *txv1.Action_StreamDecide) *streamv1.Decide { return c.StreamDecide }, m.decide),
		exec.Handle("stream.settle", 1, func(c *txv1.Action_StreamSettle) *streamv1.Settle { return c.StreamSettle }, m.settle),
	}
}

// addWaiting changes how much of a feed that pays waits: readings to be paid, and in quarantine.
func addWaiting(v *state.View, feed string, delta int64) uint64 {
	n, _ := waiting.Get(v, feed)
	if delta == 0 {
		return n
	}
	if n += uint64(delta); n == 0 {
		waiting.Delete(v, feed)
	} else {
		waiting.Set(v, feed, n)
	}
	return n
}

func toAddress(field string, b []byte) (tx.Address, error) {
	a, err := tx.ToAddress(b)
	if err != nil {
		return a, fault.New("stream.bad_address", "The "+field+" is not a 20-byte address.", "field", field, "bytes", len(b))
	}
	return a, nil
}
