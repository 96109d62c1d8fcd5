package index

import (
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
)

// Acts returns nil if a key, given by its address, may read for an account at a time, in unix milliseconds: it acts for it, or is one of the
// keys of its rule, each of which may propose and so has to see. Whoever has no such key does not learn whether the account is frozen or
// there is one. Codes account.not_authorised, account.frozen.
func Acts(r state.Reader, address, key tx.Address, now int64) error {
	a, ok := account.Get(r, address)
	if !ok || !account.IsKeyOf(r, address, a, key) {
		return fault.New("account.not_authorised", "key "+key.String()+" does not act for account "+address.String(), "account", address, "key", key)
	}
	if account.Frozen(a, now) {
		return fault.New("account.frozen", "account "+address.String()+" is frozen; it is shown nothing while it is, but may appeal", "account", address)
	}
	return nil
}
