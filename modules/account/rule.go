package account

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Bounds of a rule; times in milliseconds.
const (
	MaxKeys      = 16
	MaxWeight    = 1000
	MaxLimits    = 16
	MaxReceivers = 64
	MinWaitMs    = 60 * 1000
	MaxWaitMs    = 90 * 24 * 3600 * 1000
	MinWindowMs  = 60 * 1000
	MaxWindowMs  = 366 * 24 * 3600 * 1000
	// DayMs is the window of a limit that names none.
	DayMs = 24 * 3600 * 1000
)

// setRule puts a rule over keys in the place of what acts for the actor.
func (m *Module) setRule(c *exec.Context, call *accountv1.SetRule) error {
	a, ok := accounts.Get(c.View, c.Actor)
	if !ok {
		return unknown(c.Actor)
	}
	if m.devices.IsDevice(c.View, c.Actor) {
		return fault.New("account.is_device", "The account "+c.Actor.String()+" is a device; a device acts by the one key that its maker knows.", "account", c.Actor)
	}
	if err := mayManage(c, a); err != nil {
		return err
	}
	rule, err := m.checkRule(c, a, call.GetRule())
	if err != nil {
		return err
	}
	m.setAuthority(c, c.Actor, a, authority{rule: rule})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountRuleSet{AccountRuleSet: &accountv1.RuleSet{Account: c.Actor[:], Rule: rule}}})
	return nil
}

// mayManage refuses to change the authority of an actor at once when its rule makes that wait.
func mayManage(c *exec.Context, a *accountv1.Account) error {
	if !a.GetRuled() {
		return nil
	}
	rule, _ := rules.Get(c.View, c.Actor)
	if _, waited := c.Agreed(); rule.GetManageWaits() && !waited {
		return mustWait(c.Actor, rule, "A change of its authority")
	}
	return nil
}

func mustWait(actor tx.Address, rule *accountv1.Rule, what string) error {
	return fault.New("account.must_wait", fmt.Sprintf("%s has to wait: propose it for %s; it can be done %s after enough keys have approved it.",
		what, actor, span(rule.GetWaitMs())), "account", actor, "wait_ms", rule.GetWaitMs())
}

func badRule(what string, kv ...any) error { return fault.New("account.bad_rule", what, kv...) }

// checkRule returns the rule as it will be stored.
func (m *Module) checkRule(c *exec.Context, a *accountv1.Account, given *accountv1.Rule) (*accountv1.Rule, error) {
	rule := &accountv1.Rule{
		Spend: given.GetSpend(), Manage: given.GetManage(), Other: given.GetOther(), WaitMs: given.GetWaitMs(), ManageWaits: given.GetManageWaits(),
	}
	if err := checkKeys(c, a, given, rule); err != nil {
		return nil, err
	}
	if wait := rule.GetWaitMs(); wait != 0 && (wait < MinWaitMs || wait > MaxWaitMs) {
		return nil, badRule("The waiting time must be 0, or between a minute and 90 days.", "wait_ms", wait)
	}
	if rule.GetManageWaits() && rule.GetWaitMs() == 0 {
		return nil, badRule("Changes of authority cannot wait without a waiting time. Give one.")
	}
	if err := m.checkLimits(c, given, rule); err != nil {
		return nil, err
	}
	return rule, checkReceivers(c, given, rule)
}

// checkKeys reads the keys and the weights that actions take. A key that does not act for the account yet must have signed.
func checkKeys(c *exec.Context, a *accountv1.Account, given, rule *accountv1.Rule) error {
	if n := len(given.GetKeys()); n == 0 || n > MaxKeys {
		return badRule(fmt.Sprintf("A rule has 1 to %d keys, not %d.", MaxKeys, n), "keys", n)
	}
	present := presentKeys(c, a)
	seen, total := map[tx.Address]bool{}, uint32(0)
	for _, k := range given.GetKeys() {
		key, err := toAddress("key", k.GetKey())
		if err != nil {
			return err
		}
		if seen[key] {
			return badRule("The key "+key.String()+" is in the rule twice. Give it more weight instead.", "key", key)
		}
		if k.GetWeight() == 0 || k.GetWeight() > MaxWeight {
			return badRule(fmt.Sprintf("The weight of a key is 1 to %d, not %d.", MaxWeight, k.GetWeight()), "key", key, "weight", k.GetWeight())
		}
		kind, acts := present[key]
		if signed, ok := c.Witness(key); ok {
			kind = signed
		} else if !acts {
			return notWitnessed(c.Actor, key)
		}
		seen[key], total = true, total+k.GetWeight()
		rule.Keys = append(rule.Keys, &accountv1.RuleKey{Key: key[:], Weight: k.GetWeight(), Kind: kind})
	}
	for _, want := range []struct {
		name   string
		weight uint32
	}{{"spend", rule.GetSpend()}, {"manage", rule.GetManage()}, {"other", rule.GetOther()}} {
		if want.weight == 0 || want.weight > total {
			return badRule(fmt.Sprintf("For %s, keys that weigh %d would be needed; it must be at least 1 and at most %d, which is what all keys weigh together.",
				want.name, want.weight, total), "kind", want.name, "needed", want.weight, "total", total)
		}
	}
	return nil
}

// presentKeys are the keys that act for an account now, with their kinds.
func presentKeys(c *exec.Context, a *accountv1.Account) map[tx.Address]accountv1.KeyKind {
	if !a.GetRuled() {
		return map[tx.Address]accountv1.KeyKind{tx.Address(a.GetKey()): a.GetKind()}
	}
	out := map[tx.Address]accountv1.KeyKind{}
	rule, _ := rules.Get(c.View, c.Actor)
	for _, k := range rule.GetKeys() {
		out[tx.Address(k.GetKey())] = k.GetKind()
	}
	return out
}

func (m *Module) checkLimits(c *exec.Context, given, rule *accountv1.Rule) error {
	if n := len(given.GetLimits()); n > MaxLimits {
		return badRule(fmt.Sprintf("A rule has at most %d limits, not %d.", MaxLimits, n), "limits", n)
	}
	seen := map[string]bool{}
	for _, l := range given.GetLimits() {
		asset := l.GetAsset()
		if !m.assets.Exists(c.View, asset) {
			return badRule(fmt.Sprintf("There is no asset %.40q to limit.", asset), "asset", asset)
		}
		if seen[asset] {
			return badRule("The asset "+asset+" is limited twice.", "asset", asset)
		}
		seen[asset] = true
		amounts := 0
		for _, amount := range []string{l.GetPerTransaction(), l.GetPerWindow(), l.GetWaitOver()} {
			if amount == "" {
				continue
			}
			amounts++
			if _, err := tx.ParseAmount(amount); err != nil {
				return err
			}
		}
		window := l.GetWindowMs()
		if window == 0 {
			window = DayMs
		}
		switch {
		case amounts == 0:
			return badRule("The limit of "+asset+" limits nothing. Give it an amount, or leave it out.", "asset", asset)
		case l.GetWaitOver() != "" && rule.GetWaitMs() == 0:
			return badRule("Amounts of "+asset+" cannot wait without a waiting time. Give one.", "asset", asset)
		case window < MinWindowMs || window > MaxWindowMs:
			return badRule("The window of the limit of "+asset+" must be between a minute and 366 days.", "asset", asset, "window_ms", window)
		}
		rule.Limits = append(rule.Limits, &accountv1.Limit{
			Asset: asset, PerTransaction: l.GetPerTransaction(), PerWindow: l.GetPerWindow(), WindowMs: window, WaitOver: l.GetWaitOver(),
		})
	}
	return nil
}

func checkReceivers(c *exec.Context, given, rule *accountv1.Rule) error {
	if n := len(given.GetReceivers()); n > MaxReceivers {
		return badRule(fmt.Sprintf("A rule names at most %d receivers, not %d.", MaxReceivers, n), "receivers", n)
	}
	seen := map[tx.Address]bool{}
	for _, b := range given.GetReceivers() {
		receiver, err := toAddress("receiver", b)
		if err != nil {
			return err
		}
		switch {
		case seen[receiver]:
			return badRule("The receiver "+receiver.String()+" is named twice.", "account", receiver)
		case !accounts.Has(c.View, receiver):
			return unknown(receiver)
		}
		seen[receiver] = true
		rule.Receivers = append(rule.Receivers, receiver[:])
	}
	return nil
}

// span writes a time in milliseconds for people: in whole minutes, rounded up.
func span(ms int64) string {
	minutes := (ms + 60*1000 - 1) / (60 * 1000)
	switch hours := minutes / 60; {
	case ms%DayMs == 0 && ms > DayMs:
		return fmt.Sprintf("%d days", ms/DayMs)
	case hours > 0 && minutes%60 == 0:
		return fmt.Sprintf("%d h", hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	}
	return fmt.Sprintf("%d min", minutes)
}
