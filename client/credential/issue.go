package credential

import (
	"crypto"
	"io"
	"slices"
	"time"

	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Type is the typ of an SD-JWT VC, and TypeBefore the one of drafts before November 2024, which is read still.
const (
	Type       = "dc+sd-jwt"
	TypeBefore = "vc+sd-jwt"
)

// Terms are what a credential says.
type Terms struct {
	Issuer ID
	// Schema is its name on the ledger of the issuer.
	Schema string
	// Holder is the key that has to sign each presentation: Ed25519 or P-256.
	Holder crypto.PublicKey
	// Claims beside those that are set here. What is marked with sdjwt.Hide the holder may withhold.
	Claims map[string]any
	Issued time.Time
	// NotBefore and Expires may be zero: from the issue on, and without an end.
	NotBefore, Expires time.Time
	// List and Index are the status list of the issuer and the credential's entry in it. List 0: it can never be revoked.
	List, Index uint32
	// Decoys are digests of nothing beside those of claims, so that their number tells less.
	Decoys int
}

// set are the claims that Issue sets itself, and those that a holder must not be able to withhold (SD-JWT VC, section 3.2.2).
var set = []string{"iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "aud", "nonce", "sd_hash"}

// Issue makes a credential and signs it with the key that acts for the issuer's account. Random is crypto/rand.Reader but in tests.
// Code credential.reserved_claim, credential.bad_name, key.malformed and those of [sdjwt.Conceal].
func Issue(key crypto.Signer, t Terms, random io.Reader) (string, error) {
	claims := map[string]any{}
	for name, v := range t.Claims {
		if slices.Contains(set, name) {
			return "", fault.New("credential.reserved_claim", "The claim "+name+" is not for the issuer to choose; it is set by what the credential is. Name yours otherwise.", "claim", name)
		}
		claims[name] = v
	}
	claims["iss"], claims["vct"], claims["iat"] = t.Issuer.String(), SchemaName(t.Issuer.Network, t.Schema), t.Issued.Unix()
	if _, _, err := ParseSchema(claims["vct"].(string)); err != nil {
		return "", err
	}
	for name, at := range map[string]time.Time{"nbf": t.NotBefore, "exp": t.Expires} {
		if !at.IsZero() {
			claims[name] = at.Unix()
		}
	}
	holder, err := sdjwt.PublicJWK(t.Holder)
	if err != nil {
		return "", err
	}
	claims["cnf"] = map[string]any{"jwk": holder}
	if t.List > 0 {
		claims["status"] = map[string]any{"status_list": map[string]any{"idx": t.Index, "uri": ListName(t.Issuer, t.List)}}
	}
	header, err := Header(key, t.Issuer)
	if err != nil {
		return "", err
	}
	header["typ"] = Type
	payload, disclosures, err := sdjwt.Conceal(claims, t.Decoys, random)
	if err != nil {
		return "", err
	}
	return sdjwt.Issue(key, header, payload, disclosures)
}

// Header says whose key signs: the key itself and its name within the account's, for any JWS that an account signs. Code key.malformed.
func Header(key crypto.Signer, account ID) (map[string]any, error) {
	public, err := tx.KeyOf(key.Public())
	if err != nil {
		return nil, err
	}
	jwk, err := sdjwt.PublicJWK(key.Public())
	if err != nil {
		return nil, err
	}
	return map[string]any{"jwk": jwk, "kid": account.String() + "#" + public.Address().String()}, nil
}
