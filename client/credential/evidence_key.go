package credential

import (
	"context"
	"time"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// maxReceipts are those of the change to a key and of the change away from it.
const maxReceipts = 2

// maxTransaction bounds the transaction in a receipt, in bytes.
const maxTransaction = 64 << 10

// provenChange is a change of an account's key that a receipt proves.
type provenChange struct {
	at           time.Time
	account, key tx.Address
	// witnesses are all keys that signed it: the one that acted before must be among them.
	witnesses []tx.Address
}

// addReceipt verifies a receipt and keeps the changes of keys that it proves.
func (e *Evidence) addReceipt(file []byte) error {
	v, err := e.anchor.VerifyReceipt(file)
	if err != nil {
		return err
	}
	e.receipts = append(e.receipts, file)
	if !v.OK() {
		return nil
	}
	var witnesses []tx.Address
	if t, err := tx.Decode(e.network, v.Transaction, maxTransaction); err == nil {
		for _, key := range t.Keys() {
			witnesses = append(witnesses, key.Address())
		}
	}
	for _, event := range v.Outcome.GetEvents() {
		if rotated := event.GetAccountKeyRotated(); rotated != nil && len(rotated.GetAccount()) == 20 && len(rotated.GetKey()) == 20 {
			e.changes = append(e.changes, provenChange{v.Executed, tx.Address(rotated.GetAccount()), tx.Address(rotated.GetKey()), witnesses})
		}
	}
	return nil
}

// proveKey gets the proof that the credential's key acts for its issuer, or the receipts that say that it did.
func (e *Evidence) proveKey(ctx context.Context, c *client.Client, of *Credential) error {
	issuer, key := of.Issuer.Account, of.Signer.Address()
	if _, err := e.Key(ctx, issuer, key, of.Issued); fault.Code(err) != "credential.wrong_issuer_key" {
		return err
	}
	changes, err := online{c}.keyChanges(ctx, issuer)
	if err != nil {
		return err
	}
	for _, id := range changes.around(key) {
		file, err := c.Receipt(ctx, id, e.anchor.Height())
		if err != nil {
			return err
		}
		if err := e.addReceipt(file); err != nil {
			return err
		}
	}
	_, err = e.Key(ctx, issuer, key, of.Issued)
	return err
}

// around are the transactions that brought a key, unless it is the first, and that took its place.
func (changes keyChanges) around(key tx.Address) []string {
	var out []string
	for i, c := range changes { // the newest first
		if c.key != key.String() {
			continue
		}
		out = append(out, c.tx)
		if i > 0 {
			out = append(out, changes[i-1].tx)
		}
		return out
	}
	if len(changes) > 0 {
		out = append(out, changes[len(changes)-1].tx)
	}
	return out
}

// Key says whether a key acts for an account in the state that was proven, or by receipts that it did: one of the change away from it, which nobody signed but it
// and the new key, and one of the change to it, unless it is the key that made the address.
func (e *Evidence) Key(_ context.Context, account, key tx.Address, at time.Time) (Standing, error) {
	a := &accountv1.Account{}
	switch known, err := e.read(accountKey(account), a); {
	case err != nil:
		return Standing{}, err
	case !known:
		return Standing{}, unknownIssuer(account)
	}
	if err := checkAccount(account, len(a.GetKey()) > 0, a.GetFrozenUntilAt() > e.at.UnixMilli()); err != nil {
		return Standing{}, err
	}
	if string(a.GetKey()) == string(key[:]) {
		return Standing{}, nil
	}
	from, began := time.Time{}, key == account
	until, ended := time.Time{}, false
	for _, c := range e.changes {
		switch {
		case c.account != account:
		case c.key == key:
			from, began = c.at, true
		case onlyBy(c.witnesses, key, c.key):
			until, ended = c.at, true
		}
	}
	if !began || !ended || at.Before(from.Add(-clockSkew)) || !at.Before(until.Add(clockSkew)) {
		return Standing{}, fault.New("credential.wrong_issuer_key", "The credential is signed by the key "+key.String()+". By the proofs it does not act for the issuer "+account.String()+
			" today, and did not when the credential was issued.", "issuer", account, "key", key)
	}
	return Standing{Replaced: until}, nil
}

// onlyBy says whether two keys signed, and no other: then the first is the one that acted before.
func onlyBy(witnesses []tx.Address, before, after tx.Address) bool {
	signed := false
	for _, w := range witnesses {
		if w != before && w != after {
			return false
		}
		signed = signed || w == before
	}
	return signed
}
