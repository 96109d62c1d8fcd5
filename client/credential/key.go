package credential

import (
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

func unknownIssuer(account tx.Address) error {
	return fault.New("credential.issuer_unknown", "The issuer "+account.String()+" has no account on this ledger.", "issuer", account)
}

// checkAccount refuses an issuer that cannot be relied on now, or for which no one key signs.
func checkAccount(account tx.Address, hasKey, frozen bool) error {
	if frozen {
		return fault.New("credential.issuer_frozen", "The issuer's account "+account.String()+" is frozen by its sponsor. While it is, its credentials are not relied on.", "issuer", account)
	}
	if !hasKey {
		return Ruled(account)
	}
	return nil
}

// Ruled refuses an account for which several keys act together, as each credential and request is signed by one.
func Ruled(account tx.Address) error {
	return fault.New("credential.issuer_ruled", "Several keys together act for the account "+account.String()+", and a credential or request is signed by one. Sign with an organisation's account that has one "+
		"key; to issue, give it the right first: dure id licence give SCHEMA ACCOUNT. See docs/credentials.md, An issuer with several keys.", "issuer", account)
}

// keyChange is when a key began to act for an account.
type keyChange struct {
	at  time.Time
	key string
	// tx is the transaction that changed it, 64 hex digits.
	tx string
}

// keyChanges are the changes of an account's key, the newest first.
type keyChanges []keyChange

// standing finds a key that acted at a time. Blocks have times of their own, so a minute to both sides counts.
func (changes keyChanges) standing(account, key tx.Address, at time.Time) (Standing, error) {
	until := time.Time{}
	for _, c := range append(changes, keyChange{key: account.String()}) { // the first key made the address
		from := c.at
		if c.key == key.String() && !at.Before(from.Add(-clockSkew)) && (until.IsZero() || at.Before(until.Add(clockSkew))) {
			return Standing{Replaced: until}, nil
		}
		until = from
	}
	return Standing{}, fault.New("credential.wrong_issuer_key", "The credential is signed by the key "+key.String()+", which did not act for the issuer "+account.String()+" when it was issued. "+
		"It is forged, or the issuer signed with the wrong key.", "issuer", account, "key", key)
}
