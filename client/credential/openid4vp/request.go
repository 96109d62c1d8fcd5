package openid4vp

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
)

// The standard's words that are known here.
const (
	modePost      = "direct_post"
	modePostJWT   = "direct_post.jwt"
	prefixDID     = "decentralized_identifier:"
	prefixURI     = "redirect_uri:"
	typeRequest   = "oauth-authz-req+jwt"
	audience      = "https://self-issued.me/v2"
	responseType  = "vp_token"
	mediaRequest  = "application/" + typeRequest
	mediaForm     = "application/x-www-form-urlencoded"
	schemeRequest = "openid4vp"
)

// MaxRequest is the most bytes of a request, as a link or as an object.
const MaxRequest = 64 << 10

// Request is a request for a presentation that was read and, if it is signed, verified.
type Request struct {
	// ClientID is the site's name, which the presentation is for.
	ClientID string
	// Verifier is the account that signed the request; nil: nobody did.
	Verifier *credential.ID
	// ResponseURI is where the answer goes.
	ResponseURI string
	Nonce       string
	State       string
	Query       Query
	// encrypt is how the answer is encrypted; nil: it is not.
	encrypt *encryption
}

// Site is the host that the answer goes to.
func (r *Request) Site() string {
	u, err := url.Parse(r.ResponseURI)
	if err != nil {
		return r.ResponseURI
	}
	return u.Host
}

// encryption is the site's key for this answer.
type encryption struct {
	key *ecdh.PublicKey
	kid string
	enc string
}

// Link is what a link or QR code says: the request itself, or where to fetch it.
type Link struct {
	ClientID string
	// RequestURI is where the signed request is, Method get or post; or Object is the signed request; or Parameters are the unsigned one.
	RequestURI string
	Post       bool
	Object     string
	Parameters map[string]any
}

// ParseLink reads the text of a link or QR code. Whose scheme and host it has does not matter: openid4vp:// and a wallet's own https address are common.
// Code presentation.bad_request, presentation.too_large, presentation.bad_link.
func ParseLink(text string) (*Link, error) {
	if len(text) > MaxRequest {
		return nil, fault.New("presentation.too_large", fmt.Sprintf("The link has %d bytes, more than %d.", len(text), MaxRequest))
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme == "" {
		return nil, badRequest("it is no link")
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, badRequest("the link's parameters cannot be read")
	}
	for _, given := range values {
		if len(given) != 1 {
			return nil, badRequest("a parameter is there twice")
		}
	}
	l := &Link{ClientID: values.Get("client_id"), RequestURI: values.Get("request_uri"), Object: values.Get("request")}
	if l.ClientID == "" {
		return nil, badRequest("it has no client_id")
	}
	switch method := values.Get("request_uri_method"); {
	case method == "post":
		l.Post = true
	case method != "" && method != "get":
		return nil, badRequest("request_uri_method is neither get nor post")
	}
	switch {
	case l.RequestURI != "" && l.Object != "":
		return nil, badRequest("it has both a request and a request_uri")
	case l.RequestURI != "":
		return l, checkAddress(l.RequestURI)
	case l.Object != "":
		return l, nil
	}
	l.Parameters = map[string]any{}
	for name := range values {
		v := any(values.Get(name))
		if name == "dcql_query" || name == "client_metadata" {
			if v, err = sdjwt.DecodeObject([]byte(values.Get(name))); err != nil {
				return nil, badRequest(name + " is no JSON object")
			}
		}
		l.Parameters[name] = v
	}
	return l, nil
}

// checkAddress wants https, or this machine for sites in the making.
func checkAddress(text string) error {
	u, err := url.Parse(text)
	if err == nil && u.Host != "" && u.User == nil && u.Fragment == "" {
		if u.Scheme == "https" || u.Scheme == "http" && slices.Contains([]string{"127.0.0.1", "localhost", "::1"}, u.Hostname()) {
			return nil
		}
	}
	return fault.New("presentation.bad_link", fmt.Sprintf("%.100q is not an https address, so others could read or change what goes there.", text))
}

// readUnsigned reads the parameters of an unsigned request. The site's name is where the answer goes, so it cannot go elsewhere.
func readUnsigned(l *Link) (*Request, error) {
	own, ok := strings.CutPrefix(l.ClientID, prefixURI)
	if !ok {
		return nil, unsupported(fmt.Sprintf("an unsigned request by %.60q; without a signature only %s can be taken", l.ClientID, prefixURI))
	}
	r, err := readParameters(l.Parameters)
	if err != nil {
		return nil, err
	}
	if r.ResponseURI != own {
		return nil, fault.New("presentation.mixed_up", "The answer would go to "+r.ResponseURI+", and the site says that it is "+own+". Do not answer: somebody may have changed the link.")
	}
	return r, nil
}

// readSigned verifies a signed request by the ledger: the key in its header must be the one that acts for the account that it names.
func readSigned(ctx context.Context, ledger credential.Ledger, clientID, object, walletNonce string, now time.Time) (*Request, error) {
	name, ok := strings.CutPrefix(clientID, prefixDID)
	if !ok {
		return nil, unsupported(fmt.Sprintf("a signed request by %.60q; accounts of a ledger (%sdid:dure:…) can be verified", clientID, prefixDID))
	}
	id, err := credential.ParseID(name)
	if err != nil {
		return nil, err
	}
	j, err := sdjwt.ParseJWS(object)
	if err != nil {
		return nil, badRequest("the signed request cannot be read")
	}
	public, key, err := credential.HeaderKey(j)
	if err != nil {
		return nil, err
	}
	if err := j.Verify(public, typeRequest); err != nil {
		return nil, err
	}
	network, err := ledger.Network(ctx)
	if err != nil {
		return nil, err
	}
	if id.Network != network {
		return nil, fault.New("credential.wrong_network", "The site's account is on the ledger "+id.Network+", and yours is "+network+".", "site", id.Network, "ledger", network)
	}
	standing, err := ledger.Key(ctx, id.Account, key.Address(), now)
	if err != nil {
		return nil, err
	}
	if !standing.Replaced.IsZero() {
		return nil, fault.New("presentation.mixed_up", "The request is signed by a key that the site's account has replaced. Do not answer; ask the site for a new request.")
	}
	r, err := readParameters(j.Payload)
	if err != nil {
		return nil, err
	}
	if r.ClientID != clientID {
		return nil, fault.New("presentation.mixed_up", fmt.Sprintf("The link says that %.100q asks, and the request itself that %.100q does. Do not answer: somebody may have mixed them up.", clientID, r.ClientID))
	}
	r.Verifier = &id
	return r, checkObject(j.Payload, walletNonce, now)
}

func checkObject(claims map[string]any, walletNonce string, now time.Time) error {
	if claims["aud"] != audience {
		return badRequest("the signed request is not for wallets (aud)")
	}
	if walletNonce != "" && claims["wallet_nonce"] != walletNonce {
		return fault.New("presentation.mixed_up", "The site's request was made for another wallet. Do not answer; ask the site for a new request.")
	}
	if exp, says := claims["exp"]; says {
		until, ok := sdjwt.Seconds(exp)
		if !ok || !now.Before(until.Add(sdjwt.Skew)) {
			return fault.New("presentation.unknown_session", "The request's time is over. Ask the site for a new one.")
		}
	}
	return nil
}

var safePattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,512}$`)

func readParameters(p map[string]any) (*Request, error) {
	text := func(name string) string { s, _ := p[name].(string); return s }
	r := &Request{ClientID: text("client_id"), ResponseURI: text("response_uri"), Nonce: text("nonce"), State: text("state")}
	switch {
	case text("response_type") != responseType:
		return nil, unsupported("response_type is not vp_token")
	case p["redirect_uri"] != nil:
		return nil, badRequest("redirect_uri is not for direct_post")
	case p["transaction_data"] != nil:
		return nil, unsupported("transaction_data; what it asks for would be signed unseen")
	case p["scope"] != nil:
		return nil, unsupported("scope; ask by dcql_query")
	case !safePattern.MatchString(r.Nonce):
		return nil, badRequest("it has no nonce, or one with other characters than are allowed")
	case r.State != "" && !safePattern.MatchString(r.State):
		return nil, badRequest("its state has other characters than are allowed")
	}
	if err := checkAddress(r.ResponseURI); err != nil {
		return nil, err
	}
	query, err := json.Marshal(p["dcql_query"])
	if err != nil || p["dcql_query"] == nil {
		return nil, badRequest("it has no dcql_query")
	}
	if r.Query, err = ParseQuery(query); err != nil {
		return nil, err
	}
	switch text("response_mode") {
	case modePost:
	case modePostJWT:
		r.encrypt, err = readEncryption(p["client_metadata"])
	default:
		err = unsupported(fmt.Sprintf("response_mode %.40q; %s and %s are known", text("response_mode"), modePost, modePostJWT))
	}
	return r, err
}

// readEncryption picks the site's key for ECDH-ES over P-256, and AES-GCM (section 8.3).
func readEncryption(metadata any) (*encryption, error) {
	m, _ := metadata.(map[string]any)
	set, _ := m["jwks"].(map[string]any)
	keys, _ := set["keys"].([]any)
	enc := "A128GCM"
	if offered, says := m["encrypted_response_enc_values_supported"].([]any); says {
		switch {
		case slices.Contains(offered, any("A256GCM")): // as HAIP has it for wallets that know both
			enc = "A256GCM"
		case !slices.Contains(offered, any("A128GCM")):
			return nil, unsupported("an answer encrypted by other than A128GCM or A256GCM")
		}
	}
	for _, v := range keys {
		k, _ := v.(map[string]any)
		if k["kty"] != "EC" || k["crv"] != "P-256" || k["use"] != nil && k["use"] != "enc" || k["alg"] != nil && k["alg"] != "ECDH-ES" {
			continue
		}
		x, okX := coordinate(k["x"])
		y, okY := coordinate(k["y"])
		if !okX || !okY {
			continue
		}
		public, err := ecdh.P256().NewPublicKey(slices.Concat([]byte{4}, x, y))
		if err != nil {
			continue
		}
		kid, _ := k["kid"].(string)
		return &encryption{key: public, kid: kid, enc: enc}, nil
	}
	return nil, unsupported("an encrypted answer without a P-256 key for ECDH-ES in client_metadata")
}

func coordinate(v any) ([]byte, bool) {
	text, _ := v.(string)
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return b, err == nil && len(b) == 32
}
