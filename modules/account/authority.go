package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/exec"
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
// approvals of keys that stay. Whoever changes what acts for an account does it here.
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
		m.devices.KeyChanged(c.View, address, to.key)
	}
	accounts.Set(c.View, address, a)
	forgetUsage(c.View, address, to.rule)
	reviseProposals(c, address, to.rule)
}
