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
func (m *Module) Authorise(v *state.View, actor tx.Address, body *txv1.Body, keys []tx.Key) (ruled bool, err error) {
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
	if a.GetFrozen() {
		sponsor := tx.Address(a.GetSponsor())
		return a.GetRuled(), fault.New("account.frozen", "The account "+actor.String()+" is frozen by its sponsor "+sponsor.String()+
			reasonGiven(a.GetFreezeReason())+". Ask the sponsor to unfreeze it.",
			"account", actor, "sponsor", sponsor, "reason", a.GetFreezeReason())
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

// Agrees says whether the transaction shows that an open account wants what is done: it acts itself, or as many of its keys have signed as it
// takes for something that neither spends nor manages. A frozen or locked account wants nothing.
func (m *Module) Agrees(c *exec.Context, account tx.Address) bool {
	a, ok := accounts.Get(c.View, account)
	switch {
	case !ok || a.GetFrozen() || a.GetLockedAt() != 0:
		return false
	case account == c.Actor:
		return true
	case !a.GetRuled():
		return c.Witnessed(tx.Address(a.GetKey()))
	}
	rule, _ := rules.Get(c.View, account)
	return weigh(rule, c.Witnessed) >= rule.GetOther()
}

func hasKey(keys []tx.Key, a tx.Address) bool {
	for _, k := range keys {
		if k.Address() == a {
			return true
		}
	}
	return false
}

func reasonGiven(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}
