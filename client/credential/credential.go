package credential

import (
	"crypto"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Credential is one that was read and not verified.
type Credential struct {
	*sdjwt.Token
	Issuer ID
	// Signer is the key in the header, by which it is signed if it holds.
	Signer tx.Key
	// Schema is the name on the issuer's ledger.
	Schema string
	// Holder is the key that has to sign presentations; nil if it is bound to none.
	Holder crypto.PublicKey
	Issued time.Time
	// NotBefore and Expires are zero if it does not say.
	NotBefore, Expires time.Time
	// List and Index are where its status is; List 0: nowhere.
	List, Index uint32

	signer crypto.PublicKey
}

// Read reads a credential or a presentation of one, and verifies nothing. Code credential.malformed, credential.too_large, credential.bad_name,
// credential.other_list, key.malformed.
func Read(text string) (*Credential, error) {
	token, err := sdjwt.Parse(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	c := &Credential{Token: token}
	for _, d := range token.Disclosures {
		if name, _ := d.Path[0].(string); slices.Contains(set, name) {
			return nil, fault.New("credential.malformed", "The claim "+name+" can be withheld, which SD-JWT VC forbids: whoever shows it could hide what it is.")
		}
	}
	if c.Issuer, err = ParseID(c.text("iss")); err != nil {
		return nil, err
	}
	network, schema, err := ParseSchema(c.text("vct"))
	if err != nil {
		return nil, err
	}
	if c.Schema = schema; network != c.Issuer.Network {
		return nil, fault.New("credential.wrong_network", "The credential's schema is of another ledger than its issuer.", "schema", network, "issuer", c.Issuer.Network)
	}
	if c.signer, c.Signer, err = HeaderKey(token.Issued); err != nil {
		return nil, err
	}
	if cnf, bound := token.Claims["cnf"].(map[string]any); bound {
		if c.Holder, err = sdjwt.ParseJWK(cnf["jwk"]); err != nil {
			return nil, err
		}
	}
	if err := c.readTimes(); err != nil {
		return nil, err
	}
	return c, c.readStatus()
}

// HeaderKey is the key that the header of a JWS has. Whether it is anybody's is for the ledger to say. Code key.malformed.
func HeaderKey(j *sdjwt.JWS) (crypto.PublicKey, tx.Key, error) {
	public, err := sdjwt.ParseJWK(j.Header["jwk"])
	if err != nil {
		return nil, tx.Key{}, err
	}
	key, err := tx.KeyOf(public)
	return public, key, err
}

func (c *Credential) text(claim string) string {
	s, _ := c.Claims[claim].(string)
	return s
}

func (c *Credential) readTimes() error {
	for name, at := range map[string]*time.Time{"iat": &c.Issued, "nbf": &c.NotBefore, "exp": &c.Expires} {
		v, says := c.Claims[name]
		if !says && name != "iat" {
			continue
		}
		var ok bool
		if *at, ok = sdjwt.Seconds(v); !ok {
			return fault.New("credential.malformed", "The credential's "+name+" is no time in whole seconds.")
		}
	}
	return nil
}

func (c *Credential) readStatus() error {
	status, says := c.Claims["status"]
	if !says {
		return nil
	}
	outer, _ := status.(map[string]any)
	entry, _ := outer["status_list"].(map[string]any)
	idx, isNumber := entry["idx"].(json.Number)
	index, err := idx.Int64()
	uri, _ := entry["uri"].(string)
	if !isNumber || err != nil || index < 0 || index > 1<<32-1 {
		return fault.New("credential.malformed", "The credential's status is not as the Token Status List says. Whether it was revoked cannot be told, so it is refused.")
	}
	issuer, list, err := ParseList(uri)
	if err != nil {
		return err
	}
	if issuer != c.Issuer {
		return fault.New("credential.other_list", "The credential's status is on a list of another account than its issuer's: the issuer could not revoke it.", "list", uri)
	}
	c.List, c.Index = list, uint32(index)
	return nil
}

// Field is one thing that a credential says of its holder.
type Field struct {
	// Path is how it is named to be disclosed, such as address.city.
	Path string `json:"field"`
	// Value as JSON; what is withheld within it is left out.
	Value any `json:"value"`
	// Hidden: the holder may withhold it.
	Hidden bool `json:"may_be_withheld"`
}

// Fields lists what it says, in order of the paths: each that can be withheld by itself, and each member at the top that cannot. Claims about the
// credential itself are left out.
func (c *Credential) Fields() []Field {
	var out []Field
	at := map[string]bool{}
	for _, d := range c.Disclosures {
		at[d.Path.String()] = true
		out = append(out, Field{d.Path.String(), lookup(c.Claims, d.Path), true})
	}
	for name, v := range c.Claims {
		if !at[name] && !slices.Contains(set, name) {
			out = append(out, Field{name, v, false})
		}
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// lookup finds what is at a path of claims that has it.
func lookup(v any, path sdjwt.Path) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			object, _ := v.(map[string]any)
			v = object[s]
		case int:
			array, _ := v.([]any)
			if s >= len(array) {
				return nil
			}
			v = array[s]
		}
	}
	return v
}

// Present discloses the fields named, and those around them, to an audience that gave a nonce. What cannot be withheld is shown too.
// Code credential.no_such_field, credential.not_bound, credential.wrong_holder.
func (c *Credential) Present(holder crypto.Signer, disclose []string, audience, nonce string, now time.Time) (string, error) {
	if c.Holder == nil {
		return "", fault.New("credential.not_bound", "The credential is bound to no key, so nobody can show that it is his. Ask the issuer for one that is.")
	}
	if own, ok := c.Holder.(interface{ Equal(crypto.PublicKey) bool }); !ok || !own.Equal(holder.Public()) {
		return "", fault.New("credential.wrong_holder", "The credential is bound to another key than this. Sign with the key that it was issued to.")
	}
	known := map[string]bool{}
	for _, f := range c.Fields() {
		known[f.Path] = true
	}
	for _, path := range disclose {
		if !known[path] {
			return "", fault.New("credential.no_such_field", fmt.Sprintf("The credential has no field %.80q to disclose. See its fields: dure credential show.", path), "field", path)
		}
	}
	shown, err := c.Select(func(d sdjwt.Disclosure) bool { return slices.Contains(disclose, d.Path.String()) })
	if err != nil {
		return "", err
	}
	bound, err := shown.Bind(holder, audience, nonce, now)
	if err != nil {
		return "", err
	}
	return bound.String(), nil
}
