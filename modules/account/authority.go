package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// authority is what acts for an account: a key, or if there is one a rule.
type authority struct {
	key  tx.Address
	kind accountv1.KeyKind
	rule *accountv1.Rule
}

// setAuthority replaces what acts for an account and stores the account, with whatever else was changed in it. All that hangs on the old
// authority goes with it: without a rule there are no proposals, no record of what was spent under limits, and no lock. Proposals keep the
// approvals of keys that stay. Who keeps what is said of keys is told of another key. Whoever changes what acts for an account does it here; that a key
// is nobody else's is the caller's to see to: see usable.
func (m *Module) setAuthority(c *exec.Context, address tx.Address, a *accountv1.Account, to authority) {
	if !a.GetRuled() {
		if old := tx.Address(a.GetKey()); old != address {
			rotated.Delete(c.View, old)
		}
	}
	if to.rule != nil {
		a.Key, a.Kind, a.Ruled = nil, accountv1.KeyKind_KEY_KIND_UNSPECIFIED, true
		rules.Set(c.View, address, to.rule)
	} else {
		if a.GetRuled() {
			rules.Delete(c.View, address)
		}
		a.Key, a.Kind, a.Ruled, a.LockedAt, a.LockReason = to.key[:], to.kind, false, 0, ""
		if to.key != address {
			rotated.Set(c.View, to.key, address)
		}
	}
	accounts.Set(c.View, address, a)
	forgetUsage(c.View, address, to.rule)
	reviseProposals(c, address, to.rule)
	if to.rule != nil {
		return
	}
	m.devices.KeyChanged(c.View, address, to.key)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountKeyRotated{
		AccountKeyRotated: &accountv1.KeyRotated{Account: address[:], Key: to.key[:]},
	}})
}

// usable refuses a key that acts for the account already, that belongs to another, or that has not signed.
func usable(c *exec.Context, address tx.Address, a *accountv1.Account, key tx.Address) error {
	switch owner, taken := ownerOf(c.View, key); {
	case !a.GetRuled() && key == tx.Address(a.GetKey()):
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
