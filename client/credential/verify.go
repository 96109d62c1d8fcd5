package credential

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// DefaultAge is how old a presentation may be unless a verifier says otherwise: it answers a nonce that was made a moment ago.
const DefaultAge = 5 * time.Minute

// Check is what a verifier wants.
type Check struct {
	// Audience and Nonce are those of the request. With both empty the credential alone is verified, and nothing says who shows it.
	Audience, Nonce string
	Now             time.Time
	// MaxAge of the holder's signature; 0 means DefaultAge.
	MaxAge time.Duration
	// Schemas that are accepted, by their names; empty: any.
	Schemas []string
	// Issuers that are accepted; empty: whoever the ledger gave the right.
	Issuers []tx.Address
	// CurrentKey refuses what was signed by a key that the issuer has replaced since.
	CurrentKey bool
	// Revocable refuses what cannot be revoked.
	Revocable bool
}

// Verified is a credential that holds.
type Verified struct {
	*Credential
	// Presented: its holder has shown it, for the audience and nonce asked for.
	Presented bool
	Key       Standing
	Right     Right
	// Grounds are what it rests on.
	Grounds string
}

// Verify verifies a credential or a presentation by a ledger: that it is whole, in its time, signed by the key that acted for its issuer, that the issuer had the
// right to issue it, that it was not revoked and, when audience and nonce are given, that its holder shows it. Codes: see the package.
func Verify(ctx context.Context, l Ledger, text string, check Check) (*Verified, error) {
	c, err := Read(text)
	if err != nil {
		return nil, err
	}
	if err := c.Verify(c.signer, Type, TypeBefore); err != nil {
		return nil, err
	}
	if err := check.wanted(ctx, l, c); err != nil {
		return nil, err
	}
	if err := checkTimes(c, check.Now); err != nil {
		return nil, err
	}
	v := &Verified{Credential: c}
	if v.Presented = check.Audience != "" || check.Nonce != ""; v.Presented {
		if err := checkHolder(c, check); err != nil {
			return nil, err
		}
	}
	if v.Key, err = l.Key(ctx, c.Issuer.Account, c.Signer.Address(), c.Issued); err != nil {
		return nil, err
	}
	if check.CurrentKey && !v.Key.Replaced.IsZero() {
		return nil, fault.New("credential.old_issuer_key", "The issuer has changed its key since it issued the credential, at "+v.Key.Replaced.UTC().Format(time.RFC3339)+
			", and only the key of today is accepted here. Ask the issuer for a new credential.")
	}
	if v.Right, err = l.Right(ctx, c.Issuer.Account, c.Schema, c.Issued, check.Now); err != nil {
		return nil, err
	}
	if err := checkStatus(ctx, l, c, check.Revocable); err != nil {
		return nil, err
	}
	v.Grounds = l.Grounds()
	return v, nil
}

// wanted checks that it is what the verifier wants, before anything is asked about it.
func (check Check) wanted(ctx context.Context, l Ledger, c *Credential) error {
	network, err := l.Network(ctx)
	if err != nil {
		return err
	}
	if c.Issuer.Network != network {
		return fault.New("credential.wrong_network", "The credential is from the ledger "+c.Issuer.Network+", and you verify by "+network+". Ask a node of its own ledger.",
			"credential", c.Issuer.Network, "ledger", network)
	}
	if len(check.Schemas) > 0 && !slices.Contains(check.Schemas, c.Schema) {
		return fault.New("credential.wrong_schema", fmt.Sprintf("The credential is a %s; %s is wanted here.", c.Schema, strings.Join(check.Schemas, " or ")), "schema", c.Schema)
	}
	if len(check.Issuers) > 0 && !slices.Contains(check.Issuers, c.Issuer.Account) {
		return fault.New("credential.wrong_issuer", "The credential is by "+c.Issuer.Account.String()+", whom you do not accept.", "issuer", c.Issuer.Account)
	}
	return nil
}

func checkTimes(c *Credential, now time.Time) error {
	begins := c.NotBefore
	if begins.IsZero() {
		begins = c.Issued
	}
	if now.Add(sdjwt.Skew).Before(begins) {
		return fault.New("credential.not_yet_valid", "The credential is valid from "+begins.UTC().Format(time.RFC3339)+" on. Wait until then, or check this machine's clock.", "from", begins.Unix())
	}
	if !c.Expires.IsZero() && !now.Before(c.Expires) {
		return fault.New("credential.expired", "The credential's time was over at "+c.Expires.UTC().Format(time.RFC3339)+". Ask the issuer for a new one.", "until", c.Expires.Unix())
	}
	return nil
}

func checkHolder(c *Credential, check Check) error {
	if c.Holder == nil {
		return fault.New("credential.not_bound", "The credential is bound to no key: whoever has a copy could show it.")
	}
	age := check.MaxAge
	if age == 0 {
		age = DefaultAge
	}
	return c.VerifyBinding(sdjwt.Expect{Holder: c.Holder, Audience: check.Audience, Nonce: check.Nonce, Now: check.Now, MaxAge: age})
}

func checkStatus(ctx context.Context, l Ledger, c *Credential, revocable bool) error {
	if c.List == 0 {
		if revocable {
			return fault.New("credential.no_status", "The credential has no place in a status list, so it could not be revoked. That is not accepted here.")
		}
		return nil
	}
	status, err := l.Status(ctx, c.Issuer.Account, c.List, c.Index)
	switch {
	case err != nil:
		return err
	case status == statuslist.Valid:
		return nil
	case status == statuslist.Suspended:
		return fault.New("credential.suspended", "The issuer has suspended the credential. Ask the issuer why, and verify it again later.", "list", c.List, "index", c.Index)
	}
	return fault.New("credential.revoked", "The issuer has revoked the credential. It is worth nothing any more.", "list", c.List, "index", c.Index, "status", status)
}
