package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
)

// MaxReason is the most bytes a reason for freezing may have.
const MaxReason = 256

var (
	addresses = state.Codec[tx.Address]{
		Append: func(b []byte, a tx.Address) []byte { return append(b, a[:]...) },
		Decode: tx.ToAddress,
	}
	accounts = state.NewMap("Aa", addresses, state.Proto[*accountv1.Account]())
	rotated  = state.NewMap("Ak", addresses, addresses)
)

// Members says who the members of the network are.
type Members interface {
	// IsMember says whether the account is a member's now.
	IsMember(g state.Getter, a tx.Address) bool
}

// Devices keeps what is said of keys.
type Devices interface {
	// KeyChanged is called when another key, given by its address, begins to act for an account, which mostly is no device.
	KeyChanged(v *state.View, account, key tx.Address)
}

// Module is the account module.
type Module struct {
	members Members
	devices Devices
}

var (
	_ exec.Module   = (*Module)(nil)
	_ exec.Accounts = (*Module)(nil)
)

// New makes the module.
func New(members Members, devices Devices) *Module { return &Module{members, devices} }

// Name is the module's name.
func (m *Module) Name() string { return "account" }

// Handlers lists the module's actions.
func (m *Module) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("account.open", 1, func(c *txv1.Action_AccountOpen) *accountv1.Open { return c.AccountOpen }, m.open),
		exec.Handle("account.rotate_key", 1, func(c *txv1.Action_AccountRotateKey) *accountv1.RotateKey { return c.AccountRotateKey }, m.rotateKey),
		exec.Handle("account.freeze", 1, func(c *txv1.Action_AccountFreeze) *accountv1.Freeze { return c.AccountFreeze }, m.freeze),
		exec.Handle("account.unfreeze", 1, func(c *txv1.Action_AccountUnfreeze) *accountv1.Unfreeze { return c.AccountUnfreeze }, m.unfreeze),
	}
}

// toAddress reads an address in an action.
func toAddress(field string, b []byte) (tx.Address, error) {
	a, err := tx.ToAddress(b)
	if err != nil {
		return a, fault.New("account.bad_address", "The "+field+" is not a 20-byte address.", "field", field, "bytes", len(b))
	}
	return a, nil
}

func unknown(a tx.Address) error {
	return fault.New("account.unknown", "There is no account "+a.String()+". Ask a member to open it.", "account", a)
}
