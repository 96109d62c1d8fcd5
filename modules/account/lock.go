package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// lock stops the actor in an emergency, on the word of one of its keys.
func (m *Module) lock(c *exec.Context, call *accountv1.Lock) error {
	if err := text.Check("account.bad_text", "reason", call.GetReason(), 0, MaxReason); err != nil {
		return err
	}
	a, _, err := ruled(c)
	if err != nil {
		return err
	}
	if a.GetLockedAt() != 0 {
		return fault.New("account.already_locked", "The account "+c.Actor.String()+" is locked already.", "account", c.Actor)
	}
	a.LockedAt, a.LockReason = c.Time, call.GetReason()
	accounts.Set(c.View, c.Actor, a)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountLocked{AccountLocked: &accountv1.Locked{Account: c.Actor[:], Reason: call.GetReason()}}})
	return nil
}

// unlock lets the actor act again.
func (m *Module) unlock(c *exec.Context, _ *accountv1.Unlock) error {
	a, _, err := ruled(c)
	if err != nil {
		return err
	}
	if a.GetLockedAt() == 0 {
		return fault.New("account.not_locked", "The account "+c.Actor.String()+" is not locked.", "account", c.Actor)
	}
	a.LockedAt, a.LockReason = 0, ""
	accounts.Set(c.View, c.Actor, a)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountUnlocked{AccountUnlocked: &accountv1.Unlocked{Account: c.Actor[:]}}})
	return nil
}

func locked(actor tx.Address, a *accountv1.Account) error {
	return fault.New("account.locked", "The account "+actor.String()+" has locked itself"+reasonGiven(a.GetLockReason())+
		". It can only manage its keys and be unlocked, by as much weight as managing takes.", "account", actor, "reason", a.GetLockReason())
}

// ruled returns the actor and its rule, or refuses an actor that has none.
func ruled(c *exec.Context) (*accountv1.Account, *accountv1.Rule, error) {
	a, ok := accounts.Get(c.View, c.Actor)
	if !ok {
		return nil, nil, unknown(c.Actor)
	}
	rule, ok := rules.Get(c.View, c.Actor)
	if !ok {
		return nil, nil, fault.New("account.no_rule", "The account "+c.Actor.String()+" acts by one key. Give it a rule over keys first.", "account", c.Actor)
	}
	return a, rule, nil
}

func reasonGiven(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}
