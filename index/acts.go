package index

import (
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
)

// Acts returns nil if a key, given by its address, may act for an account now. Whoever has no such key does not learn
// whether the account is frozen or there is one. Codes account.not_authorised, account.frozen.
func Acts(r state.Reader, address, key tx.Address) error {
	a, ok := account.Get(r, address)
	if !ok || tx.Address(a.GetKey()) != key {
		return fault.New("account.not_authorised", "key "+key.String()+" does not act for account "+address.String(), "account", address, "key", key)
	}
	if a.GetFrozen() {
		return fault.New("account.frozen", "account "+address.String()+" is frozen by its sponsor "+tx.Address(a.GetSponsor()).String()+"; ask the sponsor to unfreeze it",
			"account", address, "sponsor", tx.Address(a.GetSponsor()))
	}
	return nil
}
