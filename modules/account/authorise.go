package account

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Authorise implements exec.Accounts. It looks at the keys before it looks at the freeze, so that a stranger's transaction is void and
// leaves nothing on the ledger in the actor's name. Too few keys of a rule make a transaction void too: it can be submitted again when more have signed.
// Codes account.unknown, account.not_authorised, account.too_few_keys, account.locked, account.frozen.
func (m *Module) Authorise(v *state.View, actor tx.Address, body *txv1.Body, keys []tx.Key, now int64) (ruled bool, err error) {
	a, ok := accounts.Get(v, actor)
	if !ok {
		return false, unknown(actor)
	}
	if a.GetRuled() {
		if err := authoriseByRule(v, actor, a, body, keys); err != nil {
			return true, err
		}
	} else if acts := tx.Address(a.GetKey()); !hasKey(keys, acts) {
		return false, fault.New("account.not_authorised", "The transaction is not signed by the key of "+actor.String()+". Sign it with key "+
			acts.String()+".", "account", actor, "key", acts)
	}
	if Frozen(a, now) {
		return a.GetRuled(), isFrozen(v, actor, now)
	}
	return a.GetRuled(), nil
}

// authoriseByRule weighs the keys against everything that the body lets the actor do.
func authoriseByRule(g state.Getter, actor tx.Address, a *accountv1.Account, body *txv1.Body, keys []tx.Key) error {
	rule, _ := rules.Get(g, actor)
	weight := weigh(rule, func(key tx.Address) bool { return hasKey(keys, key) })
	if weight == 0 {
		return fault.New("account.not_authorised", "The transaction is not signed by any key of the rule of "+actor.String()+". Sign it with one.", "account", actor)
	}
	does := kindsOf(body, actor)
	if a.GetLockedAt() != 0 && does&(spends|others) != 0 {
		return locked(actor, a)
	}
	return enough(actor, rule, does, weight)
}

// kindsOf is what a body lets an account do. Using up one of its once keys is among others: nobody alone may burn the number of an invoice.
func kindsOf(body *txv1.Body, actor tx.Address) (does kinds) {
	for i, action := range body.GetActions() {
		if tx.Address(action.GetActor()) != actor {
			continue
		}
		does |= kindOf(action.GetCall())
		if i == 0 && len(body.GetOnce()) > 0 {
			does |= others
		}
	}
	return does
}

// weigh adds up the keys of a rule that has says yes to.
func weigh(rule *accountv1.Rule, has func(key tx.Address) bool) (weight uint32) {
	for _, k := range rule.GetKeys() {
		if has(tx.Address(k.GetKey())) {
			weight += k.GetWeight()
		}
	}
	return weight
}

// enough refuses less weight than the kinds take.
func enough(actor tx.Address, rule *accountv1.Rule, does kinds, weight uint32) error {
	if want := needed(rule, does); weight < want {
		return fault.New("account.too_few_keys", fmt.Sprintf("For %s, keys of %s must sign that weigh %d together; those that have weigh %d. "+
			"Let more sign, or propose it.", does, actor, want, weight), "account", actor, "needed", want, "weight", weight)
	}
	return nil
}

// isFrozen says who has frozen an account that is, why and for how long.
func isFrozen(v *state.View, address tx.Address, now int64) error {
	f := newestFreeze(v, address)
	by := tx.Address(f.GetBy())
	return fault.New("account.frozen", "The account "+address.String()+" is frozen by "+by.String()+" for another "+span(f.GetEndsAt()-now)+
		" ("+grounds(f)+"). It can do nothing but appeal; "+by.String()+" can unfreeze it.",
		"account", address, "sponsor", by, "basis", f.GetBasis(), "reason", f.GetReason(), "ends_at", f.GetEndsAt())
}

// Frozen says whether an account is frozen at a time in unix milliseconds.
func Frozen(a *accountv1.Account, now int64) bool { return now < a.GetFrozenUntilAt() }

// Agrees says whether the transaction shows that an open account wants what is done: it acts itself, or as many of its keys have signed as it
// takes for something that neither spends nor manages. A frozen or locked account wants nothing.
func (m *Module) Agrees(c *exec.Context, account tx.Address) bool {
	a, ok := accounts.Get(c.View, account)
	switch {
	case !ok || Frozen(a, c.Time) || a.GetLockedAt() != 0:
		return false
	case account == c.Actor:
		return true
	case !a.GetRuled():
		return c.Witnessed(tx.Address(a.GetKey()))
	}
	rule, _ := rules.Get(c.View, account)
	return weigh(rule, c.Witnessed) >= rule.GetOther()
}

// AgreesOrSponsor is Agrees of an account, or of the account that answers for it.
func (m *Module) AgreesOrSponsor(c *exec.Context, account tx.Address) bool {
	if m.Agrees(c, account) {
		return true
	}
	a, ok := accounts.Get(c.View, account)
	return ok && m.Agrees(c, tx.Address(a.GetSponsor()))
}

func hasKey(keys []tx.Key, a tx.Address) bool {
	for _, k := range keys {
		if k.Address() == a {
			return true
		}
	}
	return false
}

// span says a positive time in milliseconds in words, rounded up to what matters.
func span(ms int64) string {
	minutes := (ms + 59_999) / 60_000
	switch {
	case minutes >= 3*24*60:
		return fmt.Sprintf("%d days", (minutes+24*60-1)/(24*60))
	case minutes >= 3*60:
		return fmt.Sprintf("%d hours", (minutes+59)/60)
	case minutes == 1:
		return "minute"
	}
	return fmt.Sprintf("%d minutes", minutes)
}
