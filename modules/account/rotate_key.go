package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// rotateKey replaces the key, or the rule, that acts for the actor by a key. The new key must have signed too, so that nobody locks himself
// out with a key he does not have, or takes a stranger's key.
func (m *Module) rotateKey(c *exec.Context, call *accountv1.RotateKey) error {
	key := tx.Key{Kind: call.GetKind(), Public: call.GetPublicKey()}
	if err := tx.CheckKey(key); err != nil {
		return err
	}
	a, ok := accounts.Get(c.View, c.Actor)
	if !ok {
		return unknown(c.Actor)
	}
	if err := mayManage(c, a); err != nil {
		return err
	}
	if err := usable(c, c.Actor, a, key.Address()); err != nil {
		return err
	}
	m.setAuthority(c, c.Actor, a, authority{key: key.Address(), kind: key.Kind})
	return nil
}

func sameKey(account, key tx.Address) error {
	return fault.New("account.same_key", "The key "+key.String()+" acts for "+account.String()+" already.", "account", account, "key", key)
}

func keyNotWitnessed(account, key tx.Address) error {
	return fault.New("account.key_not_witnessed", "The new key "+key.String()+" has not signed the transaction. Sign it with the new key too.",
		"account", account, "key", key)
}
