package account

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Authorise returns nil if one of the keys acts for the actor and the actor is not frozen at a time, in unix milliseconds. It looks
// at the keys before it looks at the freeze, so that a stranger's transaction is void and leaves nothing on the ledger in the
// actor's name. Codes account.unknown, account.not_authorised, account.frozen.
func (m *Module) Authorise(v *state.View, actor tx.Address, keys []tx.Key, now int64) error {
	a, ok := accounts.Get(v, actor)
	if !ok {
		return unknown(actor)
	}
	acts := tx.Address(a.GetKey())
	if !hasKey(keys, acts) {
		return fault.New("account.not_authorised", "The transaction is not signed by the key of "+actor.String()+". Sign it with key "+
			acts.String()+".", "account", actor, "key", acts)
	}
	if Frozen(a, now) {
		return isFrozen(v, actor, now)
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

// consents says whether an account has signed the transaction, as one that may act now.
func (m *Module) consents(c *exec.Context, a tx.Address) bool {
	key, ok := m.KeyOf(c.View, a, c.Time)
	return ok && c.Witnessed(key)
}

// Frozen says whether an account is frozen at a time in unix milliseconds.
func Frozen(a *accountv1.Account, now int64) bool { return now < a.GetFrozenUntilAt() }

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
