package index

import (
	"bytes"
	"context"
	"errors"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/identity"
)

// factKey is what a fact is listed by under its issuer: the account, 20 bytes, the schema, a zero byte, the value.
func factKey(account []byte, schema, value string) []byte {
	return append(append(append(append([]byte{}, account...), schema...), 0), value...)
}

// consentKey is what a consent is listed by under its recipient: the person, 20 bytes, and the digest, 32.
func consentKey(person, digest []byte) []byte { return append(append([]byte{}, person...), digest...) }

// seedIdentity adds what the lists of identity would hold of a state. A row that comes again with its transaction is kept.
func (c *changes) seedIdentity(r state.Reader) {
	identity.AscendAllRights(r, func(id identity.RightID, _ *identityv1.Right) bool {
		c.add(issueTable, id.Holder[:], id.Schema)
		return true
	})
	identity.AscendAllFacts(r, func(id identity.FactID, _ *identityv1.Attribute) bool {
		c.add(factTable, id.Issuer[:], factKey(id.Account[:], id.Schema, id.Value))
		return true
	})
	identity.AscendAllConsents(r, func(id identity.ConsentID, _ *identityv1.Consent) bool {
		c.add(consentTable, id.Recipient[:], consentKey(id.Person[:], id.Digest[:]))
		return true
	})
}

// RightsOf lists the rights that an organisation has or had, in order of schema.
func (x *Index) RightsOf(ctx context.Context, holder tx.Address, p Page) ([]identity.RightID, string, error) {
	return keys(ctx, x, "rights"+string(holder[:]), p, func(after []byte, limit int) (string, []any) {
		return sqlIssues, []any{holder[:], string(after), limit}
	}, func(s string) (identity.RightID, error) { return identity.RightID{Schema: s, Holder: holder}, nil })
}

// FactsBy lists the facts that an issuer attests or attested, in order of account, schema and value.
func (x *Index) FactsBy(ctx context.Context, issuer tx.Address, p Page) ([]identity.FactID, string, error) {
	return keys(ctx, x, "facts"+string(issuer[:]), p, func(after []byte, limit int) (string, []any) {
		return sqlFacts, []any{issuer[:], some(after), limit}
	}, func(s string) (identity.FactID, error) {
		i := bytes.IndexByte([]byte(s[min(20, len(s)):]), 0)
		if i < 0 {
			return identity.FactID{}, errors.New("the index holds a fact it cannot name; rebuild it")
		}
		return identity.FactID{Account: tx.Address([]byte(s[:20])), Schema: s[20 : 20+i], Value: s[20+i+1:], Issuer: issuer}, nil
	})
}

// ConsentsTo lists the consents that were given towards a recipient, in order of person and digest.
func (x *Index) ConsentsTo(ctx context.Context, recipient tx.Address, p Page) ([]identity.ConsentID, string, error) {
	return keys(ctx, x, "consents"+string(recipient[:]), p, func(after []byte, limit int) (string, []any) {
		return sqlConsents, []any{recipient[:], some(after), limit}
	}, func(s string) (identity.ConsentID, error) {
		if len(s) != 52 {
			return identity.ConsentID{}, errors.New("the index holds a consent it cannot name; rebuild it")
		}
		return identity.ConsentID{Person: tx.Address([]byte(s[:20])), Recipient: recipient, Digest: [32]byte([]byte(s[20:]))}, nil
	})
}

// some is b, not nil, which SQL would take for nothing at all.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
