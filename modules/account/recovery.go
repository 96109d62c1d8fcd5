package account

import (
	"bytes"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// recover begins a recovery. One to which enough have agreed takes the place of one that still gathers, so that a single guardian
// cannot keep the others from recovering the account, and the guardians' that of one which rests on the sponsor alone.
func (m *Module) recover(c *exec.Context, call *accountv1.Recover) error {
	address, a, err := find(c.View, call.GetAccount())
	if err != nil {
		return err
	}
	if m.members.IsMember(c.View, address) {
		return ofMember(address)
	}
	key := tx.Key{Kind: call.GetKind(), Public: call.GetPublicKey()}
	if err := tx.CheckKey(key); err != nil {
		return err
	}
	r := recoveryOf(c.View, address, c.Time)
	rules := r.GetRules()
	bySponsor := rules.GetSponsor() && tx.Address(a.GetSponsor()) == c.Actor && m.members.IsMember(c.View, c.Actor)
	if !bySponsor && !containsBytes(rules.GetGuardians(), c.Actor[:]) {
		return notGuardian(address, c.Actor)
	}
	agreed := m.agreeing(c, rules, nil)
	enough := rules.GetThreshold() > 0 && len(agreed) >= int(rules.GetThreshold())
	if q := r.GetRequest(); q != nil && !(q.GetReadyAt() == 0 && (enough || bySponsor) || q.GetBySponsor() && enough) {
		return recoveryWaits(address, q)
	}
	if err := objectedTooOften(address, a, r, c.Time); err != nil {
		return err
	}
	to := key.Address()
	if err := usable(c, address, a, to); err != nil {
		return err
	}
	r.Request = &accountv1.RecoveryRequest{
		Key: to[:], Kind: key.Kind, BegunBy: c.Actor[:], BySponsor: bySponsor && !enough, Agreed: agreed, BegunAt: c.Time, LapsesAt: c.Time + GatherWithin,
	}
	if enough || bySponsor {
		ready(r.Request, c.Time+rules.GetWaitMs())
	}
	m.store(c, address, r)
	emitBegun(c, address, r)
	return nil
}

// objectedTooOften bounds how often an account must object. Whose account is frozen cannot object, so the bound is not for it.
func objectedTooOften(address tx.Address, a *accountv1.Account, r *accountv1.Recovery, now int64) error {
	objected := r.GetObjectedAt()
	if len(objected) < MaxObjections || Frozen(a, now) {
		return nil
	}
	again := objected[len(objected)-MaxObjections] + ObjectionWindow
	if now >= again {
		return nil
	}
	return fault.New("account.too_many_objections", fmt.Sprintf("The account %s has objected to %d recoveries within %d days. No other can be begun for %s.",
		address, MaxObjections, ObjectionWindow/day, span(again-now)), "account", address, "again_at", again)
}

// agreeRecovery adds a guardian to those who have agreed. When that makes enough the waiting time begins.
func (m *Module) agreeRecovery(c *exec.Context, call *accountv1.AgreeRecovery) error {
	address, _, r, err := m.waiting(c, call.GetAccount(), call.GetKey())
	if err != nil {
		return err
	}
	q, rules := r.GetRequest(), r.GetRules()
	switch {
	case !containsBytes(rules.GetGuardians(), c.Actor[:]):
		return notGuardian(address, c.Actor)
	case containsBytes(q.GetAgreed(), c.Actor[:]):
		return fault.New("account.has_agreed", c.Actor.String()+" has agreed to this recovery already.", "account", address, "guardian", c.Actor)
	}
	q.Agreed = append(q.Agreed, c.Actor[:])
	if len(q.GetAgreed()) >= int(rules.GetThreshold()) {
		q.BySponsor = false
		if q.GetReadyAt() == 0 {
			ready(q, c.Time+rules.GetWaitMs())
		}
	}
	m.store(c, address, r)
	emitBegun(c, address, r)
	return nil
}

// objectRecovery ends a recovery. The account's present key shows by it that it is not lost, which counts as an objection; who
// began the recovery takes it back.
func (m *Module) objectRecovery(c *exec.Context, call *accountv1.ObjectRecovery) error {
	address, _, r, err := m.waiting(c, call.GetAccount(), call.GetKey())
	if err != nil {
		return err
	}
	q := r.GetRequest()
	switch {
	case c.Actor == address:
		r.ObjectedAt = append(r.ObjectedAt, c.Time)
		r.ObjectedAt = r.ObjectedAt[max(0, len(r.ObjectedAt)-MaxObjections):]
	case !bytes.Equal(c.Actor[:], q.GetBegunBy()):
		return fault.New("account.may_not_object", "Only "+address.String()+" itself may object to its recovery, and "+tx.Address(q.GetBegunBy()).String()+" take it back.",
			"account", address, "actor", c.Actor)
	}
	r.Request = nil
	m.store(c, address, r)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountRecoveryEnded{
		AccountRecoveryEnded: &accountv1.RecoveryEnded{Account: address[:], Key: q.GetKey(), Actor: c.Actor[:]},
	}})
	return nil
}

// finishRecovery lets the new key act. Everything that was to happen by the word of the old key alone is forgotten.
func (m *Module) finishRecovery(c *exec.Context, call *accountv1.FinishRecovery) error {
	address, a, r, err := m.waiting(c, call.GetAccount(), call.GetKey())
	if err != nil {
		return err
	}
	q := r.GetRequest()
	switch at := q.GetReadyAt(); {
	case at == 0:
		return fault.New("account.too_few_agreed", fmt.Sprintf("%d of %d guardians have agreed; %d must.", len(q.GetAgreed()), len(r.GetRules().GetGuardians()), r.GetRules().GetThreshold()),
			"account", address, "agreed", len(q.GetAgreed()), "threshold", r.GetRules().GetThreshold())
	case c.Time < at:
		return fault.New("account.too_early", "The account "+address.String()+" may object for another "+span(at-c.Time)+". Finish the recovery then.",
			"account", address, "ready_at", at, "time", c.Time)
	}
	if q.GetBySponsor() {
		if err := m.sponsorMayFinish(c, address, q); err != nil {
			return err
		}
	}
	m.store(c, address, &accountv1.Recovery{Rules: r.GetRules()})
	if to := tx.Address(q.GetKey()); a.GetRuled() || to != tx.Address(a.GetKey()) { // else the account itself has moved to it meanwhile
		m.setAuthority(c, address, a, authority{key: to, kind: q.GetKind()})
	}
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountRecovered{AccountRecovered: &accountv1.Recovered{
		Account: address[:], Key: q.GetKey(), BegunBy: q.GetBegunBy(), BySponsor: q.GetBySponsor(), Agreed: q.GetAgreed(),
	}}})
	return nil
}

// sponsorMayFinish refuses what rests on the sponsor alone while the sponsor is not one any more, and while the owner, whom the
// same sponsor may have frozen so that he cannot object, has appealed and has no answer.
func (m *Module) sponsorMayFinish(c *exec.Context, address tx.Address, q *accountv1.RecoveryRequest) error {
	if by := tx.Address(q.GetBegunBy()); !m.members.IsMember(c.View, by) {
		return notMember(by, "recover accounts")
	}
	if appealOpen(freezesOf(c.View, address)) != nil {
		return fault.New("account.appeal_open", "The account "+address.String()+" has appealed against its freeze. Its sponsor cannot recover it before the appeal is answered.",
			"account", address)
	}
	return nil
}

// waitAnew begins the waiting time of a recovery that rests on the sponsor alone again, whenever the sponsor freezes or unfreezes the
// account or answers its appeal: the owner has a whole waiting time to object or, when frozen, to appeal.
func (m *Module) waitAnew(c *exec.Context, address tx.Address) {
	r := recoveryOf(c.View, address, c.Time)
	if q := r.GetRequest(); q.GetBySponsor() {
		ready(q, max(q.GetReadyAt(), c.Time+r.GetRules().GetWaitMs()))
		m.store(c, address, r)
	}
}

// waiting returns an account and its recovery to a key, by the key's address.
func (m *Module) waiting(c *exec.Context, account, key []byte) (tx.Address, *accountv1.Account, *accountv1.Recovery, error) {
	address, a, err := find(c.View, account)
	if err != nil {
		return address, nil, nil, err
	}
	to, err := toAddress("key", key)
	if err != nil {
		return address, nil, nil, err
	}
	r := recoveryOf(c.View, address, c.Time)
	if r.GetRequest() == nil || !bytes.Equal(r.GetRequest().GetKey(), to[:]) {
		return address, nil, nil, fault.New("account.no_recovery", "No recovery of "+address.String()+" to the key "+to.String()+" waits.", "account", address, "key", to)
	}
	return address, a, r, nil
}

// ready says from when on a recovery can be finished.
func ready(q *accountv1.RecoveryRequest, at int64) {
	q.ReadyAt, q.LapsesAt = at, at+FinishWithin
}

func emitBegun(c *exec.Context, address tx.Address, r *accountv1.Recovery) {
	q := r.GetRequest()
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountRecoveryBegun{AccountRecoveryBegun: &accountv1.RecoveryBegun{
		Account: address[:], Key: q.GetKey(), Actor: c.Actor[:], BySponsor: q.GetBySponsor(), Agreed: uint32(len(q.GetAgreed())),
		Threshold: r.GetRules().GetThreshold(), ReadyAt: q.GetReadyAt(),
	}}})
}

func recoveryWaits(address tx.Address, q *accountv1.RecoveryRequest) error {
	key := tx.Address(q.GetKey())
	return fault.New("account.recovery_waits", "A recovery of "+address.String()+" to the key "+key.String()+" waits. It has to end first: finish it, or object to it.",
		"account", address, "key", key, "begun_by", tx.Address(q.GetBegunBy()))
}

func notGuardian(address, actor tx.Address) error {
	return fault.New("account.not_guardian", actor.String()+" may not recover "+address.String()+": it is not one of its guardians, nor a sponsor whom the account lets do it.",
		"account", address, "actor", actor)
}
