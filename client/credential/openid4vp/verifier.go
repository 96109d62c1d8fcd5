package openid4vp

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
)

// Config is a site's.
type Config struct {
	// URL is the address under which the Verifier is mounted, as wallets reach it. It is https, or on this machine while a site is made.
	URL string
	// Account and Key sign requests, so that wallets can tell who asks. Without a key they are not signed.
	Account credential.ID
	Key     crypto.Signer
	// Ledger verifies what is presented.
	Ledger credential.Ledger
	// Check is what is wanted beside what a query says: issuers, keys of today, revocability. Audience, Nonce and Now are set here.
	Check credential.Check
	// Encrypt asks for encrypted answers (direct_post.jwt).
	Encrypt bool
	// Lifetime of a session; 0 means 5 minutes. Most sessions open at a time; 0 means 10,000.
	Lifetime time.Duration
	Most     int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Verifier asks wallets for presentations. It is an http.Handler for what wallets ask and answer, to be mounted under Config.URL.
type Verifier struct {
	cfg      Config
	clientID string
	path     string
	open     sessions
}

// NewVerifier makes a site's side. Code presentation.bad_link.
func NewVerifier(cfg Config) (*Verifier, error) {
	if err := checkAddress(cfg.URL); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(cfg.URL, "/") {
		cfg.URL += "/"
	}
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, badRequest("the site's address cannot be read")
	}
	if cfg.Lifetime <= 0 {
		cfg.Lifetime = 5 * time.Minute
	}
	if cfg.Most <= 0 {
		cfg.Most = 10_000
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	v := &Verifier{cfg: cfg, path: u.Path, open: sessions{most: cfg.Most, by: map[string]*session{}}}
	v.clientID = prefixURI + v.responseURI()
	if cfg.Key != nil {
		v.clientID = prefixDID + cfg.Account.String()
	}
	return v, nil
}

func (v *Verifier) responseURI() string { return v.cfg.URL + "response" }

// Session is what a site has of a session.
type Session struct {
	// ID opens the result: a secret of the browser's, for a cookie.
	ID string
	// URI is for the link on the same device or the QR code.
	URI   string
	Until time.Time
}

// At is the link for a wallet that is a page, by its address, such as https://node.example/wallet/: no program of the device has to know openid4vp: for it.
func (s *Session) At(wallet string) string {
	return wallet + strings.TrimPrefix(s.URI, schemeRequest+"://")
}

// Begin asks for presentations. With back, an address of the site's, the wallet on the same device sends its browser there with a response code
// (response_code), without which the result does not open; "" is for QR codes. Code presentation.busy, presentation.bad_request, presentation.bad_link.
func (v *Verifier) Begin(query Query, back string) (*Session, error) {
	if err := query.check(); err != nil {
		return nil, err
	}
	if back != "" {
		if err := checkAddress(back); err != nil {
			return nil, err
		}
	}
	now := v.cfg.Now()
	s := &session{id: random(), link: random(), nonce: random(), state: random(), code: random(), kid: random(), query: query, back: back, until: now.Add(v.cfg.Lifetime)}
	if v.cfg.Encrypt {
		key, err := ecdh.P256().GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("openid4vp: %w", err)
		}
		s.key = key
	}
	uri, err := v.uri(s)
	if err != nil {
		return nil, err
	}
	if err := v.open.add(s, now); err != nil {
		return nil, err
	}
	return &Session{s.id, uri, s.until}, nil
}

// Result hands a session's result out, once. code is the response_code that the browser brought back, "" for QR codes.
// Code presentation.pending, presentation.wrong_code, presentation.unknown_session.
func (v *Verifier) Result(id, code string) (*Result, error) {
	return v.open.take(id, code, v.cfg.Now())
}

// uri is the link: to the signed request, which is short enough for a QR code, or the unsigned request itself.
func (v *Verifier) uri(s *session) (string, error) {
	values := url.Values{"client_id": {v.clientID}}
	if v.cfg.Key != nil {
		values.Set("request_uri", v.cfg.URL+"request/"+s.link)
		values.Set("request_uri_method", "post")
		return schemeRequest + "://?" + values.Encode(), nil
	}
	for name, p := range v.parameters(s) {
		text, isText := p.(string)
		if !isText {
			b, err := json.Marshal(p)
			if err != nil {
				return "", fmt.Errorf("openid4vp: %w", err)
			}
			text = string(b)
		}
		values.Set(name, text)
	}
	return schemeRequest + "://?" + values.Encode(), nil
}

// parameters are the request (section 5).
func (v *Verifier) parameters(s *session) map[string]any {
	p := map[string]any{
		"client_id": v.clientID, "response_type": responseType, "response_mode": modePost, "response_uri": v.responseURI(),
		"nonce": s.nonce, "state": s.state, "dcql_query": s.query,
	}
	algorithms := map[string]any{"sd-jwt_alg_values": []string{"ES256", "EdDSA"}, "kb-jwt_alg_values": []string{"ES256", "EdDSA"}}
	metadata := map[string]any{"vp_formats_supported": map[string]any{Format: algorithms}}
	if s.key != nil {
		p["response_mode"] = modePostJWT
		point := s.key.PublicKey().Bytes()
		encode := base64.RawURLEncoding.EncodeToString
		metadata["jwks"] = map[string]any{"keys": []any{map[string]any{
			"kty": "EC", "crv": "P-256", "use": "enc", "alg": "ECDH-ES", "kid": s.kid, "x": encode(point[1:33]), "y": encode(point[33:]),
		}}}
		metadata["encrypted_response_enc_values_supported"] = []string{"A128GCM", "A256GCM"}
	}
	p["client_metadata"] = metadata
	return p
}

// object is the signed request, for a wallet that gave a nonce or none.
func (v *Verifier) object(s *session, walletNonce string) (string, error) {
	p := v.parameters(s)
	// No iss: client_id says who asks, wallets have to pass over iss (section 5), and some compare it with the DID of kid, which has no prefix.
	p["aud"], p["iat"], p["exp"] = audience, v.cfg.Now().Unix(), s.until.Unix()
	if walletNonce != "" {
		p["wallet_nonce"] = walletNonce
	}
	payload, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("openid4vp: %w", err)
	}
	header, err := credential.Header(v.cfg.Key, v.cfg.Account)
	if err != nil {
		return "", err
	}
	header["typ"] = typeRequest
	return sdjwt.Sign(v.cfg.Key, header, payload)
}
