package openid4vp

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
)

// find lists the places that a path selects in claims (section 7.1).
func find(claims any, path []any) []sdjwt.Path {
	places := []sdjwt.Path{nil}
	values := []any{claims}
	for _, step := range path {
		var nextPlaces []sdjwt.Path
		var nextValues []any
		add := func(at sdjwt.Path, step, v any) {
			nextPlaces, nextValues = append(nextPlaces, append(slices.Clone(at), step)), append(nextValues, v)
		}
		for i, v := range values {
			object, _ := v.(map[string]any)
			array, _ := v.([]any)
			switch s := step.(type) {
			case string:
				if member, has := object[s]; has {
					add(places[i], s, member)
				}
			case float64:
				if at := int(s); at < len(array) {
					add(places[i], at, array[at])
				}
			case nil:
				for at, element := range array {
					add(places[i], at, element)
				}
			}
		}
		places, values = nextPlaces, nextValues
	}
	return places
}

// at is what is at a place that find found.
func at(v any, place sdjwt.Path) any {
	for _, step := range place {
		switch s := step.(type) {
		case string:
			v = v.(map[string]any)[s]
		case int:
			v = v.([]any)[s]
		}
	}
	return v
}

// places are where a credential has the claim, with one of the values if there are some.
func (c ClaimQuery) places(claims map[string]any) []sdjwt.Path {
	found := find(claims, c.Path)
	if len(c.Values) == 0 {
		return found
	}
	return slices.DeleteFunc(found, func(place sdjwt.Path) bool {
		v := at(claims, place)
		if n, ok := v.(json.Number); ok {
			v, _ = n.Float64()
		}
		return !slices.ContainsFunc(c.Values, func(want any) bool { return scalar(v) && v == want })
	})
}

func scalar(v any) bool {
	switch v.(type) {
	case string, float64, bool:
		return true
	}
	return false
}

// satisfied lists the places of the claims that a query wants of a credential: of the first set that it has. Code presentation.no_match.
func (c CredentialQuery) satisfied(held *credential.Credential) ([]sdjwt.Path, error) {
	if c.Format != Format || !slices.Contains(c.Meta.VCTs, credential.SchemaName(held.Issuer.Network, held.Schema)) {
		return nil, noMatch(c.ID)
	}
	sets := c.ClaimSets
	if len(sets) == 0 {
		sets = [][]string{nil}
	}
	for _, set := range sets {
		var out []sdjwt.Path
		complete := true
		for _, claim := range c.Claims {
			if set != nil && !slices.Contains(set, claim.ID) {
				continue
			}
			places := claim.places(held.Claims)
			complete = complete && len(places) > 0
			out = append(out, places...)
		}
		if complete {
			return out, nil
		}
	}
	return nil, noMatch(c.ID)
}

// shown is the query as it can be checked on a presentation: elements that are withheld move the others up, so an index stands for any element.
func (c CredentialQuery) shown() CredentialQuery {
	claims := make([]ClaimQuery, 0, len(c.Claims))
	for _, claim := range c.Claims {
		path := slices.Clone(claim.Path)
		for i, step := range path {
			if _, index := step.(float64); index {
				path[i] = nil
			}
		}
		claims = append(claims, ClaimQuery{claim.ID, path, claim.Values})
	}
	c.Claims = claims
	return c
}

func noMatch(id string) error {
	return fault.New("presentation.no_match", fmt.Sprintf("No credential here answers what the request calls %q: none is of a type that it wants and has all claims that it asks for.", id), "query", id)
}

// Answer is a credential that answers a query, and what it would disclose.
type Answer struct {
	// Query is the id of the query that it answers.
	Query      string
	Credential *credential.Credential
	// Disclose are the paths of the fields that would be disclosed and could be withheld; Shown are all that the site would see.
	Disclose, Shown []string
}

// Choose picks from the holder's credentials, in their order, what answers a query with the least: one for each query that is wanted, none for sets that are
// not required. Code presentation.no_match.
func (q Query) Choose(held []*credential.Credential) ([]Answer, error) {
	found := map[string]Answer{}
	for _, c := range q.Credentials {
		for _, h := range held {
			places, err := c.satisfied(h)
			if err != nil {
				continue
			}
			found[c.ID] = answer(c.ID, h, places)
			break
		}
	}
	ids, err := q.choice(func(id string) bool { _, ok := found[id]; return ok })
	if err != nil {
		return nil, err
	}
	var out []Answer
	for _, c := range q.Credentials {
		if slices.Contains(ids, c.ID) {
			out = append(out, found[c.ID])
		}
	}
	return out, nil
}

// choice says which queries have to be answered, of those that are had. Code presentation.no_match.
func (q Query) choice(had func(id string) bool) ([]string, error) {
	var out []string
	if len(q.Sets) == 0 {
		for _, c := range q.Credentials {
			if !had(c.ID) {
				return nil, noMatch(c.ID)
			}
			out = append(out, c.ID)
		}
		return out, nil
	}
	for _, set := range q.Sets {
		if !set.required() {
			continue
		}
		option := slices.IndexFunc(set.Options, func(ids []string) bool {
			return !slices.ContainsFunc(ids, func(id string) bool { return !had(id) })
		})
		if option < 0 {
			return nil, noMatch(set.Options[0][0])
		}
		out = append(out, set.Options[option]...)
	}
	return out, nil
}

// answer says what of a credential has to be disclosed for places of it: what is there, around it and within it.
func answer(id string, held *credential.Credential, places []sdjwt.Path) Answer {
	out := Answer{Query: id, Credential: held}
	for _, d := range held.Disclosures {
		if slices.ContainsFunc(places, func(p sdjwt.Path) bool { return begins(p, d.Path) || begins(d.Path, p) }) {
			out.Disclose = append(out.Disclose, d.Path.String())
		}
	}
	for _, f := range held.Fields() {
		if !f.Hidden || slices.Contains(out.Disclose, f.Path) {
			out.Shown = append(out.Shown, f.Path)
		}
	}
	return out
}

func begins(path, with sdjwt.Path) bool {
	return len(path) >= len(with) && slices.Equal(path[:len(with)], with)
}
