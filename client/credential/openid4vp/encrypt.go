package openid4vp

import (
	"crypto/ecdh"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"

	"github.com/dureledger/dure/client/credential/sdjwt"
)

// seal encrypts an answer to the site's key (RFC 7516, ECDH-ES).
func (e *encryption) seal(payload []byte) (string, error) {
	headers := jwe.NewHeaders()
	if e.kid != "" {
		if err := headers.Set(jwe.KeyIDKey, e.kid); err != nil {
			return "", fmt.Errorf("openid4vp: %w", err)
		}
	}
	enc := jwa.A128GCM()
	if e.enc == "A256GCM" {
		enc = jwa.A256GCM()
	}
	out, err := jwe.Encrypt(payload, jwe.WithKey(jwa.ECDH_ES(), e.key), jwe.WithContentEncryption(enc), jwe.WithProtectedHeaders(headers))
	if err != nil {
		return "", fmt.Errorf("openid4vp: encrypting: %w", err)
	}
	return string(out), nil
}

// sealedHeader reads the header of an encrypted answer. It must name what was offered, and no compression. Code presentation.bad_response.
func sealedHeader(text string) (map[string]any, error) {
	encoded, _, _ := strings.Cut(text, ".")
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.Count(text, ".") != 4 {
		return nil, badResponse("it is no JWE")
	}
	header, err := sdjwt.DecodeObject(b)
	if err != nil || header["alg"] != "ECDH-ES" || header["enc"] != "A128GCM" && header["enc"] != "A256GCM" || header["zip"] != nil || header["crit"] != nil {
		return nil, badResponse("it is not encrypted as was asked for")
	}
	return header, nil
}

// open decrypts an answer. Code presentation.bad_response.
func open(key *ecdh.PrivateKey, text string) ([]byte, error) {
	if _, err := sealedHeader(text); err != nil {
		return nil, err
	}
	out, err := jwe.Decrypt([]byte(text), jwe.WithKey(jwa.ECDH_ES(), key))
	if err != nil {
		return nil, badResponse("it is not encrypted to the key of its session")
	}
	return out, nil
}
