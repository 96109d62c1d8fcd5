package account

import (
	"fmt"
	"slices"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// checkRules verifies the invariants of rules, proposals and what was spent.
func checkRules(r state.Reader) (err error) {
	rules.Ascend(r, nil, func(address tx.Address, rule *accountv1.Rule) bool {
		if a, ok := accounts.Get(r, address); !ok || !a.GetRuled() {
			err = fmt.Errorf("account: a rule of %s, which has none", address)
		} else if err = consistent(rule); err != nil {
			err = fmt.Errorf("account: rule of %s: %w", address, err)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	proposals.Ascend(r, nil, func(id ProposalID, p *accountv1.Proposal) bool {
		a, _ := accounts.Get(r, id.Account)
		rule, ok := rules.Get(r, id.Account)
		if !ok || id.Number == 0 || id.Number > a.GetProposals() {
			err = fmt.Errorf("account: proposal %d of %s, which has made %d", id.Number, id.Account, a.GetProposals())
		} else if err = sound(id.Account, rule, p); err != nil {
			err = fmt.Errorf("account: proposal %d of %s: %w", id.Number, id.Account, err)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	usages.Ascend(r, nil, func(e expense, u *accountv1.Usage) bool {
		rule, _ := rules.Get(r, e.account)
		i := slices.IndexFunc(rule.GetLimits(), func(l *accountv1.Limit) bool { return l.GetAsset() == e.asset })
		if i < 0 {
			err = fmt.Errorf("account: what %s has spent of %s is remembered without a limit", e.account, e.asset)
		} else if err = inOrder(u.GetSpent()); err != nil {
			err = fmt.Errorf("account: what %s has spent of %s: %w", e.account, e.asset, err)
		}
		return err == nil
	})
	return err
}

func consistent(rule *accountv1.Rule) error {
	seen, weight := map[tx.Address]bool{}, uint32(0)
	for _, k := range rule.GetKeys() {
		key, err := tx.ToAddress(k.GetKey())
		if err != nil || seen[key] || k.GetWeight() == 0 {
			return fmt.Errorf("key %x of weight %d: malformed, twice or without weight", k.GetKey(), k.GetWeight())
		}
		seen[key], weight = true, weight+k.GetWeight()
	}
	for _, want := range []uint32{rule.GetSpend(), rule.GetManage(), rule.GetOther()} {
		if want == 0 || want > weight {
			return fmt.Errorf("%d are wanted of keys that weigh %d", want, weight)
		}
	}
	return nil
}

func sound(account tx.Address, rule *accountv1.Rule, p *accountv1.Proposal) error {
	_, does, err := proposed(account, p.GetActions())
	if err != nil {
		return err
	}
	seen := map[tx.Address]bool{}
	for _, b := range p.GetApprovals() {
		key, err := tx.ToAddress(b)
		if err != nil || seen[key] || !inRule(rule, key) {
			return fmt.Errorf("approval %x: malformed, twice, or not of the rule", b)
		}
		seen[key] = true
	}
	switch {
	case does != kinds(p.GetKinds()):
		return fmt.Errorf("its actions are of kinds %d, not %d", does, p.GetKinds())
	case (p.GetApprovedAt() != 0) != (approving(rule, p) >= needed(rule, does)):
		return fmt.Errorf("weight %d of %d, approved at %d", approving(rule, p), needed(rule, does), p.GetApprovedAt())
	}
	return nil
}

func inOrder(list []*accountv1.Spent) error {
	if len(list) > maxSpent {
		return fmt.Errorf("%d spans", len(list))
	}
	for i, s := range list {
		if i > 0 && s.GetUntil() <= list[i-1].GetUntil() {
			return fmt.Errorf("span %d is out of order", i)
		}
		if amount := stored(s.GetAmount()); amount.IsZero() {
			return fmt.Errorf("span %d is empty", i)
		}
	}
	return nil
}
