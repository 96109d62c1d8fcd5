package account

import (
	"bytes"
	"fmt"
	"slices"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// DefaultRecovery are the rules of an account that has set none: its sponsor alone, after 72 hours.
func DefaultRecovery() *accountv1.RecoveryRules {
	return &accountv1.RecoveryRules{WaitMs: DefaultWait, Sponsor: true}
}

// setRecovery changes who may recover the actor's account. Who has stolen the key could otherwise strip the account of its guardians
// before they can act, so the change waits as long as a recovery would, unless those who may recover the account now agree to it.
func (m *Module) setRecovery(c *exec.Context, call *accountv1.SetRecovery) error {
	a, ok := accounts.Get(c.View, c.Actor)
	if !ok {
		return unknown(c.Actor)
	}
	if m.members.IsMember(c.View, c.Actor) {
		return ofMember(c.Actor)
	}
	rules := call.GetRules()
	if err := checkRecoveryRules(c, rules); err != nil {
		return err
	}
	r := recoveryOf(c.View, c.Actor, c.Time)
	if r.GetRequest() != nil {
		return recoveryWaits(c.Actor, r.GetRequest())
	}
	at := c.Time
	if m.entitled(c, a, r.GetRules()) {
		r.Rules, r.Next, r.NextAt = rules, nil, 0
	} else {
		at += r.GetRules().GetWaitMs()
		r.Next, r.NextAt = rules, at
	}
	m.store(c, c.Actor, r)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountRecoverySet{
		AccountRecoverySet: &accountv1.RecoverySet{Account: c.Actor[:], Rules: rules, EffectiveAt: at},
	}})
	return nil
}

// checkRecoveryRules checks rules that the actor sets.
func checkRecoveryRules(c *exec.Context, rules *accountv1.RecoveryRules) error {
	if wait := rules.GetWaitMs(); wait < LeastWait || wait > MostWait {
		return fault.New("account.bad_wait", "The waiting time of a recovery is one hour to 30 days.", "wait_ms", wait, "least", LeastWait, "most", MostWait)
	}
	guardians := rules.GetGuardians()
	if len(guardians) > MaxGuardians {
		return fault.New("account.bad_guardians", fmt.Sprintf("An account has at most %d guardians, not %d.", MaxGuardians, len(guardians)), "guardians", len(guardians))
	}
	for i, b := range guardians {
		guardian, err := toAddress("guardian", b)
		switch {
		case err != nil:
			return err
		case guardian == c.Actor:
			return fault.New("account.bad_guardians", "An account cannot guard itself: its key is what would be lost.", "account", guardian)
		case containsBytes(guardians[:i], b):
			return fault.New("account.bad_guardians", guardian.String()+" is named twice.", "guardian", guardian)
		case !accounts.Has(c.View, guardian):
			return unknown(guardian)
		}
	}
	if t := int(rules.GetThreshold()); t > len(guardians) || t < min(1, len(guardians)) {
		return fault.New("account.bad_guardians", fmt.Sprintf("Of %d guardians, %d cannot be how many must agree.", len(guardians), rules.GetThreshold()),
			"guardians", len(guardians), "threshold", rules.GetThreshold())
	}
	return nil
}

// entitled says whether those who signed the transaction may begin a recovery of an account by themselves.
func (m *Module) entitled(c *exec.Context, a *accountv1.Account, rules *accountv1.RecoveryRules) bool {
	sponsor := tx.Address(a.GetSponsor())
	return rules.GetSponsor() && m.members.IsMember(c.View, sponsor) && m.Agrees(c, sponsor) ||
		rules.GetThreshold() > 0 && len(m.agreeing(c, rules, nil)) >= int(rules.GetThreshold())
}

// agreeing adds to the guardians who have agreed those who signed the transaction.
func (m *Module) agreeing(c *exec.Context, rules *accountv1.RecoveryRules, agreed [][]byte) [][]byte {
	for _, guardian := range rules.GetGuardians() {
		if !containsBytes(agreed, guardian) && m.Agrees(c, tx.Address(guardian)) {
			agreed = append(agreed, guardian)
		}
	}
	return agreed
}

// recoveryOf is what is kept of an account's recovery as it is at a time: a recovery that lapsed is gone, and rules whose time has
// come are in force. What may have to be decided by the rules before holds them back: a recovery that waits, and a freeze.
func recoveryOf(g state.Getter, address tx.Address, now int64) *accountv1.Recovery {
	r, _ := recoveries.Get(g, address)
	if r == nil {
		r = &accountv1.Recovery{}
	}
	if r.GetRules() == nil {
		r.Rules = DefaultRecovery()
	}
	if now >= r.GetRequest().GetLapsesAt() {
		r.Request = nil
	}
	a, _ := accounts.Get(g, address)
	if r.GetNext() != nil && now >= r.GetNextAt() && r.GetRequest() == nil && !Frozen(a, now) {
		r.Rules, r.Next, r.NextAt = r.GetNext(), nil, 0
	}
	return r
}

// store keeps what recoveryOf returned and its caller changed, and with it the claim to the new key.
func (m *Module) store(c *exec.Context, address tx.Address, r *accountv1.Recovery) {
	before, _ := recoveries.Get(c.View, address)
	if key := before.GetRequest().GetKey(); key != nil && !bytes.Equal(key, r.GetRequest().GetKey()) {
		claimed.Delete(c.View, tx.Address(key))
	}
	if key := r.GetRequest().GetKey(); key != nil {
		claimed.Set(c.View, tx.Address(key), address)
	}
	recoveries.Set(c.View, address, r)
}

func containsBytes(list [][]byte, b []byte) bool {
	return slices.ContainsFunc(list, func(x []byte) bool { return bytes.Equal(x, b) })
}
