package openid4vp

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
)

// Format is the one format of credentials that is asked for and shown.
const Format = "dc+sd-jwt"

// The most parts of a query that are read.
const (
	maxQueries = 16
	maxClaims  = 64
	maxSets    = 32
	maxPath    = 16
)

// Query is a DCQL query (section 6): which credentials, with which claims.
type Query struct {
	Credentials []CredentialQuery `json:"credentials"`
	// Sets say which of the credentials are wanted; none: all.
	Sets []CredentialSet `json:"credential_sets,omitempty"`
}

// CredentialQuery asks for a credential.
type CredentialQuery struct {
	ID       string `json:"id"`
	Format   string `json:"format"`
	Multiple bool   `json:"multiple,omitempty"`
	Meta     Meta   `json:"meta"`
	// TrustedAuthorities are read only to be refused: whom to trust is for the ledger to say.
	TrustedAuthorities []json.RawMessage `json:"trusted_authorities,omitempty"`
	HolderBinding      *bool             `json:"require_cryptographic_holder_binding,omitempty"`
	Claims             []ClaimQuery      `json:"claims,omitempty"`
	// ClaimSets are choices of claims by their ids, the preferred first; none: all claims.
	ClaimSets [][]string `json:"claim_sets,omitempty"`
}

// Meta says which types of credential are wanted.
type Meta struct {
	VCTs []string `json:"vct_values"`
}

// ClaimQuery asks for a claim.
type ClaimQuery struct {
	ID string `json:"id,omitempty"`
	// Path has strings for members, numbers for elements and null for all elements (section 7).
	Path []any `json:"path"`
	// Values of which it must have one; none: any.
	Values []any `json:"values,omitempty"`
}

// CredentialSet is a choice among credentials by the ids of their queries, the preferred option first.
type CredentialSet struct {
	Options  [][]string `json:"options"`
	Required *bool      `json:"required,omitempty"`
}

func (s CredentialSet) required() bool { return s.Required == nil || *s.Required }

// Ask is a query for one credential of a schema of a ledger with top-level claims.
func Ask(network, schema string, claims ...string) Query {
	q := CredentialQuery{ID: "credential", Format: Format, Meta: Meta{VCTs: []string{credential.SchemaName(network, schema)}}}
	for _, name := range claims {
		q.Claims = append(q.Claims, ClaimQuery{Path: []any{name}})
	}
	return Query{Credentials: []CredentialQuery{q}}
}

func badRequest(what string) error {
	return fault.New("presentation.bad_request", "This is no request as OpenID4VP says: "+what+". Ask the site to repair it.")
}

func unsupported(what string) error {
	return fault.New("presentation.unsupported", "The request is for what this program does not do: "+what+".")
}

// ParseQuery reads a DCQL query. Members that are not known are passed over, as the standard says. Code presentation.bad_request, presentation.unsupported,
// presentation.too_large.
func ParseQuery(b []byte) (Query, error) {
	if _, err := sdjwt.DecodeObject(b); err != nil {
		return Query{}, badRequest("dcql_query is no JSON object, or one that can be read in two ways")
	}
	var q Query
	if err := json.Unmarshal(b, &q); err != nil {
		return Query{}, badRequest("dcql_query has a member of the wrong kind")
	}
	return q, q.check()
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

func (q *Query) check() error {
	if len(q.Credentials) == 0 {
		return badRequest("dcql_query asks for no credential")
	}
	if len(q.Credentials) > maxQueries || len(q.Sets) > maxSets {
		return fault.New("presentation.too_large", fmt.Sprintf("The request asks for more than %d credentials or has more than %d sets of them.", maxQueries, maxSets))
	}
	ids := map[string]bool{}
	for i := range q.Credentials {
		c := &q.Credentials[i]
		if !idPattern.MatchString(c.ID) || ids[c.ID] {
			return badRequest("the id of a credential is missing, not of letters, digits, _ and -, or there twice")
		}
		ids[c.ID] = true
		if err := c.check(); err != nil {
			return err
		}
	}
	for _, set := range q.Sets {
		if len(set.Options) == 0 || len(set.Options) > maxSets {
			return badRequest("a credential set has no options, or too many")
		}
		for _, option := range set.Options {
			if err := known(option, ids, "a credential set"); err != nil {
				return err
			}
		}
	}
	return nil
}

func known(names []string, ids map[string]bool, what string) error {
	if len(names) == 0 || len(names) > maxClaims {
		return badRequest(what + " has an empty option, or one that is too long")
	}
	for _, name := range names {
		if !ids[name] {
			return badRequest(what + " names an id that is nowhere")
		}
	}
	return nil
}

func (c *CredentialQuery) check() error {
	switch {
	case c.Format == "":
		return badRequest("a credential has no format")
	case len(c.TrustedAuthorities) > 0:
		return unsupported("trusted_authorities; the ledger says who may issue")
	case c.HolderBinding != nil && !*c.HolderBinding:
		return unsupported("a credential without proof of its holder, which anybody with a copy could show")
	case c.Format == Format && len(c.Meta.VCTs) == 0:
		return badRequest("meta has no vct_values")
	case len(c.Meta.VCTs) > maxSets || len(c.Claims) > maxClaims || len(c.ClaimSets) > maxSets:
		return fault.New("presentation.too_large", fmt.Sprintf("The request names more than %d types, %d claims or %d sets of claims.", maxSets, maxClaims, maxSets))
	case len(c.ClaimSets) > 0 && len(c.Claims) == 0:
		return badRequest("there are claim_sets and no claims")
	}
	ids := map[string]bool{}
	for _, claim := range c.Claims {
		if claim.ID == "" && len(c.ClaimSets) > 0 || claim.ID != "" && (!idPattern.MatchString(claim.ID) || ids[claim.ID]) {
			return badRequest("the id of a claim is missing, not of letters, digits, _ and -, or there twice")
		}
		ids[claim.ID] = true
		if err := claim.check(); err != nil {
			return err
		}
	}
	for _, set := range c.ClaimSets {
		if err := known(set, ids, "a claim set"); err != nil {
			return err
		}
	}
	return nil
}

func (c ClaimQuery) check() error {
	if len(c.Path) == 0 || len(c.Path) > maxPath || len(c.Values) > maxClaims {
		return badRequest("a claim has no path, or a path or values that are too long")
	}
	for _, step := range c.Path {
		switch s := step.(type) {
		case nil, string:
		case float64:
			if s < 0 || s > 1<<20 || s != float64(int(s)) {
				return badRequest("a step of a path is no index")
			}
		default:
			return badRequest("a step of a path is neither a name, an index nor null")
		}
	}
	for _, v := range c.Values {
		switch v.(type) {
		case string, float64, bool:
		default:
			return badRequest("a value to compare with is neither text, number nor true or false")
		}
	}
	return nil
}
