package sdjwt

import (
	"crypto"
	"fmt"
	"io"
	"slices"
	"sort"
)

// Hidden is a value that the holder may withhold, wherever it stands: a member of an object or an element of an array, within others too.
type Hidden struct{ Value any }

// Hide marks a value as one that the holder may withhold.
func Hide(v any) Hidden { return Hidden{v} }

// saltSize is the bytes of a salt: 128 bits (RFC 9901, section 9.3).
const saltSize = 16

// concealer makes disclosures of what is hidden.
type concealer struct {
	decoys      int
	random      io.Reader
	disclosures []string
}

// Conceal takes what is hidden out of claims: the payload to be signed has digests in its place. Each object with something hidden gets that many decoys
// besides, digests of nothing, so that their number does not tell how much there is. Random is crypto/rand.Reader but in tests. Code credential.malformed,
// credential.too_large.
func Conceal(claims map[string]any, decoys int, random io.Reader) (payload map[string]any, disclosures []string, err error) {
	if decoys < 0 || decoys > MaxDisclosures {
		return nil, nil, tooLarge(fmt.Sprintf("%d decoys in each object; 0 to %d can be made", decoys, MaxDisclosures))
	}
	c := &concealer{decoys: decoys, random: random}
	if payload, err = c.object(claims, 0); err != nil {
		return nil, nil, err
	}
	if len(c.disclosures) > MaxDisclosures {
		return nil, nil, tooLarge(fmt.Sprintf("%d claims that can be withheld, more than %d", len(c.disclosures), MaxDisclosures))
	}
	payload[hashClaim] = sha256Name
	return payload, c.disclosures, nil
}

// Issue signs a payload that Conceal made and joins its disclosures to it. Code key.malformed, credential.too_large.
func Issue(key crypto.Signer, header, payload map[string]any, disclosures []string) (string, error) {
	b, err := encode(payload)
	if err != nil {
		return "", err
	}
	text, err := Sign(key, header, b)
	if err != nil {
		return "", err
	}
	text += "~"
	for _, d := range disclosures {
		text += d + "~"
	}
	if _, err := Parse(text); err != nil {
		return "", err // whoever gets it could not read it either
	}
	return text, nil
}

func (c *concealer) value(v any, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, tooLarge("objects and arrays nested too deep")
	}
	switch v := v.(type) {
	case Hidden:
		return nil, malformed("a hidden value is directly within another")
	case map[string]any:
		return c.object(v, depth)
	case []any:
		return c.array(v, depth)
	}
	return v, nil
}

func (c *concealer) object(o map[string]any, depth int) (map[string]any, error) {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	sort.Strings(names)
	out, digests := make(map[string]any, len(o)), []string{}
	for _, name := range names {
		if reserved(name) {
			return nil, malformed("a claim may not be named " + name)
		}
		hidden, hide := o[name].(Hidden)
		v := o[name]
		if hide {
			v = hidden.Value
		}
		inner, err := c.value(v, depth+1)
		if err != nil {
			return nil, err
		}
		if !hide {
			out[name] = inner
			continue
		}
		digest, err := c.disclose(name, inner)
		if err != nil {
			return nil, err
		}
		digests = append(digests, digest)
	}
	if len(digests) == 0 {
		return out, nil
	}
	for range c.decoys {
		salt, err := c.salt()
		if err != nil {
			return nil, err
		}
		digests = append(digests, digestOf(salt))
	}
	slices.Sort(digests) // their order must not tell that of the claims
	out[digestsClaim] = digests
	return out, nil
}

func (c *concealer) array(a []any, depth int) ([]any, error) {
	out := make([]any, 0, len(a))
	for _, v := range a {
		hidden, hide := v.(Hidden)
		if hide {
			v = hidden.Value
		}
		inner, err := c.value(v, depth+1)
		if err != nil {
			return nil, err
		}
		if hide {
			digest, err := c.disclose(inner)
			if err != nil {
				return nil, err
			}
			inner = map[string]any{elementName: digest}
		}
		out = append(out, inner)
	}
	return out, nil
}

// disclose makes the disclosure of a name and a value, or of a value, and returns its digest.
func (c *concealer) disclose(parts ...any) (string, error) {
	salt, err := c.salt()
	if err != nil {
		return "", err
	}
	b, err := encode(append([]any{salt}, parts...))
	if err != nil {
		return "", err
	}
	text := base64url.EncodeToString(b)
	c.disclosures = append(c.disclosures, text)
	return digestOf(text), nil
}

func (c *concealer) salt() (string, error) {
	b := make([]byte, saltSize)
	if _, err := io.ReadFull(c.random, b); err != nil {
		return "", fmt.Errorf("sdjwt: drawing a salt: %w", err)
	}
	return base64url.EncodeToString(b), nil
}
