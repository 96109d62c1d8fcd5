package identity

import (
	"encoding/hex"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// giveConsent keeps that the actor agreed to a document towards a recipient. What it agreed to before may be given another end, also when it is over.
func (m *Module) giveConsent(c *exec.Context, call *identityv1.GiveConsent) error {
	recipient, err := m.account(c.View, "recipient", call.GetRecipient())
	if err != nil {
		return err
	}
	digest, err := toDigest(call.GetDigest())
	if err != nil {
		return err
	}
	if recipient == c.Actor {
		return fault.New("identity.own", "Nobody needs a consent of their own.", "recipient", recipient)
	}
	if err := checkEnd(c.Time, call.GetEndsAt()); err != nil {
		return err
	}
	id := ConsentID{c.Actor, recipient, digest}
	given := c.Time
	if old, ok := consents.Get(c.View, id); ok && ConsentState(old, c.Time) == ConsentGiven {
		given = old.GetGivenAt()
	}
	consents.Set(c.View, id, &identityv1.Consent{GivenAt: given, EndsAt: call.GetEndsAt(), Tx: c.Tx[:]})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityConsentGiven{
		IdentityConsentGiven: &identityv1.ConsentGiven{Person: c.Actor[:], Recipient: recipient[:], Digest: digest[:], EndsAt: call.GetEndsAt()},
	}})
	return nil
}

// withdrawConsent ends a consent of the actor. Nobody can keep a person from it, whatever became of the recipient.
func (m *Module) withdrawConsent(c *exec.Context, call *identityv1.WithdrawConsent) error {
	recipient, err := toAddress("recipient", call.GetRecipient())
	if err != nil {
		return err
	}
	digest, err := toDigest(call.GetDigest())
	if err != nil {
		return err
	}
	id := ConsentID{c.Actor, recipient, digest}
	consent, ok := consents.Get(c.View, id)
	if !ok || ConsentState(consent, c.Time) != ConsentGiven {
		return fault.New("identity.no_consent", c.Actor.String()+" has not consented to "+hex.EncodeToString(digest[:])+" towards "+recipient.String()+", or not any more.",
			"person", c.Actor, "recipient", recipient, "digest", hex.EncodeToString(digest[:]))
	}
	consent.WithdrawnAt = c.Time
	consents.Set(c.View, id, consent)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityConsentWithdrawn{
		IdentityConsentWithdrawn: &identityv1.ConsentWithdrawn{Person: c.Actor[:], Recipient: recipient[:], Digest: digest[:]},
	}})
	return nil
}

// States of a consent.
const (
	ConsentGiven     = "given"
	ConsentWithdrawn = "withdrawn"
	ConsentEnded     = "ended"
)

// ConsentState says what a consent is at a time in unix milliseconds.
func ConsentState(c *identityv1.Consent, now int64) string {
	switch {
	case c.GetWithdrawnAt() != 0:
		return ConsentWithdrawn
	case now >= c.GetEndsAt():
		return ConsentEnded
	}
	return ConsentGiven
}

// GetConsent returns what a person agreed to towards a recipient, and whether they ever did.
func GetConsent(g state.Getter, id ConsentID) (*identityv1.Consent, bool) { return consents.Get(g, id) }

// AscendConsents calls fn for each consent of a person after one, in order of recipient and digest, until fn returns false.
func AscendConsents(r state.Reader, person tx.Address, after ConsentID, fn func(ConsentID, *identityv1.Consent) bool) {
	after.Person = person
	consents.AscendAfter(r, person[:], after, fn)
}
