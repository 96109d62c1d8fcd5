package account

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Check verifies the invariants of the package comment.
func (m *Module) Check(r state.Reader) (err error) {
	own := 0
	accounts.Ascend(r, nil, func(address tx.Address, a *accountv1.Account) bool {
		if err = m.checkAccount(r, address, a); err != nil {
			err = fmt.Errorf("account %s: %w", address, err)
			return false
		}
		if !a.GetRuled() && tx.Address(a.GetKey()) != address {
			own++
		}
		return true
	})
	if err != nil {
		return err
	}
	rotated.Ascend(r, nil, func(key, owner tx.Address) bool {
		own--
		if a, ok := accounts.Get(r, owner); !ok || a.GetRuled() || tx.Address(a.GetKey()) != key {
			err = fmt.Errorf("account: rotated key %s is listed under %s but does not act for it", key, owner)
		}
		return err == nil
	})
	if err == nil && own != 0 {
		err = fmt.Errorf("account: %d more accounts with rotated keys than rotated keys", own)
	}
	if err != nil {
		return err
	}
	return checkRules(r)
}

func (m *Module) checkAccount(r state.Reader, address tx.Address, a *accountv1.Account) error {
	sponsor, err := tx.ToAddress(a.GetSponsor())
	if err != nil {
		return fmt.Errorf("sponsor: %w", err)
	}
	switch {
	case !accounts.Has(r, sponsor):
		return fmt.Errorf("sponsor %s is no account", sponsor)
	case a.GetFrozen() && m.members.IsMember(r, address):
		return fmt.Errorf("a member's account is frozen")
	case !a.GetFrozen() && a.GetFreezeReason() != "":
		return fmt.Errorf("not frozen, but with a reason")
	case a.GetLockedAt() == 0 && a.GetLockReason() != "":
		return fmt.Errorf("not locked, but with a reason")
	case a.GetRuled() != rules.Has(r, address):
		return fmt.Errorf("it says %t of having a rule", a.GetRuled())
	case a.GetRuled() && len(a.GetKey()) != 0:
		return fmt.Errorf("it has a rule and a key")
	case a.GetRuled() && m.devices.IsDevice(r, address):
		return fmt.Errorf("a device has a rule")
	case a.GetRuled():
		return nil
	case a.GetLockedAt() != 0:
		return fmt.Errorf("locked without a rule")
	}
	return checkKey(r, address, a)
}

func checkKey(r state.Reader, address tx.Address, a *accountv1.Account) error {
	key, err := tx.ToAddress(a.GetKey())
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	owner, indexed := rotated.Get(r, key)
	switch {
	case key != address && (!indexed || owner != address):
		return fmt.Errorf("rotated key %s is not listed under it", key)
	case key == address && indexed:
		return fmt.Errorf("its key acts for %s too", owner)
	case key != address && accounts.Has(r, key):
		return fmt.Errorf("its key %s is the address of another account", key)
	}
	return nil
}
