package account

import (
	"bytes"
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
	if err == nil {
		err = checkFreezes(r)
	}
	if err == nil {
		err = m.checkRecoveries(r)
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
	case a.GetFrozenUntilAt() != 0 && m.members.IsMember(r, address):
		return fmt.Errorf("a member's account is frozen")
	case a.GetFrozenUntilAt() != 0 && newestFreeze(r, address) == nil:
		return fmt.Errorf("it is frozen, and nobody has ordered it")
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

func checkFreezes(r state.Reader) (err error) {
	frozen.Ascend(r, nil, func(address tx.Address, f *accountv1.Freezes) bool {
		if err = checkFreezesOf(r, address, f.GetList()); err != nil {
			err = fmt.Errorf("account %s: %w", address, err)
		}
		return err == nil
	})
	return err
}

func checkFreezesOf(r state.Reader, address tx.Address, list []*accountv1.FreezeState) error {
	a, ok := accounts.Get(r, address)
	if !ok || len(list) == 0 || len(list) > MaxFreezes {
		return fmt.Errorf("%d freezes are kept of it", len(list))
	}
	for i, f := range list {
		newest := i == len(list)-1
		appeal := f.GetAppeal()
		switch {
		case f.GetEndedAt() == 0 && f.GetEndsAt() <= f.GetOrderedAt() || f.GetEndedAt() != 0 && (f.GetEndedAt() < f.GetOrderedAt() || f.GetEndedAt() >= f.GetEndsAt()):
			return fmt.Errorf("freeze %d ends before it begins, or was ended after its end", i)
		case !newest && f.GetEndedAt() == 0 && f.GetEndsAt() > list[i+1].GetOrderedAt():
			return fmt.Errorf("freeze %d was going on when the next began", i)
		case !newest && appeal != nil && appeal.GetAnsweredAt() == 0:
			return fmt.Errorf("the appeal against freeze %d has no answer, and it was frozen anew", i)
		case appeal != nil && appeal.GetAnsweredAt() == 0 && (appeal.GetAnswer() != "" || len(appeal.GetAnswerDigest()) != 0):
			return fmt.Errorf("the appeal against freeze %d has an answer that nobody gave", i)
		}
	}
	last := list[len(list)-1]
	if until := a.GetFrozenUntilAt(); until != 0 && (until != last.GetEndsAt() || last.GetEndedAt() != 0) {
		return fmt.Errorf("frozen until %d, its newest freeze is until %d and was ended at %d", until, last.GetEndsAt(), last.GetEndedAt())
	}
	return nil
}

func (m *Module) checkRecoveries(r state.Reader) (err error) {
	requests := 0
	recoveries.Ascend(r, nil, func(address tx.Address, kept *accountv1.Recovery) bool {
		if err = m.checkRecovery(r, address, kept); err != nil {
			err = fmt.Errorf("account %s: %w", address, err)
		}
		if kept.GetRequest() != nil {
			requests++
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	claimed.Ascend(r, nil, func(key, owner tx.Address) bool {
		requests--
		if kept, _ := recoveries.Get(r, owner); !bytes.Equal(kept.GetRequest().GetKey(), key[:]) {
			err = fmt.Errorf("account: the key %s is kept for a recovery of %s that is not", key, owner)
		}
		return err == nil
	})
	if err == nil && requests != 0 {
		err = fmt.Errorf("account: %d more recoveries than keys kept for them", requests)
	}
	return err
}

func (m *Module) checkRecovery(r state.Reader, address tx.Address, kept *accountv1.Recovery) error {
	for _, rules := range []*accountv1.RecoveryRules{kept.GetRules(), kept.GetNext()} {
		n := len(rules.GetGuardians())
		if rules != nil && (n > MaxGuardians || int(rules.GetThreshold()) > n || n > 0 && rules.GetThreshold() == 0 || rules.GetWaitMs() < LeastWait || rules.GetWaitMs() > MostWait) {
			return fmt.Errorf("%d of %d guardians, waiting %d ms", rules.GetThreshold(), n, rules.GetWaitMs())
		}
	}
	q := kept.GetRequest()
	enough := kept.GetRules().GetThreshold() > 0 && len(q.GetAgreed()) >= int(kept.GetRules().GetThreshold())
	switch {
	case !accounts.Has(r, address):
		return fmt.Errorf("its recovery is kept, and there is no such account")
	case kept.GetRules() == nil || len(kept.GetObjectedAt()) > MaxObjections || (kept.GetNext() == nil) != (kept.GetNextAt() == 0):
		return fmt.Errorf("its recovery is kept without rules, or with too many objections, or half of a change")
	case q == nil:
		return nil
	case m.members.IsMember(r, address):
		return fmt.Errorf("a member's account is being recovered")
	case q.GetBySponsor() && (!kept.GetRules().GetSponsor() || enough):
		return fmt.Errorf("its recovery rests on the sponsor, whom it does not let or who is not alone")
	case (q.GetReadyAt() != 0) != (q.GetBySponsor() || enough):
		return fmt.Errorf("its recovery has %d guardians and is ready at %d", len(q.GetAgreed()), q.GetReadyAt())
	case q.GetLapsesAt() <= q.GetReadyAt() || q.GetReadyAt() != 0 && q.GetReadyAt() < q.GetBegunAt()+LeastWait:
		return fmt.Errorf("its recovery, begun at %d, is ready at %d and lapses at %d", q.GetBegunAt(), q.GetReadyAt(), q.GetLapsesAt())
	}
	for i, guardian := range q.GetAgreed() {
		if !containsBytes(kept.GetRules().GetGuardians(), guardian) || containsBytes(q.GetAgreed()[:i], guardian) {
			return fmt.Errorf("%x has agreed to its recovery, and is no guardian or has twice", guardian)
		}
	}
	owner, ok := claimed.Get(r, tx.Address(q.GetKey()))
	if !ok || owner != address {
		return fmt.Errorf("the key %x of its recovery is not kept for it", q.GetKey())
	}
	return nil
}
