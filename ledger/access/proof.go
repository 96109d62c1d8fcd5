package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// Limits of a proof, in bytes.
const (
	// MaxProof is the longest.
	MaxProof = 4096
	// MaxID is the longest jti.
	MaxID = 128
)

// proofType is the typ of a proof (RFC 9449, section 4.2).
const proofType = "dpop+jwt"

// Proof is one request's proof that whoever sends a token has the key it is bound to: a JWT signed by ES256.
type Proof struct {
	// Thumbprint names the key, which the proof carries.
	Thumbprint string
	// Method and URL are the request's, the URL without query and fragment.
	Method, URL string
	// At is when it was made, in unix seconds.
	At int64
	// ID is in no other proof.
	ID string
	// Token is TokenHash of the token it goes with.
	Token string
}

// TokenHash is how a proof names its token: base64url of the SHA-256.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Thumbprint names a public key of P-256 (RFC 7638): base64url of the SHA-256 of its JWK, 43 characters.
func Thumbprint(key *ecdsa.PublicKey) (string, error) {
	k, err := jwkOf(key)
	if err != nil {
		return "", err
	}
	return k.thumbprint(), nil
}

// jwk is a public key as JSON, its members in the order of RFC 7638.
type jwk struct {
	Curve string `json:"crv"`
	Type  string `json:"kty"`
	X     string `json:"x"`
	Y     string `json:"y"`
	// D is there in a private key, which a proof must not show.
	D string `json:"d,omitempty"`
}

func jwkOf(key *ecdsa.PublicKey) (jwk, error) {
	point, err := key.Bytes() // 04, x, y
	if err != nil || len(point) != 65 {
		return jwk{}, bad("its key is not of P-256")
	}
	coordinate := base64.RawURLEncoding.EncodeToString
	return jwk{Curve: "P-256", Type: "EC", X: coordinate(point[1:33]), Y: coordinate(point[33:])}, nil
}

func (k jwk) thumbprint() string {
	text := `{"crv":"P-256","kty":"EC","x":"` + k.X + `","y":"` + k.Y + `"}`
	return TokenHash(text)
}

// public is the key, if it is one that may sign proofs.
func (k jwk) public() (*ecdsa.PublicKey, error) {
	x, errX := base64.RawURLEncoding.Strict().DecodeString(k.X)
	y, errY := base64.RawURLEncoding.Strict().DecodeString(k.Y)
	switch {
	case k.D != "":
		return nil, bad("it shows a private key; make a new one, for this one is nobody's secret any more")
	case k.Type != "EC" || k.Curve != "P-256" || errX != nil || errY != nil || len(x) != 32 || len(y) != 32:
		return nil, bad("its jwk is no public key of P-256")
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil, bad("its jwk is no point of P-256")
	}
	return key, nil
}

type header struct {
	Type      string          `json:"typ"`
	Algorithm string          `json:"alg"`
	Key       jwk             `json:"jwk"`
	Critical  json.RawMessage `json:"crit,omitempty"`
}

type claims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	At     int64  `json:"iat"`
	Token  string `json:"ath"`
}

// Draft is what a proof's key signs, by ECDSA of P-256 over its SHA-256; Complete adds the signature. The thumbprint of p
// is not looked at: the key's is meant.
func Draft(p Proof, key *ecdsa.PublicKey) (string, error) {
	k, err := jwkOf(key)
	if err != nil {
		return "", err
	}
	return part(header{Type: proofType, Algorithm: "ES256", Key: k}) + "." +
		part(claims{ID: p.ID, Method: p.Method, URL: p.URL, At: p.At, Token: p.Token}), nil
}

// Complete is the proof of a draft with its signature: r and s of 32 bytes each.
func Complete(draft string, signature []byte) string {
	return draft + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func part(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers can always be written
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Parse reads a proof and checks its signature, and nothing that needs a clock, a request or a token. Code access.proof_bad.
func Parse(text string) (*Proof, error) {
	if len(text) > MaxProof {
		return nil, bad("it is longer than 4,096 bytes")
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, bad("it is no signed JWT, which has three parts")
	}
	var h header
	var c claims
	if !read(parts[0], &h) || !read(parts[1], &c) {
		return nil, bad("its parts are not base64url of JSON with the members of a proof")
	}
	if h.Type != proofType || h.Algorithm != "ES256" || h.Critical != nil {
		return nil, bad("its header must have typ dpop+jwt and alg ES256, and no crit")
	}
	key, err := h.Key.public()
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return nil, bad("its signature is not r and s of 32 bytes each in base64url")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return nil, bad("its signature is not by the key it shows")
	}
	if c.ID == "" || len(c.ID) > MaxID {
		return nil, bad("its jti must have 1 to 128 bytes")
	}
	return &Proof{Thumbprint: h.Key.thumbprint(), Method: c.Method, URL: c.URL, At: c.At, ID: c.ID, Token: c.Token}, nil
}

// read decodes one part: one JSON value and nothing after it.
func read(part string, v any) bool {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return err == nil && json.Unmarshal(text, v) == nil
}

func bad(why string) error {
	return fault.New("access.proof_bad", "The DPoP proof of this request does not count: "+why+". Make a new one for each request (docs/access.md).")
}
