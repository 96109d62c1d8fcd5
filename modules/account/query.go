package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Get returns an account and whether it exists.
func Get(g state.Getter, a tx.Address) (*accountv1.Account, bool) { return accounts.Get(g, a) }

// Exists says whether an account is open, frozen or not.
func Exists(g state.Getter, a tx.Address) bool { return accounts.Has(g, a) }

// Exists says whether an account is open, frozen or not.
func (m *Module) Exists(g state.Getter, a tx.Address) bool { return Exists(g, a) }

// KeyOf returns the address of the key that may act for an account at a time, in unix milliseconds; none may if the account is frozen
// or there is none.
func (m *Module) KeyOf(g state.Getter, a tx.Address, now int64) (tx.Address, bool) {
	account, ok := accounts.Get(g, a)
	if !ok || Frozen(account, now) {
		return tx.Address{}, false
	}
	return tx.Address(account.GetKey()), true
}

// SponsorOf returns the account that answers for one that is open; of one that is not, the zero address.
func (m *Module) SponsorOf(g state.Getter, a tx.Address) (sponsor tx.Address) {
	account, _ := accounts.Get(g, a)
	copy(sponsor[:], account.GetSponsor())
	return sponsor
}

// Ascend calls fn for each account in order of address until fn returns false.
func Ascend(r state.Reader, fn func(tx.Address, *accountv1.Account) bool) {
	accounts.Ascend(r, nil, fn)
}

// FreezesOf lists the last freezes and renewals of an account, at most MaxFreezes, the newest last.
func FreezesOf(g state.Getter, a tx.Address) []*accountv1.FreezeState { return freezesOf(g, a) }

// RecoveryOf is an account's recovery at a time in unix milliseconds: the rules in force, those that wait, and what has been begun.
func RecoveryOf(g state.Getter, a tx.Address, now int64) *accountv1.Recovery {
	return recoveryOf(g, a, now)
}

// OfKey returns the account that a key, given by its address, acts for now, and whether there is one.
func OfKey(g state.Getter, key tx.Address) (tx.Address, bool) {
	owner, ok := ownerOf(g, key)
	if !ok {
		return owner, false
	}
	a, ok := accounts.Get(g, owner)
	return owner, ok && tx.Address(a.GetKey()) == key
}

// Key is the raw state key of an account, for state proofs.
func Key(a tx.Address) []byte { return accounts.Key(a) }

// Key is the raw state key of an account.
func (m *Module) Key(a tx.Address) []byte { return Key(a) }
