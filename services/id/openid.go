package id

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
	"github.com/luikyv/go-oidc/pkg/provider"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/vault"
)

// Lifetimes of what services get, in seconds. There are no refresh tokens: a service that wants more sends the person here again. An ID token
// lasts as long as a session, as it is shown again for signing out.
const (
	codeSeconds    = 60
	tokenSeconds   = 300
	idTokenSeconds = int(sessionLifetime / time.Second)
	flowSeconds    = 900
	// assertionSeconds is how long what a service signs is good for: to show who it is, or that it has a token's key. For this long its ids are remembered.
	assertionSeconds = 120
	leewaySeconds    = 10
)

// noEndpoint is where the library would register services, of which it learns by the interface for that. It is never reached.
const noEndpoint = "/no-registration"

var errUsed = errors.New("it was used before")

// openID is the OpenID Connect provider: code flow with PKCE S256, and what each service may ask for.
func (s *Server) openID() (http.Handler, error) {
	scopes := []goidc.Scope{goidc.ScopeOpenID}
	for _, item := range Items {
		scopes = append(scopes, goidc.NewScope(item))
	}
	options := []provider.Option{
		provider.WithAuthCodeGrant(s.flows, goidc.ResponseTypeCode), provider.WithAuthCodeLifetime(codeSeconds), provider.WithAuthTimeout(flowSeconds),
		provider.WithPKCERequired(goidc.CodeChallengeMethodSHA256), provider.WithOpenIDScopeRequired(), provider.WithIssuerResponseParameter(),
		provider.WithScopes(scopes...), provider.WithClaims("name", "phone_number", "phone_number_verified", "bank_account", "dure_account", "sid", "auth_time", "amr"),
		provider.WithIDTokenSignatureAlgs(goidc.ES256), provider.WithIDTokenLifetime(idTokenSeconds), provider.WithIDTokenClaims(s.idTokenClaims),
		provider.WithTokenOptions(func(context.Context, *goidc.Grant, *goidc.Client) goidc.TokenOptions {
			return goidc.NewOpaqueTokenOptions(tokenSeconds)
		}),
		provider.WithTokenAuthnMethods(goidc.AuthnMethodSecretBasic, goidc.AuthnMethodSecretPost, goidc.AuthnMethodPrivateKeyJWT, goidc.AuthnMethodNone),
		provider.WithPrivateKeyJWTSignatureAlgs(goidc.ES256), provider.WithJWTLifetime(assertionSeconds), provider.WithJWTLeewayTime(leewaySeconds),
		provider.WithDCR(clients{s}), provider.WithDCREndpoint(noEndpoint),
		provider.WithVerifyClientSecretFunc(verifySecret),
		provider.WithDPoP(goidc.ES256), provider.WithConsumeJTIFunc(s.useUp),
		provider.WithSubIdentifierTypes(goidc.SubIdentifierPublic, goidc.SubIdentifierPairwise),
		provider.WithPairwiseSubjectFunc(func(_ context.Context, account string, c *goidc.Client) string { return s.keys.pairwise(account, c.ID) }),
		provider.WithUserInfoClaims(s.userInfo),
		provider.WithPolicies(goidc.NewPolicy("passkey", func(*http.Request, *goidc.AuthnSession, *goidc.Client) bool { return true }, s.authenticate)),
		provider.WithLogout(s.flows, s.signedOut),
		provider.WithLogoutPolicies(goidc.NewLogoutPolicy("ask", func(*http.Request, *goidc.LogoutSession) bool { return true }, s.logout)),
		provider.WithRenderErrorFunc(func(w http.ResponseWriter, r *http.Request, _ error) error {
			s.draw(w, r, "message", http.StatusBadRequest, page.Page{Title: "failure", Refusal: "signin.bad_request", View: page.Message{}})
			return nil
		}),
		provider.WithHandleErrorFunc(func(_ context.Context, err error) {
			var known goidc.Error
			if errors.As(err, &known) {
				s.log.Info("a service was refused", "error", known.Code, "description", known.Description)
			} else {
				s.log.Error("a service could not be answered", "error", err)
			}
		}),
	}
	op, err := provider.New(s.settings.Issuer, s.flows, func(context.Context) (goidc.JSONWebKeySet, error) { return s.keys.Keys, nil }, options...)
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	handler := op.Handler()
	s.discovery, err = describe(handler, s.settings.Issuer)
	return handler, err
}

// client is a service as the library wants it.
func (p Party) client() (*goidc.Client, error) {
	c := &goidc.Client{ID: p.ID, Secret: p.SecretSHA256, ClientMeta: goidc.ClientMeta{
		Name: p.Name, RedirectURIs: p.RedirectURIs, PostLogoutRedirectURIs: p.PostLogoutRedirectURIs, ScopeIDs: strings.Join(append([]string{"openid"}, p.MayAsk...), " "),
		GrantTypes: []goidc.GrantType{goidc.GrantAuthorizationCode}, ResponseTypes: []goidc.ResponseType{goidc.ResponseTypeCode},
		SubIdentifierType: goidc.SubIdentifierPublic, TokenAuthnMethod: goidc.AuthnMethodSecretBasic,
	}}
	switch {
	case len(p.Keys) > 0:
		keys, err := keySet(p.Keys)
		if err != nil {
			return nil, err
		}
		c.TokenAuthnMethod, c.TokenAuthnSigAlg, c.JWKS = goidc.AuthnMethodPrivateKeyJWT, goidc.ES256, keys
	case p.SecretSHA256 == "":
		c.TokenAuthnMethod = goidc.AuthnMethodNone
	case p.SecretInForm:
		c.TokenAuthnMethod = goidc.AuthnMethodSecretPost
	}
	if p.Subject == "pairwise" {
		c.SubIdentifierType = goidc.SubIdentifierPairwise
	}
	return c, nil
}

// verifySecret compares by hash. By HTTP Basic a secret comes form-encoded (RFC 6749, section 2.3.1), which not every service does.
func verifySecret(_ context.Context, stored, presented string) error {
	decoded, err := url.QueryUnescape(presented)
	if err != nil {
		decoded = presented
	}
	for _, secret := range []string{presented, decoded} {
		sum := sha256.Sum256([]byte(secret))
		if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(strings.ToLower(stored))) == 1 {
			return nil
		}
	}
	return errors.New("another secret")
}

// useUp uses up the id of something that a service signed. What is remembered is as long for every id, and is nothing else that is remembered.
func (s *Server) useUp(ctx context.Context, id string) error {
	sum := sha256.Sum256([]byte(id))
	return s.flows.once(ctx, "signed "+passkey.Text(sum[:]))
}

// idTokenClaims says which sign-in it was: its session, its time, and that a passkey which checks its holder was used (RFC 8176).
func (s *Server) idTokenClaims(_ context.Context, g *goidc.Grant) map[string]any {
	return map[string]any{"sid": g.Store[keepSID], "auth_time": g.Store[keepAt], "amr": []string{"pop", "mfa"}}
}

// userInfo gives what the person agreed to and has not withdrawn.
func (s *Server) userInfo(ctx context.Context, g *goidc.Grant) map[string]any {
	out := map[string]any{}
	account, ok := parseAccount(g.Subject)
	party, err := s.party(ctx, g.ClientID)
	if !ok || err != nil {
		return out
	}
	consent, err := s.vault.Consent(ctx, account, g.ClientID)
	if err != nil {
		if !errors.Is(err, vault.ErrUnknown) {
			s.log.Error("a consent cannot be read", "error", err)
		}
		return out
	}
	profile, err := s.profile(ctx, account)
	if err != nil {
		s.log.Error("a profile cannot be read", "error", err)
		return out
	}
	var given []string
	for _, item := range Items {
		if slices.Contains(strings.Fields(g.Scopes), item) && slices.Contains(consent.Agreed, item) {
			claims(out, item, g.Subject, profile)
			given = append(given, item)
		}
	}
	if len(given) > 0 && s.flows.once(ctx, "read "+g.ID) == nil { // one line for a sign-in, however often it reads
		s.note(ctx, account, vault.Entry{What: "read", Service: party.Name, Items: given})
	}
	return out
}

// profile is what this member knows of a person; nothing if it knows nothing.
func (s *Server) profile(ctx context.Context, account [20]byte) (vault.Profile, error) {
	p, err := s.vault.Profile(ctx, account)
	if errors.Is(err, vault.ErrUnknown) {
		return vault.Profile{}, nil
	}
	return p, err
}

// note adds a line to a person's log. That it cannot is no reason to refuse them.
func (s *Server) note(ctx context.Context, account [20]byte, e vault.Entry) {
	e.At = s.now().UnixMilli()
	if err := s.vault.Append(ctx, account, e); err != nil {
		s.log.Error("a person's log cannot be written", "error", err)
	}
}

// parseAccount reads an account as the ledger shows it.
func parseAccount(text string) (a [20]byte, ok bool) {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok || len(digits) != 40 {
		return a, false
	}
	_, err := hex.Decode(a[:], []byte(digits))
	return a, err == nil
}

// describe is the library's discovery document and what this package adds: signing out, by a page and by the back channel.
func describe(h http.Handler, issuer string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	answer := &buffer{header: http.Header{}}
	h.ServeHTTP(answer, req)
	document := map[string]any{}
	if err := json.Unmarshal(answer.body, &document); err != nil {
		return nil, fmt.Errorf("id: the discovery document: %w", err)
	}
	delete(document, "registration_endpoint")
	document["end_session_endpoint"] = issuer + "/logout"
	document["backchannel_logout_supported"], document["backchannel_logout_session_supported"] = true, true
	document["request_uri_parameter_supported"] = false
	document["ui_locales_supported"] = page.Languages
	return json.MarshalIndent(document, "", "  ")
}

// buffer keeps an answer.
type buffer struct {
	header http.Header
	body   []byte
}

func (b *buffer) Header() http.Header { return b.header }

func (b *buffer) WriteHeader(int) {}

func (b *buffer) Write(p []byte) (int, error) {
	b.body = append(b.body, p...)
	return len(p), nil
}

func (s *Server) discover(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.discovery) // the reader may be gone
}

func (s *Server) relatedOrigins(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string][]string{"origins": s.origins}) // the reader may be gone
}
