package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// open opens the account of a key under the member that acts.
func (m *Module) open(c *exec.Context, call *accountv1.Open) error {
	if !m.members.IsMember(c.View, c.Actor) {
		return notMember(c.Actor, "open accounts")
	}
	key := tx.Key{Kind: call.GetKind(), Public: call.GetPublicKey()}
	if err := tx.CheckKey(key); err != nil {
		return err
	}
	address := key.Address()
	if accounts.Has(c.View, address) {
		return fault.New("account.exists", "The account "+address.String()+" is open already.", "account", address)
	}
	return m.create(c, address, c.Actor, key.Kind)
}

// Open makes sure that the account of a coming member exists, sponsored by itself if it has to be opened: for
// modules/network. The kind of its key stays unspecified until the key is rotated, as a member is named by address.
// An account that may be taken from its key is none to be a member's. Codes account.frozen, account.recovery_waits, account.key_in_use.
func (m *Module) Open(c *exec.Context, address tx.Address) error {
	a, ok := accounts.Get(c.View, address)
	if !ok {
		return m.create(c, address, address, accountv1.KeyKind_KEY_KIND_UNSPECIFIED)
	}
	if Frozen(a, c.Time) {
		return fault.New("account.frozen", "The account "+address.String()+" is frozen; a member's account cannot be. Its sponsor must unfreeze it first.",
			"account", address, "sponsor", tx.Address(a.GetSponsor()))
	}
	r := recoveryOf(c.View, address, c.Time)
	if r.GetRequest() != nil {
		return recoveryWaits(address, r.GetRequest())
	}
	if recoveries.Has(c.View, address) { // one that lapsed goes
		m.store(c, address, r)
	}
	if a.GetFrozenUntilAt() != 0 { // a freeze that is over goes
		a.FrozenUntilAt = 0
		accounts.Set(c.View, address, a)
	}
	return nil
}

func (m *Module) create(c *exec.Context, address, sponsor tx.Address, kind accountv1.KeyKind) error {
	if owner, ok := ownerOf(c.View, address); ok { // the account itself is not there, so it is another's
		return keyInUse(address, owner)
	}
	accounts.Set(c.View, address, &accountv1.Account{
		Sponsor: sponsor[:], Key: address[:], Kind: kind, OpenedAt: c.Time,
	})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountOpened{
		AccountOpened: &accountv1.Opened{Account: address[:], Sponsor: sponsor[:]},
	}})
	return nil
}

func keyInUse(key, owner tx.Address) error {
	return fault.New("account.key_in_use", "The key "+key.String()+" belongs to account "+owner.String()+
		"; a key acts for one account alone. Use another key.", "key", key, "account", owner)
}

func notMember(a tx.Address, what string) error {
	return fault.New("account.not_member", a.String()+" is not a member of the network; only members "+what+".", "account", a)
}
