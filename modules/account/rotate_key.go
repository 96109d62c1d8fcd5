package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
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
	to := key.Address()
	if !a.GetRuled() && to == tx.Address(a.GetKey()) {
		return fault.New("account.same_key", "The key "+to.String()+" acts for "+c.Actor.String()+" already.", "account", c.Actor, "key", to)
	}
	if owner, taken := ownerOf(c.View, to); taken && owner != c.Actor {
		return keyInUse(to, owner)
	}
	if !c.Witnessed(to) {
		return notWitnessed(c.Actor, to)
	}
	m.setAuthority(c, c.Actor, a, authority{key: to, kind: key.Kind})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountKeyRotated{
		AccountKeyRotated: &accountv1.KeyRotated{Account: c.Actor[:], Key: to[:]},
	}})
	return nil
}

func notWitnessed(account, key tx.Address) error {
	return fault.New("account.key_not_witnessed", "The new key "+key.String()+" has not signed the transaction. Sign it with the new key too.",
		"account", account, "key", key)
}

// ownerOf is the account a key belongs to: the one it was rotated to, or the one whose address it made. An account
// keeps a claim to its first key even after rotating away, so that no other account can act with it.
func ownerOf(g state.Getter, key tx.Address) (tx.Address, bool) {
	if owner, ok := rotated.Get(g, key); ok {
		return owner, true
	}
	return key, accounts.Has(g, key)
}
