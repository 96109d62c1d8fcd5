package sdjwt

import (
	"slices"

	"github.com/dureledger/dure/ledger/fault"
)

// resolver puts disclosures in their places.
type resolver struct {
	token *Token
	// at finds the disclosure of a digest.
	at map[string]int
	// seen has every digest met, whether or not its disclosure is here.
	seen map[string]bool
	used []bool
}

// resolve follows RFC 9901, section 7.1, step 3 and on.
func (t *Token) resolve() error {
	if err := checkHash(t.Issued.Payload); err != nil {
		return err
	}
	r := &resolver{token: t, at: map[string]int{}, seen: map[string]bool{}, used: make([]bool, len(t.Disclosures))}
	for i, d := range t.Disclosures {
		digest := digestOf(d.Encoded)
		if _, twice := r.at[digest]; twice {
			return fault.New("credential.duplicate_digest", "A disclosure is there twice. The credential was put together wrongly; ask for it anew.")
		}
		r.at[digest] = i
	}
	claims, err := r.object(t.Issued.Payload, nil, -1, 0)
	if err != nil {
		return err
	}
	if slices.Contains(r.used, false) {
		return fault.New("credential.foreign_disclosure", "Something is disclosed that the issuer's signature does not cover: its digest is not in the credential. It was added by somebody else.")
	}
	delete(claims, hashClaim)
	t.Claims = claims
	return nil
}

func (r *resolver) value(v any, path Path, within, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, tooLarge("objects and arrays nested too deep")
	}
	switch v := v.(type) {
	case map[string]any:
		return r.object(v, path, within, depth)
	case []any:
		return r.array(v, path, within, depth)
	}
	return v, nil
}

func (r *resolver) object(o map[string]any, path Path, within, depth int) (map[string]any, error) {
	out := make(map[string]any, len(o))
	for name, v := range o {
		switch {
		case name == digestsClaim:
			continue
		case name == elementName:
			return nil, malformed("the name ... stands where no element of an array is")
		case name == hashClaim && (depth > 0 || within >= 0):
			return nil, malformed("_sd_alg stands elsewhere than at the top")
		}
		inner, err := r.value(v, path.with(name), within, depth+1)
		if err != nil {
			return nil, err
		}
		out[name] = inner
	}
	digests, present := o[digestsClaim]
	if !present {
		return out, nil
	}
	list, ok := digests.([]any)
	if !ok {
		return nil, malformed("_sd is no array")
	}
	for _, digest := range list {
		if err := r.member(out, digest, path, within, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// member puts the claim of a digest into its object, if it is disclosed.
func (r *resolver) member(out map[string]any, digest any, path Path, within, depth int) error {
	i, found, err := r.meet(digest, within)
	if err != nil || !found {
		return err
	}
	d := &r.token.Disclosures[i]
	if d.element {
		return malformed("an element of an array is disclosed where a claim with a name is due")
	}
	if _, taken := out[d.name]; taken {
		return fault.New("credential.duplicate_claim", "A disclosure would replace a claim that is there already. The credential is refused, as it can be read in two ways.")
	}
	d.Path = path.with(d.name)
	v, err := r.value(d.Value, d.Path, i, depth+1)
	if err != nil {
		return err
	}
	out[d.name] = v
	return nil
}

func (r *resolver) array(a []any, path Path, within, depth int) ([]any, error) {
	out := make([]any, 0, len(a))
	for _, v := range a {
		inside := within
		if o, ok := v.(map[string]any); ok {
			if digest, hidden := o[elementName]; hidden {
				if len(o) != 1 {
					return nil, malformed("an element of an array has a digest and something else")
				}
				i, found, err := r.meet(digest, within)
				if err != nil {
					return nil, err
				}
				if !found {
					continue
				}
				d := &r.token.Disclosures[i]
				if !d.element {
					return nil, malformed("a claim with a name is disclosed where an element of an array is due")
				}
				d.Path = path.with(len(out))
				v, inside = d.Value, i
			}
		}
		inner, err := r.value(v, path.with(len(out)), inside, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, inner)
	}
	return out, nil
}

// meet notes a digest and finds its disclosure.
func (r *resolver) meet(digest any, within int) (at int, found bool, err error) {
	text, ok := digest.(string)
	if !ok {
		return 0, false, malformed("a digest is no text")
	}
	if r.seen[text] {
		return 0, false, fault.New("credential.duplicate_digest", "A digest is in the credential twice. It is refused, as one disclosure would stand in two places.")
	}
	r.seen[text] = true
	if at, found = r.at[text]; found {
		r.used[at] = true
		r.token.Disclosures[at].within = within
	}
	return at, found, nil
}
