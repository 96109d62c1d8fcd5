package identity

import (
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Has says whether somebody entitled attests a fact of a schema about an account, which holds at a time in unix milliseconds; an empty value
// stands for any. It looks at MaxFacts facts at most. Other modules declare what they need of it:
//
//	type Identity interface {
//		Has(r state.Reader, account tx.Address, schema, value string, at int64) bool
//	}
//
// Of the past it knows what the ledger has now: since when each fact and right has held without a break. What was lost and given anew does not hold
// for times before, even if it did then.
func (m *Module) Has(r state.Reader, account tx.Address, schema, value string, at int64) bool {
	_, ok := m.Fact(r, account, schema, value, at)
	return ok
}

// Fact is Has with the fact that it rests on: the first in order of value and issuer.
func (m *Module) Fact(r state.Reader, account tx.Address, schema, value string, at int64) (found FactID, ok bool) {
	AscendFacts(r, account, schema, func(id FactID, a *identityv1.Attribute) bool {
		if (value == "" || value == id.Value) && m.FactAt(r, id, a, at) == nil {
			found, ok = id, true
		}
		return !ok
	})
	return found, ok
}

// GetOrganisation returns what is stored of an organisation that was admitted, or of a member with a contact, and whether there is anything.
func GetOrganisation(g state.Getter, a tx.Address) (*identityv1.Organisation, bool) {
	return organisations.Get(g, a)
}

// AscendOrganisations calls fn for what is stored of each, also those dismissed, in order of address, until fn returns false.
func AscendOrganisations(r state.Reader, fn func(tx.Address, *identityv1.Organisation) bool) {
	organisations.Ascend(r, nil, fn)
}

// GetSchema returns a schema and whether there is one of this name.
func GetSchema(g state.Getter, schema string) (*identityv1.Schema, bool) {
	return schemas.Get(g, schema)
}

// AscendSchemas calls fn for each schema after a name, in alphabetical order, until fn returns false.
func AscendSchemas(r state.Reader, after string, fn func(string, *identityv1.Schema) bool) {
	schemas.AscendAfter(r, nil, after, fn)
}

// GetRight returns the right of an organisation to issue a schema as it is stored, whether or not it holds, and whether there is one.
func GetRight(g state.Getter, id RightID) (*identityv1.Right, bool) { return rights.Get(g, id) }

// AscendRights calls fn for each right to issue a schema after a holder's, in order of holder, until fn returns false.
func AscendRights(r state.Reader, schema string, after tx.Address, fn func(RightID, *identityv1.Right) bool) {
	rights.AscendAfter(r, appendName(nil, schema), RightID{schema, after}, fn)
}

// AscendAllRights calls fn for each right, in order of schema and holder, until fn returns false.
func AscendAllRights(r state.Reader, fn func(RightID, *identityv1.Right) bool) {
	rights.Ascend(r, nil, fn)
}

// GetFact returns a fact as it is stored, whether or not it holds, and whether there is one.
func GetFact(g state.Getter, id FactID) (*identityv1.Attribute, bool) { return facts.Get(g, id) }

// AscendFacts calls fn for each fact of a schema about an account, at most MaxFacts, in order of value and issuer, until fn returns false.
func AscendFacts(r state.Reader, account tx.Address, schema string, fn func(FactID, *identityv1.Attribute) bool) {
	facts.Ascend(r, appendName(account[:len(account):len(account)], schema), fn)
}

// AscendFactsOf calls fn for each fact about an account after one, in order of schema, value and issuer, until fn returns false.
func AscendFactsOf(r state.Reader, account tx.Address, after FactID, fn func(FactID, *identityv1.Attribute) bool) {
	after.Account = account
	facts.AscendAfter(r, account[:], after, fn)
}

// AscendAllFacts calls fn for each fact, in order of account, schema, value and issuer, until fn returns false.
func AscendAllFacts(r state.Reader, fn func(FactID, *identityv1.Attribute) bool) {
	facts.Ascend(r, nil, fn)
}

// GetList returns a status list without its entries, and whether there is one.
func GetList(g state.Getter, issuer tx.Address, list uint32) (*identityv1.StatusList, bool) {
	return lists.Get(g, ListID{issuer, list})
}

// AscendLists calls fn for each status list of an issuer after one, in order of number, until fn returns false.
func AscendLists(r state.Reader, issuer tx.Address, after uint32, fn func(uint32, *identityv1.StatusList) bool) {
	lists.AscendAfter(r, issuer[:], ListID{issuer, after}, func(id ListID, l *identityv1.StatusList) bool { return fn(id.List, l) })
}

// AscendAllConsents calls fn for each consent, in order of person, recipient and digest, until fn returns false.
func AscendAllConsents(r state.Reader, fn func(ConsentID, *identityv1.Consent) bool) {
	consents.Ascend(r, nil, fn)
}

// ConsentKey is the raw state key of a consent, for state proofs.
func ConsentKey(id ConsentID) []byte { return consents.Key(id) }

// FactKey is the raw state key of a fact, for state proofs.
func FactKey(id FactID) []byte { return facts.Key(id) }
