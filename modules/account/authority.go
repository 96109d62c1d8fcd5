package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// setAuthority lets another key, given by kind and address, act for an account: it stores both, forgets the claim to the key
// before, and tells who keeps what is said of keys. That the key is nobody else's is the caller's to see to: see usable.
func (m *Module) setAuthority(c *exec.Context, address tx.Address, a *accountv1.Account, kind accountv1.KeyKind, key tx.Address) {
	from := tx.Address(a.GetKey())
	a.Key, a.Kind = key[:], kind
	accounts.Set(c.View, address, a)
	if from != address {
		rotated.Delete(c.View, from)
	}
	if key != address {
		rotated.Set(c.View, key, address)
	}
	m.devices.KeyChanged(c.View, address, key)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountKeyRotated{
		AccountKeyRotated: &accountv1.KeyRotated{Account: address[:], Key: key[:]},
	}})
}

// usable refuses a key that acts for the account already, that belongs to another, or that has not signed.
func usable(c *exec.Context, address tx.Address, a *accountv1.Account, key tx.Address) error {
	switch owner, taken := ownerOf(c.View, key); {
	case key == tx.Address(a.GetKey()):
		return sameKey(address, key)
	case taken && owner != address:
		return keyInUse(key, owner)
	case !c.Witnessed(key):
		return keyNotWitnessed(address, key)
	}
	return nil
}

// ownerOf is the account a key belongs to: the one it acts for or will by a recovery, or the one whose address it made. An
// account keeps a claim to its first key even after rotating away, so that no other account can act with it.
func ownerOf(g state.Getter, key tx.Address) (tx.Address, bool) {
	if owner, ok := rotated.Get(g, key); ok {
		return owner, true
	}
	if owner, ok := claimed.Get(g, key); ok {
		return owner, true
	}
	return key, accounts.Has(g, key)
}
