package account

import (
	"fmt"
	"strings"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// freeze stops an account from acting, or renews a freeze.
func (m *Module) freeze(c *exec.Context, call *accountv1.Freeze) error {
	address, a, err := m.sponsored(c, call.GetAccount(), "freeze")
	if err != nil {
		return err
	}
	if m.members.IsMember(c.View, address) {
		return ofMember(address)
	}
	if err := checkFreeze(call, c.Time); err != nil {
		return err
	}
	list := freezesOf(c.View, address)
	switch now := Frozen(a, c.Time); {
	case now && !call.GetRenew():
		return fault.New("account.already_frozen", "The account "+address.String()+" is frozen already. Renew the freeze if it has to last longer.", "account", address)
	case !now && call.GetRenew():
		return notFrozen(address)
	case appealOpen(list) != nil:
		return fault.New("account.appeal_open", "The account "+address.String()+" has appealed and has no answer yet. Answer the appeal first; one transaction may do both.",
			"account", address)
	}
	if call.GetRenew() {
		list[len(list)-1].EndedAt = c.Time
	}
	list = append(list, &accountv1.FreezeState{
		By: c.Actor[:], Basis: call.GetBasis(), Reason: call.GetReason(), Digest: call.GetDigest(), OrderedAt: c.Time, EndsAt: call.GetEndsAt(), Renewal: call.GetRenew(),
	})
	a.FrozenUntilAt = call.GetEndsAt()
	accounts.Set(c.View, address, a)
	frozen.Set(c.View, address, &accountv1.Freezes{List: list[max(0, len(list)-MaxFreezes):]})
	m.waitAnew(c, address)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountFrozen{AccountFrozen: &accountv1.Frozen{
		Account: address[:], Reason: call.GetReason(), Basis: call.GetBasis(), Digest: call.GetDigest(), EndsAt: call.GetEndsAt(), Actor: c.Actor[:], Renewal: call.GetRenew(),
	}}})
	return nil
}

// checkFreeze checks what a freeze says at a time.
func checkFreeze(call *accountv1.Freeze, now int64) error {
	if err := text.Check("account.bad_text", "reason", call.GetReason(), 0, MaxReason); err != nil {
		return err
	}
	if err := checkDigest(call.GetDigest()); err != nil {
		return err
	}
	basis := call.GetBasis()
	switch ends := call.GetEndsAt(); {
	case basis == accountv1.Basis_BASIS_UNSPECIFIED || accountv1.Basis_name[int32(basis)] == "":
		return fault.New("account.bad_basis", "The freeze does not say on what ground. Give one of court_order, supervisory_order, crime_report, owner_request, sponsor_contract.",
			"basis", int32(basis))
	case ordered(basis) && len(call.GetDigest()) == 0:
		return fault.New("account.bad_basis", "A freeze by "+spoken(basis)+" needs the SHA-256 of the order.", "basis", Ground(basis))
	case ends <= now || ends-now > MaxFreeze: // now is positive, so nothing overflows
		return fault.New("account.bad_end", fmt.Sprintf("A freeze has to end, at most %d days from now; renew it if it has to last longer.", MaxFreeze/day), "ends_at", ends, "time", now)
	}
	return nil
}

// ordered says whether a ground is somebody's order, of which there is a paper.
func ordered(b accountv1.Basis) bool {
	return b == accountv1.Basis_BASIS_COURT_ORDER || b == accountv1.Basis_BASIS_SUPERVISORY_ORDER
}

// Ground is the name of a ground for freezing, such as court_order.
func Ground(b accountv1.Basis) string {
	return strings.ToLower(strings.TrimPrefix(accountv1.Basis_name[int32(b)], "BASIS_"))
}

// grounds says on what ground an account is frozen, with the reason that was given.
func grounds(f *accountv1.FreezeState) string {
	if f.GetReason() == "" {
		return spoken(f.GetBasis())
	}
	return spoken(f.GetBasis()) + ": " + f.GetReason()
}

func spoken(b accountv1.Basis) string { return strings.ReplaceAll(Ground(b), "_", " ") }

// unfreeze lets a frozen account act again.
func (m *Module) unfreeze(c *exec.Context, call *accountv1.Unfreeze) error {
	address, a, err := m.sponsored(c, call.GetAccount(), "unfreeze")
	if err != nil {
		return err
	}
	if !Frozen(a, c.Time) {
		return notFrozen(address)
	}
	m.thaw(c, address, a)
	return nil
}

// thaw ends the freeze that is in force.
func (m *Module) thaw(c *exec.Context, address tx.Address, a *accountv1.Account) {
	list := freezesOf(c.View, address)
	list[len(list)-1].EndedAt = c.Time
	frozen.Set(c.View, address, &accountv1.Freezes{List: list})
	a.FrozenUntilAt = 0
	accounts.Set(c.View, address, a)
	m.waitAnew(c, address)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountUnfrozen{
		AccountUnfrozen: &accountv1.Unfrozen{Account: address[:]},
	}})
}

// sponsored returns an account that the actor vouches for. A sponsor that has left the network has no say any more.
func (m *Module) sponsored(c *exec.Context, b []byte, what string) (tx.Address, *accountv1.Account, error) {
	address, a, err := find(c.View, b)
	if err != nil {
		return address, nil, err
	}
	if sponsor := tx.Address(a.GetSponsor()); sponsor != c.Actor {
		return address, nil, fault.New("account.not_sponsor", "Only its sponsor "+sponsor.String()+" may "+what+" "+address.String()+".",
			"account", address, "sponsor", sponsor, "actor", c.Actor)
	}
	if !m.members.IsMember(c.View, c.Actor) {
		return address, nil, notMember(c.Actor, what+" accounts")
	}
	return address, a, nil
}

// freezesOf lists the last freezes of an account, the newest last.
func freezesOf(g state.Getter, address tx.Address) []*accountv1.FreezeState {
	f, _ := frozen.Get(g, address)
	return f.GetList()
}

// newestFreeze is the last freeze of an account, nil if there was none.
func newestFreeze(g state.Getter, address tx.Address) *accountv1.FreezeState {
	list := freezesOf(g, address)
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

func notFrozen(address tx.Address) error {
	return fault.New("account.not_frozen", "The account "+address.String()+" is not frozen.", "account", address)
}

func ofMember(address tx.Address) error {
	return fault.New("account.is_member", "The account "+address.String()+" is a member's own. Nobody but its key acts for it, and it can only be removed by a vote of the members.",
		"account", address)
}

func checkDigest(b []byte) error {
	if len(b) != 0 && len(b) != 32 {
		return fault.New("account.bad_digest", "The digest is not a SHA-256 of 32 bytes.", "bytes", len(b))
	}
	return nil
}
