package network

import (
	"errors"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// AppVersion is the newest app version that this binary knows.
const AppVersion = 1

// Limits, in counts and bytes.
const (
	MaxMembers         = 100
	MaxName            = 64
	MaxPower           = 1_000_000
	MaxOpen            = 64
	MaxOpenPerProposer = 8
)

// nothing is the key of what there is one of.
type nothing struct{}

var (
	addresses = state.Codec[tx.Address]{
		Append: func(b []byte, a tx.Address) []byte { return append(b, a[:]...) },
		Decode: tx.ToAddress,
	}
	one = state.Codec[nothing]{
		Append: func(b []byte, _ nothing) []byte { return b },
		Decode: func(b []byte) (nothing, error) {
			if len(b) != 0 {
				return nothing{}, errors.New("want nothing")
			}
			return nothing{}, nil
		},
	}
	members    = state.NewMap("Nm", addresses, state.Proto[networkv1.Member]())
	parameters = state.NewMap("Np", one, state.Proto[networkv1.Parameters]())
	newest     = state.NewMap("Ni", one, state.Uint64)
	open       = state.NewMap("No", state.Uint64, state.Proto[networkv1.Proposal]())
	closed     = state.NewMap("Nc", state.Uint64, state.Proto[networkv1.Proposal]())
)

// Accounts gives members their accounts.
type Accounts interface {
	// Exists says whether an account is open, frozen or not.
	Exists(g state.Getter, a tx.Address) bool
	// Open makes sure that the account exists and can be a member's: it opens it, sponsored by itself, if there is
	// none, and refuses if it is frozen or its key acts for another account.
	Open(c *exec.Context, a tx.Address) error
}

// Decisions enacts what members decide by vote that is not about the network itself.
type Decisions interface {
	// Decide checks a decision about identity and enacts it, or says why it cannot be; the caller then undoes what it did.
	Decide(c *exec.Context, d *identityv1.Decision) error
}

// Module is the network module.
type Module struct {
	accounts   Accounts
	decisions  Decisions
	appVersion uint64
}

var (
	_ exec.Module  = (*Module)(nil)
	_ exec.Network = (*Module)(nil)

	_ exec.Screener = (*Module)(nil)
)

// New makes the module. appVersion is the newest that the binary knows, normally AppVersion.
func New(accounts Accounts, decisions Decisions, appVersion uint64) *Module {
	return &Module{accounts, decisions, appVersion}
}

// Name is the module's name.
func (m *Module) Name() string { return "network" }

// Handlers lists the module's actions.
func (m *Module) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("network.propose", 1, func(c *txv1.Action_NetworkPropose) *networkv1.Propose { return c.NetworkPropose }, m.propose),
		exec.Handle("network.vote", 1, func(c *txv1.Action_NetworkVote) *networkv1.Vote { return c.NetworkVote }, m.vote),
	}
}

// CountVoids adds to the number of void transactions a member has sealed. It stops at the largest number.
func (m *Module) CountVoids(v *state.View, sealer tx.Address, n uint64) {
	member, ok := members.Get(v, sealer)
	if !ok || n == 0 {
		return
	}
	if member.Voids+n < member.Voids {
		n = ^uint64(0) - member.Voids
	}
	member.Voids += n
	members.Set(v, sealer, member)
}

func mustBeMember(g state.Getter, a tx.Address) error {
	if !members.Has(g, a) {
		return fault.New("network.not_member", a.String()+" is not a member of the network; only members propose and vote.", "account", a)
	}
	return nil
}
