package asset

import (
	"bytes"
	"errors"

	"github.com/holiman/uint256"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits, in bytes and milliseconds.
const (
	MaxID        = 32
	MaxName      = 64
	MaxMemo      = 256
	MaxReference = 64
	MaxDecimals  = tx.MaxDecimals
	MaxHoldMs    = 400 * 24 * 3600 * 1000
)

// HoldID names a hold.
type HoldID [16]byte

// holding is an account's place in an asset.
type holding struct {
	asset   string
	account tx.Address
}

// An id ends in a zero byte in keys, so that krw is no prefix of krw2.
var (
	ids = state.Codec[string]{
		Append: func(b []byte, s string) []byte { return append(append(b, s...), 0) },
		Decode: func(b []byte) (string, error) {
			if i := bytes.IndexByte(b, 0); i != len(b)-1 {
				return "", errors.New("want an asset id and a zero byte")
			}
			return string(b[:len(b)-1]), nil
		},
	}
	holdingKeys = state.Codec[holding]{
		Append: func(b []byte, h holding) []byte { return append(ids.Append(b, h.asset), h.account[:]...) },
		Decode: func(b []byte) (h holding, err error) {
			if len(b) < 21 {
				return h, errors.New("want an asset id, a zero byte and an address")
			}
			h.account = tx.Address(b[len(b)-20:])
			h.asset, err = ids.Decode(b[:len(b)-20])
			return h, err
		},
	}
	holdIDs = state.Codec[HoldID]{
		Append: func(b []byte, id HoldID) []byte { return append(b, id[:]...) },
		Decode: func(b []byte) (HoldID, error) {
			if len(b) != 16 {
				return HoldID{}, errors.New("want 16 bytes")
			}
			return HoldID(b), nil
		},
	}

	classes  = state.NewMap("Sc", ids, state.Proto[assetv1.Class]())
	balances = state.NewMap("Sb", holdingKeys, state.Amount)
	heldSums = state.NewMap("St", holdingKeys, state.Amount)
	holds    = state.NewMap("Sh", holdIDs, state.Proto[assetv1.HoldState]())
)

// Accounts says who can receive.
type Accounts interface {
	// Exists says whether an account is open, frozen or not.
	Exists(g state.Getter, a tx.Address) bool
	// Key is the state key that Exists reads.
	Key(a tx.Address) []byte
}

// Spending is asked before units leave an account.
type Spending interface {
	// Spend refuses what the rules of the context's actor do not allow, and counts the rest. Amount is in smallest units, to be shown
	// with so many decimals; to is who receives it, for a hold its payee, for units that are redeemed the issuer.
	Spend(c *exec.Context, asset string, decimals uint32, amount uint256.Int, to tx.Address) error
}

// Module is the asset module.
type Module struct {
	accounts Accounts
	reserves Reserves
	spending Spending
}

var _ exec.Module = (*Module)(nil)

// New makes the module.
func New(accounts Accounts, reserves Reserves, spending Spending) *Module {
	return &Module{accounts, reserves, spending}
}

// Name is the module's name.
func (m *Module) Name() string { return "asset" }

// Handlers lists the module's actions.
func (m *Module) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("asset.create", 1, func(c *txv1.Action_AssetCreate) *assetv1.Create { return c.AssetCreate }, m.create),
		exec.Handle("asset.issue", 1, func(c *txv1.Action_AssetIssue) *assetv1.Issue { return c.AssetIssue }, m.issue),
		exec.Needing(exec.Handle("asset.transfer", 1, transferOf, m.transfer), transferOf, m.transferNeeds),
		exec.Handle("asset.redeem", 1, func(c *txv1.Action_AssetRedeem) *assetv1.Redeem { return c.AssetRedeem }, m.redeem),
		exec.Handle("asset.hold", 1, func(c *txv1.Action_AssetHold) *assetv1.Hold { return c.AssetHold }, m.hold),
		exec.Handle("asset.release", 1, func(c *txv1.Action_AssetRelease) *assetv1.Release { return c.AssetRelease }, m.release),
		exec.Handle("asset.pause", 1, func(c *txv1.Action_AssetPause) *assetv1.Pause { return c.AssetPause }, m.pause),
		exec.Handle("asset.unpause", 1, func(c *txv1.Action_AssetUnpause) *assetv1.Unpause { return c.AssetUnpause }, m.unpause),
	}
}

func transferOf(c *txv1.Action_AssetTransfer) *assetv1.Transfer { return c.AssetTransfer }

func balance(g state.Getter, asset string, account tx.Address) uint256.Int {
	amount, _ := balances.Get(g, holding{asset, account})
	return amount
}

// put stores an amount, or removes it when it is zero.
func put(v *state.View, in state.Map[holding, uint256.Int], h holding, amount uint256.Int) {
	if amount.IsZero() {
		in.Delete(v, h)
	} else {
		in.Set(v, h, amount)
	}
}
