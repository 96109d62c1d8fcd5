package sdjwt

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// Names that RFC 9901 keeps for itself.
const (
	digestsClaim = "_sd"
	hashClaim    = "_sd_alg"
	elementName  = "..."
	sha256Name   = "sha-256"
)

// Path says where a claim is: strings for members, ints for elements of arrays.
type Path []any

// String joins the steps by points, such as address.city or nationalities.0.
func (p Path) String() string {
	var b strings.Builder
	for i, step := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		switch s := step.(type) {
		case string:
			b.WriteString(s)
		case int:
			b.WriteString(strconv.Itoa(s))
		}
	}
	return b.String()
}

func (p Path) with(step any) Path { return append(p[:len(p):len(p)], step) }

// Disclosure reveals one claim or one element of an array.
type Disclosure struct {
	// Encoded is its text in the token.
	Encoded string
	// Path is where it belongs. The index of an element is that among the elements that are disclosed.
	Path Path
	// Value as it is in the disclosure: what is withheld within it is not there.
	Value any

	name    string
	element bool
	// within is the disclosure that has the digest of this one, -1: the signed part has.
	within int
}

// Token is an SD-JWT that was read: each disclosure has its place. It is not verified.
type Token struct {
	Issued      *JWS
	Disclosures []Disclosure
	// Claims are the payload with what is disclosed in its place, and without digests.
	Claims map[string]any
	// Binding is the key binding JWT; nil if there is none.
	Binding *JWS
}

// Parse reads an SD-JWT and puts its disclosures in their places (RFC 9901, section 7.1). It verifies no signature.
func Parse(text string) (*Token, error) {
	if len(text) > MaxText {
		return nil, tooLarge(fmt.Sprintf("%d bytes, more than %d", len(text), MaxText))
	}
	parts := strings.Split(text, "~")
	if len(parts) < 2 {
		return nil, malformed("it has no ~")
	}
	encoded, binding := parts[1:len(parts)-1], parts[len(parts)-1]
	if len(encoded) > MaxDisclosures {
		return nil, tooLarge(fmt.Sprintf("%d disclosures, more than %d", len(encoded), MaxDisclosures))
	}
	t := &Token{}
	var err error
	if t.Issued, err = ParseJWS(parts[0]); err != nil {
		return nil, err
	}
	if binding != "" {
		if t.Binding, err = ParseJWS(binding); err != nil {
			return nil, err
		}
	}
	for _, e := range encoded {
		d, err := parseDisclosure(e)
		if err != nil {
			return nil, err
		}
		t.Disclosures = append(t.Disclosures, d)
	}
	return t, t.resolve()
}

func parseDisclosure(encoded string) (Disclosure, error) {
	d := Disclosure{Encoded: encoded, within: -1}
	b, err := readBase64url(encoded)
	if err != nil || encoded == "" {
		return d, malformed("a disclosure is not base64url")
	}
	v, err := decode(b)
	if err != nil {
		return d, err
	}
	parts, _ := v.([]any)
	if len(parts) != 2 && len(parts) != 3 {
		return d, malformed("a disclosure is not an array of two or three")
	}
	if _, ok := parts[0].(string); !ok {
		return d, malformed("the salt of a disclosure is no text")
	}
	d.Value = parts[len(parts)-1]
	if d.element = len(parts) == 2; d.element {
		return d, nil
	}
	name, ok := parts[1].(string)
	if !ok || reserved(name) {
		return d, malformed("a disclosure has no name, or one that is kept for digests")
	}
	d.name = name
	return d, nil
}

func reserved(name string) bool {
	return name == digestsClaim || name == elementName || name == hashClaim
}

// String is the token as it is sent.
func (t *Token) String() string {
	if t.Binding != nil {
		return t.unbound() + t.Binding.Text
	}
	return t.unbound()
}

// unbound is what the holder signs the hash of.
func (t *Token) unbound() string {
	var b strings.Builder
	b.WriteString(t.Issued.Text)
	b.WriteByte('~')
	for _, d := range t.Disclosures {
		b.WriteString(d.Encoded)
		b.WriteByte('~')
	}
	return b.String()
}

// Select is the token with those disclosures alone that keep says, and those that they are within. It has no key binding.
func (t *Token) Select(keep func(Disclosure) bool) (*Token, error) {
	kept := make([]bool, len(t.Disclosures))
	for i, d := range t.Disclosures {
		if keep(d) {
			for at := i; at >= 0 && !kept[at]; at = t.Disclosures[at].within {
				kept[at] = true
			}
		}
	}
	out := &Token{Issued: t.Issued}
	for i, d := range t.Disclosures {
		if kept[i] {
			again, err := parseDisclosure(d.Encoded)
			if err != nil {
				return nil, err
			}
			out.Disclosures = append(out.Disclosures, again)
		}
	}
	return out, out.resolve()
}

// Verify checks the issuer's signature and typ. Codes of [JWS.Verify].
func (t *Token) Verify(issuer crypto.PublicKey, types ...string) error {
	return t.Issued.Verify(issuer, types...)
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64url.EncodeToString(sum[:])
}

func checkHash(payload map[string]any) error {
	if name, named := payload[hashClaim]; named && name != sha256Name {
		return fault.New("credential.bad_algorithm", fmt.Sprintf("Its digests are by %.40q; sha-256 is the one that is taken.", fmt.Sprint(name)), "algorithm", name)
	}
	return nil
}
