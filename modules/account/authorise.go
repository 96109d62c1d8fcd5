package account

import (
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Authorise returns nil if one of the keys acts for the actor and the actor is not frozen. It looks at the keys before
// it looks at the freeze, so that a stranger's transaction is void and leaves nothing on the ledger in the actor's name.
// Codes account.unknown, account.not_authorised, account.frozen.
func (m *Module) Authorise(v *state.View, actor tx.Address, keys []tx.Key) error {
	a, ok := accounts.Get(v, actor)
	if !ok {
		return unknown(actor)
	}
	acts := tx.Address(a.GetKey())
	if !hasKey(keys, acts) {
		return fault.New("account.not_authorised", "The transaction is not signed by the key of "+actor.String()+". Sign it with key "+
			acts.String()+".", "account", actor, "key", acts)
	}
	if a.GetFrozen() {
		sponsor := tx.Address(a.GetSponsor())
		return fault.New("account.frozen", "The account "+actor.String()+" is frozen by its sponsor "+sponsor.String()+
			reasonGiven(a.GetFreezeReason())+". Ask the sponsor to unfreeze it.",
			"account", actor, "sponsor", sponsor, "reason", a.GetFreezeReason())
	}
	return nil
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
