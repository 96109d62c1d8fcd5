package id

import (
	"slices"
	"strings"
	"time"

	"github.com/dureledger/dure/services/id/refusal"
)

// Account is what the ledger says of a person's account. Addresses are as the ledger shows them: 0x and 40 hex digits.
type Account struct {
	Address string
	// Keys are those that act for it, alone or by a rule.
	Keys []Key
	// Takes is the weight of keys for what neither spends nor manages.
	Takes uint32
	// Frozen by its sponsor; Locked by one of its own keys.
	Frozen, Locked bool
	// Ours: this member is its sponsor, and may recover it alone. Wait is how long the account may object then.
	Ours bool
	Wait time.Duration
	// Recovery is what has been begun; nil if nothing has.
	Recovery *Recovery
}

// Key is a key of an account.
type Key struct {
	Address string
	// Kind is the ledger's name of it: webauthn is a passkey.
	Kind   string
	Weight uint32
}

// Recovery brings a new key to an account, in the place of all others.
type Recovery struct {
	// Key is the address of the new key.
	Key string
	// ReadyAt is until when the account may object, and from when on it can be finished; 0 while too few have agreed. LapsesAt is when it is over
	// if nobody has finished it. Unix milliseconds.
	ReadyAt, LapsesAt int64
}

var (
	errFrozen  = refusal.New("signin.frozen", "The account is frozen by its sponsor. Ask the sponsor.")
	errLocked  = refusal.New("signin.locked", "The account is locked by one of its keys. Unlock it with as many keys as manage it.")
	errTooFew  = refusal.New("signin.too_few_keys", "The account does nothing by this key alone, so it does not sign in. Use a key of more weight, or change the rule.")
	errNoKey   = refusal.New("signin.unknown_key", "The ledger has no account of this passkey. Make an account first.")
	errWaiting = refusal.New("signin.recovery_waits", "The passkey is to be the account's, and is not yet: the recovery waits, so that its present key can object. Sign in again when the time is over.")
)

// key finds a key of the account.
func (a Account) key(address string) (Key, bool) {
	i := slices.IndexFunc(a.Keys, func(k Key) bool { return strings.EqualFold(k.Address, address) })
	if i < 0 {
		return Key{}, false
	}
	return a.Keys[i], true
}

// signsIn says no to a key that may not sign in for the account. Signing in neither spends nor manages; so it takes what the account asks for
// everything else, of one key.
func (a Account) signsIn(address string) error {
	k, ok := a.key(address)
	switch {
	case !ok:
		return errNoKey
	case a.Frozen:
		return errFrozen
	case a.Locked:
		return errLocked
	case k.Weight < a.Takes:
		return errTooFew
	}
	return nil
}

// awaits says whether a recovery is to bring the account this key.
func (a Account) awaits(address string) bool {
	return a.Recovery != nil && strings.EqualFold(a.Recovery.Key, address)
}
