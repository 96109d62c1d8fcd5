package index

import (
	"bytes"
	"encoding/binary"
	"slices"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/identity"
	"github.com/dureledger/dure/modules/network"
)

// RightID names a right to issue a schema.
type RightID = identity.RightID

// FactID names a fact about an account.
type FactID = identity.FactID

// ConsentID names a consent of a person towards a recipient.
type ConsentID = identity.ConsentID

// identities answers which rights and facts hold, which takes the other modules.
var identities = all.Identity()

// ReadOrganisation is an organisation, or one that was dismissed, and whether there is one. A member's name is modules/network's.
func ReadOrganisation(r state.Reader, a tx.Address) (*identityv1.Organisation, bool) {
	stored, ok := identity.GetOrganisation(r, a)
	if member, is := network.Member(r, a); is {
		return &identityv1.Organisation{Name: member.GetName(), Kind: identityv1.Kind_KIND_MEMBER, Contact: stored.GetContact()}, true
	}
	return stored, ok && stored.GetSinceAt() != 0
}

// ReadOrganisations is a page of the addresses of all members and all that were ever admitted, in order. Codes page.bad_token, page.too_large.
func ReadOrganisations(r state.Reader, p Page) ([]tx.Address, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	after, err := p.after("organisations")
	if err != nil {
		return nil, "", err
	}
	var list []tx.Address
	for _, m := range network.Members(r) {
		list = append(list, tx.Address(m.GetAddress()))
	}
	identity.AscendOrganisations(r, func(a tx.Address, o *identityv1.Organisation) bool {
		if o.GetSinceAt() != 0 && !network.IsMember(r, a) {
			list = append(list, a)
		}
		return true
	})
	slices.SortFunc(list, func(a, b tx.Address) int { return bytes.Compare(a[:], b[:]) })
	from, _ := slices.BinarySearchFunc(list, after, func(a tx.Address, after []byte) int {
		if bytes.Compare(a[:], after) <= 0 {
			return -1
		}
		return 1
	})
	list = list[from:]
	if len(list) <= size {
		return list, "", nil
	}
	return list[:size], token("organisations", list[size-1][:]), nil
}

// ReadService is the service of an organisation at which people sign in, at a time in unix milliseconds. Code identity.unknown_service.
func ReadService(r state.Reader, a tx.Address, now int64) (*identityv1.StoredService, error) {
	return identities.ServiceAt(r, a, now)
}

// ReadServices is a page of the accounts that have a service at a time in unix milliseconds, in order. Codes page.bad_token, page.too_large.
func ReadServices(r state.Reader, now int64, p Page) ([]tx.Address, string, error) {
	return walk(p, "services", func(after []byte, fn func(tx.Address) bool) {
		identity.AscendServices(r, asAddress(after), func(a tx.Address) bool {
			if _, err := identities.ServiceAt(r, a, now); err != nil {
				return true
			}
			return fn(a)
		})
	}, func(a tx.Address) []byte { return a[:] })
}

// ReadSchema is a schema, and whether there is one of this name.
func ReadSchema(r state.Reader, schema string) (*identityv1.Schema, bool) {
	return identity.GetSchema(r, schema)
}

// ReadSchemas is a page of the names of all schemas, in alphabetical order. Codes page.bad_token, page.too_large.
func ReadSchemas(r state.Reader, p Page) ([]string, string, error) {
	return walk(p, "schemas", func(after []byte, fn func(string) bool) {
		identity.AscendSchemas(r, string(after), func(name string, _ *identityv1.Schema) bool { return fn(name) })
	}, func(s string) []byte { return []byte(s) })
}

// ReadRight is the right of an organisation to issue a schema as it is stored, and whether there is or was one.
func ReadRight(r state.Reader, id RightID) (*identityv1.Right, bool) { return identity.GetRight(r, id) }

// RightHolds says why an organisation has no right to issue a schema at a time in unix milliseconds, or nil.
func RightHolds(r state.Reader, id RightID, at int64) error { return identities.RightAt(r, id, at) }

// ReadRights is a page of the rights to issue a schema, in order of holder. Codes page.bad_token, page.too_large.
func ReadRights(r state.Reader, schema string, p Page) ([]RightID, string, error) {
	return walk(p, "rights to"+schema, func(after []byte, fn func(RightID) bool) {
		identity.AscendRights(r, schema, asAddress(after), func(id RightID, _ *identityv1.Right) bool { return fn(id) })
	}, func(id RightID) []byte { return id.Holder[:] })
}

// ReadFact is a fact as it is stored, and whether there is or was one.
func ReadFact(r state.Reader, id FactID) (*identityv1.Attribute, bool) {
	return identity.GetFact(r, id)
}

// FactHolds says why a fact does not hold at a time in unix milliseconds, or nil.
func FactHolds(r state.Reader, id FactID, a *identityv1.Attribute, at int64) error {
	return identities.FactAt(r, id, a, at)
}

// FindFact is the first fact of a schema about an account that holds at a time, and whether there is one; an empty value stands for any.
func FindFact(r state.Reader, account tx.Address, schema, value string, at int64) (FactID, bool) {
	return identities.Fact(r, account, schema, value, at)
}

// ReadFacts is a page of the facts about an account, of one schema unless that is empty, in order of schema, value and issuer. Codes
// page.bad_token, page.too_large.
func ReadFacts(r state.Reader, account tx.Address, schema string, p Page) ([]FactID, string, error) {
	return walk(p, "facts of"+string(account[:])+schema, func(after []byte, fn func(FactID) bool) {
		if schema != "" {
			identity.AscendFacts(r, account, schema, func(id FactID, _ *identityv1.Attribute) bool {
				return bytes.Compare(factAt(id), after) <= 0 || fn(id)
			})
			return
		}
		identity.AscendFactsOf(r, account, factAfter(after), func(id FactID, _ *identityv1.Attribute) bool { return fn(id) })
	}, factAt)
}

// factAt is where a fact stands among those about its account, as their keys sort.
func factAt(id FactID) []byte {
	return append(append(append(append([]byte(id.Schema), 0), id.Value...), 0), id.Issuer[:]...)
}

// factAfter reads what factAt writes; of anything else, which no page ended with, the beginning.
func factAfter(b []byte) (id FactID) {
	schema, rest, ok := bytes.Cut(b, []byte{0})
	value, issuer, more := bytes.Cut(rest, []byte{0})
	if ok && more && len(issuer) == len(id.Issuer) {
		id.Schema, id.Value, id.Issuer = string(schema), string(value), tx.Address(issuer)
	}
	return id
}

// ReadStatusList is a status list with its entries, and whether there is one.
func ReadStatusList(r state.Reader, issuer tx.Address, list uint32) (*identityv1.StatusList, []byte, bool) {
	return identity.StatusList(r, issuer, list)
}

// ReadStatusLists is a page of the numbers of an issuer's status lists, in order. Codes page.bad_token, page.too_large.
func ReadStatusLists(r state.Reader, issuer tx.Address, p Page) ([]uint32, string, error) {
	return walk(p, "status lists"+string(issuer[:]), func(after []byte, fn func(uint32) bool) {
		last := uint32(0)
		if len(after) == 4 {
			last = binary.BigEndian.Uint32(after)
		}
		identity.AscendLists(r, issuer, last, func(list uint32, _ *identityv1.StatusList) bool { return fn(list) })
	}, func(list uint32) []byte { return binary.BigEndian.AppendUint32(nil, list) })
}

// ReadListHead is a status list without its entries, and whether there is one.
func ReadListHead(r state.Reader, issuer tx.Address, list uint32) (*identityv1.StatusList, bool) {
	return identity.GetList(r, issuer, list)
}

// ReadStatus is the status of one entry of a list, and whether there is such an entry.
func ReadStatus(r state.Reader, issuer tx.Address, list, index uint32) (uint32, bool) {
	return identity.Status(r, issuer, list, index)
}

// ReadConsent is what a person agreed to towards a recipient, and whether they ever did.
func ReadConsent(r state.Reader, id ConsentID) (*identityv1.Consent, bool) {
	return identity.GetConsent(r, id)
}

// ReadConsents is a page of what a person agreed to, in order of recipient and digest. Codes page.bad_token, page.too_large.
func ReadConsents(r state.Reader, person tx.Address, p Page) ([]ConsentID, string, error) {
	return walk(p, "consents of"+string(person[:]), func(after []byte, fn func(ConsentID) bool) {
		var last ConsentID
		if len(after) == 52 {
			last.Recipient, last.Digest = tx.Address(after[:20]), [32]byte(after[20:])
		}
		identity.AscendConsents(r, person, last, func(id ConsentID, _ *identityv1.Consent) bool { return fn(id) })
	}, func(id ConsentID) []byte { return append(id.Recipient[:], id.Digest[:]...) })
}

// ConsentState says whether a consent is "given", "withdrawn" or "ended" at a time in unix milliseconds.
func ConsentState(c *identityv1.Consent, now int64) string { return identity.ConsentState(c, now) }

// walk pages through a list that the state itself has, in order of the keys that key gives.
func walk[T any](p Page, query string, ascend func(after []byte, fn func(T) bool), key func(T) []byte) ([]T, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	after, err := p.after(query)
	if err != nil {
		return nil, "", err
	}
	var out []T
	next := ""
	ascend(after, func(item T) bool {
		if len(out) == size {
			next = token(query, key(out[size-1]))
			return false
		}
		out = append(out, item)
		return true
	})
	return out, next, nil
}

// asAddress reads the address that a page ended with; of anything else, the beginning.
func asAddress(b []byte) (a tx.Address) {
	if len(b) == len(a) {
		copy(a[:], b)
	}
	return a
}
