package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"slices"
)

// Profile is what a person proved to the member. Times are unix milliseconds.
type Profile struct {
	Name string `json:"name,omitempty"`
	// Phone is E.164, such as +821012345678.
	Phone   string `json:"phone,omitempty"`
	PhoneAt int64  `json:"phone_at,omitempty"`
	// Bank is the code of three digits, BankAccount its digits.
	Bank        string `json:"bank,omitempty"`
	BankAccount string `json:"bank_account,omitempty"`
	BankAt      int64  `json:"bank_at,omitempty"`
}

// Profile returns what a person proved; ErrUnknown if nothing.
func (v *Vault) Profile(ctx context.Context, a Account) (p Profile, err error) {
	err = v.get(ctx, a, "profile", "", &p)
	return p, err
}

// SaveProfile keeps what a person proved, by which Proved finds them from then on.
func (v *Vault) SaveProfile(ctx context.Context, a Account, p Profile, at int64) error {
	if err := v.put(ctx, a, "profile", "", at, p); err != nil {
		return err
	}
	return v.remember(ctx, a, p)
}

// Consent is what a person answered a service.
type Consent struct {
	// Service is the client id, Name its name at that time.
	Service string `json:"service"`
	Name    string `json:"name"`
	// Asked and Agreed are items, such as phone. What was asked and not agreed was refused.
	Asked  []string `json:"asked"`
	Agreed []string `json:"agreed"`
	// At is in unix milliseconds.
	At int64 `json:"at"`
	// Salt keeps the digest from being guessed; 16 random bytes.
	Salt []byte `json:"salt"`
}

// Covers says whether every item was asked before, so that the person need not be asked again.
func (c Consent) Covers(items []string) bool {
	for _, item := range items {
		if !slices.Contains(c.Asked, item) {
			return false
		}
	}
	return true
}

// Digest is the SHA-256 of the consent's document. It says nothing to whoever has not the document.
func (c Consent) Digest(a Account) [32]byte { return sha256.Sum256(c.Document(a)) }

// Consent returns what a person answered a service; ErrUnknown if nothing, or if it was withdrawn.
func (v *Vault) Consent(ctx context.Context, a Account, service string) (c Consent, err error) {
	err = v.get(ctx, a, "consent", service, &c)
	return c, err
}

// Consents lists those that stand, newest first.
func (v *Vault) Consents(ctx context.Context, a Account) ([]Consent, error) {
	return list[Consent](ctx, v, a, "consent")
}

// SaveConsent keeps a consent in place of an earlier one. The ledger is to say so: of the new one that it is there, of the earlier one that it was withdrawn.
func (v *Vault) SaveConsent(ctx context.Context, a Account, c Consent) error {
	v.answering.Lock()
	defer v.answering.Unlock()
	p, err := v.findOrMake(ctx, a)
	if err != nil {
		return err
	}
	before, err := v.Consent(ctx, a, c.Service)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return err
	}
	replaced := err == nil
	return v.step(ctx, func(step *sql.Tx) error {
		if replaced {
			if err := owe(ctx, step, before.receipt(a, true)); err != nil {
				return err
			}
		}
		return errors.Join(insert(ctx, step, p, "consent", p.name(c.Service), c.At, c), owe(ctx, step, c.receipt(a, false)))
	})
}

// Withdraw forgets a consent, of which the ledger is to say so; ErrUnknown if there is none.
func (v *Vault) Withdraw(ctx context.Context, a Account, service string) error {
	v.answering.Lock()
	defer v.answering.Unlock()
	p, err := v.find(ctx, a)
	if err != nil {
		return err
	}
	c, err := v.Consent(ctx, a, service)
	if err != nil {
		return err
	}
	return v.step(ctx, func(step *sql.Tx) error {
		_, err := step.ExecContext(ctx, `DELETE FROM sealed WHERE number = ? AND kind = 'consent' AND name = ?`, p.number, p.name(service))
		return errors.Join(err, owe(ctx, step, c.receipt(a, true)))
	})
}

// Entry is a line of the log that the person can read.
type Entry struct {
	// What happened: registered, proved, signed_in, asked, agreed, refused, read, withdrawn, signed_out, recovering, recovered.
	What string `json:"what"`
	// Service that it was about; empty: this member itself.
	Service string `json:"service,omitempty"`
	// Items that were asked, agreed or read.
	Items []string `json:"items,omitempty"`
	// At is in unix milliseconds.
	At int64 `json:"at"`
}

// maxLog is how many lines a person's log keeps; the oldest give way.
const maxLog = 1000

// Append adds a line to a person's log.
func (v *Vault) Append(ctx context.Context, a Account, e Entry) error {
	return v.add(ctx, a, "log", e.At, maxLog, e)
}

// Log is a person's log, newest first.
func (v *Vault) Log(ctx context.Context, a Account) ([]Entry, error) {
	return list[Entry](ctx, v, a, "log")
}

// Count is the last counter of a person's passkey; 0 if none was seen.
func (v *Vault) Count(ctx context.Context, a Account, passkey string) (n uint32, err error) {
	if err = v.get(ctx, a, "count", passkey, &n); errors.Is(err, ErrUnknown) {
		return 0, nil
	}
	return n, err
}

// SaveCount keeps a passkey's counter.
func (v *Vault) SaveCount(ctx context.Context, a Account, passkey string, n uint32, at int64) error {
	return v.put(ctx, a, "count", passkey, at, n)
}

// Used is when a person's key, by the name that the ledger shows it by, signed in last, in unix milliseconds; 0 if it never did.
func (v *Vault) Used(ctx context.Context, a Account, key string) (at int64, err error) {
	if err = v.get(ctx, a, "used", key, &at); errors.Is(err, ErrUnknown) {
		return 0, nil
	}
	return at, err
}

// SaveUsed keeps that a key signed in.
func (v *Vault) SaveUsed(ctx context.Context, a Account, key string, at int64) error {
	return v.put(ctx, a, "used", key, at, at)
}
