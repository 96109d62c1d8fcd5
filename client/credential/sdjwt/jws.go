package sdjwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/dureledger/dure/ledger/fault"
)

// base64url is that of RFC 7515, section 2: without padding.
var base64url = base64.RawURLEncoding.Strict()

// readBase64url reads it, of which each value has one text: line breaks, which the decoder skips, are refused.
func readBase64url(text string) ([]byte, error) {
	if at := strings.IndexAny(text, "\r\n"); at >= 0 {
		return nil, base64.CorruptInputError(at)
	}
	return base64url.DecodeString(text)
}

// JWS is a compact JWS that was read and not yet verified.
type JWS struct {
	// Text as it came.
	Text            string
	Header, Payload map[string]any
}

// ParseJWS reads a compact JWS whose payload is a JSON object. It does not verify it. Code credential.malformed, credential.too_large.
func ParseJWS(text string) (*JWS, error) {
	if len(text) > MaxText {
		return nil, tooLarge(fmt.Sprintf("%d bytes, more than %d", len(text), MaxText))
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, malformed("its first part is not three parts joined by points")
	}
	out := &JWS{Text: text}
	for i, part := range []*map[string]any{&out.Header, &out.Payload} {
		b, err := readBase64url(parts[i])
		if err != nil {
			return nil, malformed("a part is not base64url")
		}
		if *part, err = DecodeObject(b); err != nil {
			return nil, err
		}
	}
	if _, err := readBase64url(parts[2]); err != nil {
		return nil, malformed("the signature is not base64url")
	}
	if _, critical := out.Header["crit"]; critical {
		return nil, malformed("its header has crit, which asks for what this program does not know")
	}
	return out, nil
}

// Sign makes a compact JWS of a payload. The key is Ed25519 or P-256 and may be in hardware. The header's alg is set here. Code key.malformed.
func Sign(key crypto.Signer, header map[string]any, payload []byte) (string, error) {
	algorithm, err := algorithmOf(key.Public())
	if err != nil {
		return "", err
	}
	headers := jws.NewHeaders()
	for name, value := range header {
		if name == jws.JWKKey {
			if value, err = jwkOf(value); err != nil {
				return "", err
			}
		}
		if err := headers.Set(name, value); err != nil {
			return "", fmt.Errorf("sdjwt: header %s: %w", name, err)
		}
	}
	out, err := jws.Sign(payload, jws.WithKey(algorithm, key, jws.WithProtectedHeaders(headers)))
	if err != nil {
		return "", fmt.Errorf("sdjwt: signing: %w", err)
	}
	return string(out), nil
}

// Verify checks the header's typ, one of types, and the signature. The key says which algorithm counts: a header that names another is refused, whatever
// it is. Code credential.wrong_type, credential.bad_algorithm, credential.bad_signature, key.malformed.
func (j *JWS) Verify(public crypto.PublicKey, types ...string) error {
	typ, _ := j.Header["typ"].(string)
	if !slices.Contains(types, typ) {
		return fault.New("credential.wrong_type", fmt.Sprintf("It says that it is of type %.60q; %s is wanted here.", typ, strings.Join(types, " or ")), "typ", typ)
	}
	algorithm, err := algorithmOf(public)
	if err != nil {
		return err
	}
	named, _ := j.Header["alg"].(string)
	// RFC 9864 gives EdDSA over edwards25519 the name Ed25519.
	if named != algorithm.String() && (named != "Ed25519" || algorithm != jwa.EdDSA()) {
		return fault.New("credential.bad_algorithm", fmt.Sprintf("Its header says that it is signed by %.40q, and the signer's key is for %s. It was tampered with, or its maker "+
			"is at fault.", named, algorithm), "algorithm", named, "want", algorithm)
	}
	if named == "Ed25519" {
		algorithm = jwa.EdDSAEd25519()
	}
	if _, err := jws.Verify([]byte(j.Text), jws.WithKey(algorithm, public)); err != nil {
		return fault.New("credential.bad_signature", "The signature is not by the key that it should be by, over what is here: it is forged, or was altered.")
	}
	return nil
}

func algorithmOf(public crypto.PublicKey) (jwa.SignatureAlgorithm, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return jwa.EdDSA(), nil
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return jwa.ES256(), nil
		}
	}
	return jwa.SignatureAlgorithm{}, fault.New("key.malformed", "Credentials are signed by Ed25519 and P-256 keys alone. Use one of these.")
}

// PublicJWK is a public key as a JWK (RFC 7517): an Ed25519 or a P-256 key. Code key.malformed.
func PublicJWK(public crypto.PublicKey) (map[string]any, error) {
	if _, err := algorithmOf(public); err != nil {
		return nil, err
	}
	key, err := jwk.Import(public)
	if err != nil {
		return nil, fmt.Errorf("sdjwt: %w", err)
	}
	b, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("sdjwt: %w", err)
	}
	return DecodeObject(b)
}

// ParseJWK reads a public key: an Ed25519 or a P-256 key, without its private part. Code key.malformed.
func ParseJWK(v any) (crypto.PublicKey, error) {
	key, err := jwkOf(v)
	if err != nil {
		return nil, err
	}
	var public crypto.PublicKey
	if err := jwk.Export(key, &public); err != nil {
		return nil, badJWK()
	}
	if _, err := algorithmOf(public); err != nil {
		return nil, err
	}
	return public, nil
}

func jwkOf(v any) (jwk.Key, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, badJWK()
	}
	if _, private := object["d"]; private {
		return nil, fault.New("key.malformed", "The JWK has a private key in it. A private key must never be in a credential or a request: make a new one.")
	}
	b, err := json.Marshal(object)
	if err != nil {
		return nil, badJWK()
	}
	key, err := jwk.ParseKey(b)
	if err != nil {
		return nil, badJWK()
	}
	return key, nil
}

func badJWK() error {
	return fault.New("key.malformed", "The JWK is no usable public key. Ed25519 and P-256 keys are (RFC 7517, RFC 8037).")
}
