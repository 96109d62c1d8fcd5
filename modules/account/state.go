package account

import (
	"bytes"
	"encoding/binary"
	"errors"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
)

// Limits of what an account may say and have.
const (
	// MaxReason is the most bytes a reason for freezing may have.
	MaxReason = 256
	// MaxAppeal is the most bytes an appeal or its answer may have.
	MaxAppeal = 1024
	// MaxFreezes is how many freezes of an account the ledger keeps; all of them are in its history.
	MaxFreezes = 8
	// MaxGuardians is the most guardians an account may have.
	MaxGuardians = 16
	// MaxObjections is how often an account may object to recoveries in an ObjectionWindow before no more can be begun.
	MaxObjections = 3
)

// Times in milliseconds.
const (
	hour = int64(60 * 60 * 1000)
	day  = 24 * hour
	// MaxFreeze is the longest that a freeze may last without being renewed.
	MaxFreeze = 366 * day
	// LeastWait is the shortest waiting time of a recovery.
	LeastWait = hour
	// MostWait is the longest waiting time of a recovery.
	MostWait = 30 * day
	// DefaultWait is the waiting time of a recovery of an account that has set none.
	DefaultWait = 72 * hour
	// GatherWithin is how long guardians have to agree to a recovery.
	GatherWithin = 7 * day
	// FinishWithin is how long a recovery can be finished once it is ready.
	FinishWithin = 30 * day
	// ObjectionWindow is for how long an objection counts.
	ObjectionWindow = 30 * day
)

var (
	addresses = state.Codec[tx.Address]{
		Append: func(b []byte, a tx.Address) []byte { return append(b, a[:]...) },
		Decode: tx.ToAddress,
	}
	accounts   = state.NewMap("Aa", addresses, state.Proto[accountv1.Account]())
	rotated    = state.NewMap("Ak", addresses, addresses)
	frozen     = state.NewMap("Af", addresses, state.Proto[accountv1.Freezes]())
	recoveries = state.NewMap("Ar", addresses, state.Proto[accountv1.Recovery]())
	claimed    = state.NewMap("An", addresses, addresses)
	rules      = state.NewMap("Al", addresses, state.Proto[accountv1.Rule]())
	usages     = state.NewMap("Au", expenses, state.Proto[accountv1.Usage]())

	proposals = state.NewMap("Ap", proposalIDs, state.Proto[accountv1.Proposal]())
)

// expense is an account's spending of an asset.
type expense struct {
	account tx.Address
	asset   string
}

// ProposalID names a proposal: the account's own number of it, from 1.
type ProposalID struct {
	Account tx.Address
	Number  uint64
}

var (
	expenses = state.Codec[expense]{
		Append: func(b []byte, e expense) []byte { return append(append(append(b, e.account[:]...), e.asset...), 0) },
		Decode: func(b []byte) (e expense, err error) {
			if len(b) < 21 || bytes.IndexByte(b[20:], 0) != len(b)-21 {
				return e, errors.New("want an address, an asset id and a zero byte")
			}
			return expense{tx.Address(b[:20]), string(b[20 : len(b)-1])}, nil
		},
	}
	proposalIDs = state.Codec[ProposalID]{
		Append: func(b []byte, id ProposalID) []byte {
			return binary.BigEndian.AppendUint64(append(b, id.Account[:]...), id.Number)
		},
		Decode: func(b []byte) (id ProposalID, err error) {
			if len(b) != 28 {
				return id, errors.New("want an address and 8 bytes")
			}
			return ProposalID{tx.Address(b[:20]), binary.BigEndian.Uint64(b[20:])}, nil
		},
	}
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
	// IsDevice says whether an account is a device.
	IsDevice(g state.Getter, a tx.Address) bool
}

// Assets says what may be limited.
type Assets interface {
	// Exists says whether there is such a class.
	Exists(g state.Getter, asset string) bool
}

// Module is the account module.
type Module struct {
	members Members
	devices Devices
	assets  Assets
}

var (
	_ exec.Module   = (*Module)(nil)
	_ exec.Accounts = (*Module)(nil)
)

// New makes the module.
func New(members Members, devices Devices, assets Assets) *Module {
	return &Module{members, devices, assets}
}

// Name is the module's name.
func (m *Module) Name() string { return "account" }

// Handlers lists the module's actions.
func (m *Module) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("account.open", 1, func(c *txv1.Action_AccountOpen) *accountv1.Open { return c.AccountOpen }, m.open),
		exec.Handle("account.rotate_key", 1, func(c *txv1.Action_AccountRotateKey) *accountv1.RotateKey { return c.AccountRotateKey }, m.rotateKey),
		exec.Handle("account.freeze", 1, func(c *txv1.Action_AccountFreeze) *accountv1.Freeze { return c.AccountFreeze }, m.freeze),
		exec.Handle("account.unfreeze", 1, func(c *txv1.Action_AccountUnfreeze) *accountv1.Unfreeze { return c.AccountUnfreeze }, m.unfreeze),
		exec.WhileFrozen(exec.Handle("account.appeal", 1, func(c *txv1.Action_AccountAppeal) *accountv1.Appeal { return c.AccountAppeal }, m.appeal)),
		exec.Handle("account.answer", 1, func(c *txv1.Action_AccountAnswer) *accountv1.AnswerAppeal { return c.AccountAnswer }, m.answer),
		exec.Handle("account.set_recovery", 1, func(c *txv1.Action_AccountSetRecovery) *accountv1.SetRecovery { return c.AccountSetRecovery }, m.setRecovery),
		exec.Handle("account.recover", 1, func(c *txv1.Action_AccountRecover) *accountv1.Recover { return c.AccountRecover }, m.recover),
		exec.Handle("account.agree_recovery", 1, func(c *txv1.Action_AccountAgreeRecovery) *accountv1.AgreeRecovery { return c.AccountAgreeRecovery }, m.agreeRecovery),
		exec.Handle("account.object_recovery", 1, func(c *txv1.Action_AccountObjectRecovery) *accountv1.ObjectRecovery { return c.AccountObjectRecovery }, m.objectRecovery),
		exec.Handle("account.finish_recovery", 1, func(c *txv1.Action_AccountFinishRecovery) *accountv1.FinishRecovery { return c.AccountFinishRecovery }, m.finishRecovery),
		exec.Handle("account.set_sponsor", 1, func(c *txv1.Action_AccountSetSponsor) *accountv1.SetSponsor { return c.AccountSetSponsor }, m.setSponsor),
		exec.Handle("account.set_rule", 1, func(c *txv1.Action_AccountSetRule) *accountv1.SetRule { return c.AccountSetRule }, m.setRule),
		exec.Handle("account.propose", 1, func(c *txv1.Action_AccountPropose) *accountv1.Propose { return c.AccountPropose }, m.propose),
		exec.Handle("account.approve", 1, func(c *txv1.Action_AccountApprove) *accountv1.Approve { return c.AccountApprove }, m.approve),
		exec.Handle("account.withdraw", 1, func(c *txv1.Action_AccountWithdraw) *accountv1.Withdraw { return c.AccountWithdraw }, m.withdraw),
		exec.Handle("account.execute", 1, func(c *txv1.Action_AccountExecute) *accountv1.Execute { return c.AccountExecute }, m.execute),
		exec.Handle("account.lock", 1, func(c *txv1.Action_AccountLock) *accountv1.Lock { return c.AccountLock }, m.lock),
		exec.Handle("account.unlock", 1, func(c *txv1.Action_AccountUnlock) *accountv1.Unlock { return c.AccountUnlock }, m.unlock),
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

// find returns the account that an action is about.
func find(g state.Getter, b []byte) (tx.Address, *accountv1.Account, error) {
	address, err := toAddress("account", b)
	if err != nil {
		return address, nil, err
	}
	a, ok := accounts.Get(g, address)
	if !ok {
		return address, nil, unknown(address)
	}
	return address, a, nil
}

func unknown(a tx.Address) error {
	return fault.New("account.unknown", "There is no account "+a.String()+". Ask a member to open it.", "account", a)
}
