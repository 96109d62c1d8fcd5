package id

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/luikyv/go-oidc/pkg/goidc"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/vault"
)

const (
	// maxTellers services are told at a time; a sign-out whose turn does not come within tellPatience is not told.
	maxTellers   = 32
	tellPatience = 30 * time.Second
	// tellTimeout bounds one attempt, of tellTries.
	tellTimeout = 5 * time.Second
	tellTries   = 3
	tokenLife   = 2 * time.Minute
)

// signOut is the button on a person's page.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	s.endOne(r)
	s.draw(w, r, "message", http.StatusOK, page.Page{Title: "signedout", View: page.Message{Text: "signedout.note", Next: "/", NextText: "signin"}})
}

// endOne ends the session of a request.
func (s *Server) endOne(r *http.Request) {
	if who, ok := s.signedIn(r); ok {
		s.note(r.Context(), who.account, vault.Entry{What: "signed_out"})
		s.endAll(func(o session) bool { return o.mark == who.mark })
	}
}

// endAll ends sessions, the tokens that came of them, and tells the services.
func (s *Server) endAll(which func(session) bool) {
	for _, ended := range s.sessions.end(which) {
		s.flows.revoke(s.now(), func(g *goidc.Grant) bool { return g.Store[keepSession] == ended.id })
		s.tellParties(ended)
	}
}

// logout is RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): at once if the service shows a token of this very session,
// otherwise when the person says so, as anybody can send a browser here.
func (s *Server) logout(w http.ResponseWriter, r *http.Request, ls *goidc.LogoutSession) (goidc.Status, error) {
	who, ok := s.signedIn(r)
	party, _ := ls.IDTokenHintClaims["aud"].(string)
	sid, _ := ls.IDTokenHintClaims["sid"].(string)
	sure := r.Method == http.MethodPost && r.URL.Path == "/logout/"+ls.ID
	if !ok || sure || sid != "" && sid == who.sid(party) {
		s.endOne(r)
		return goidc.StatusSuccess, nil
	}
	p := page.Page{View: page.SignOut{Action: "/logout/" + ls.ID}}
	if ls.PostLogoutRedirectURI != "" {
		p.FormsTo = []string{origin(ls.PostLogoutRedirectURI)}
	}
	s.draw(w, r, "signout", http.StatusOK, p)
	return goidc.StatusPending, nil
}

// signedOut is the page after a sign-out that leads nowhere.
func (s *Server) signedOut(w http.ResponseWriter, r *http.Request, _ *goidc.LogoutSession) error {
	s.draw(w, r, "message", http.StatusOK, page.Page{Title: "signedout", View: page.Message{Text: "signedout.note"}})
	return nil
}

// tellParties tells every service of a session that it ended.
func (s *Server) tellParties(ended session) {
	for _, party := range ended.parties {
		s.tell(ended, party)
	}
}

// tell tells one service, in the background, by back-channel logout (OpenID Connect Back-Channel Logout 1.0).
func (s *Server) tell(ended session, id string) {
	s.telling.Go(func() {
		select {
		case s.tellers <- struct{}{}:
			defer func() { <-s.tellers }()
		case <-time.After(tellPatience):
			s.log.Warn("a service was not told of a sign-out: too many are being told", "service", id)
			return
		}
		if err := s.tellNow(ended, id); err != nil && !errors.Is(err, ErrNoService) {
			s.log.Warn("a service was not told of a sign-out", "service", id, "error", err)
		}
	})
}

func (s *Server) tellNow(ended session, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	p, err := s.party(ctx, id)
	if err != nil || p.BackchannelLogoutURI == "" {
		return err
	}
	token, err := s.logoutToken(ended, p)
	if err != nil {
		return err
	}
	return s.post(s.reach(p), p.BackchannelLogoutURI, token)
}

// reach is how a service is reached. Of its own settings the member knows what it asks for; what others set on the ledger must not lead into its own network.
func (s *Server) reach(p Party) *http.Client {
	if u, err := url.Parse(s.settings.Issuer); p.OnLedger && (err != nil || !loopback(u.Hostname())) {
		return outward
	}
	return quiet
}

func (s *Server) logoutToken(ended session, p Party) (string, error) {
	key := s.keys.Keys.Keys[0]
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key},
		(&jose.SignerOptions{}).WithType("logout+jwt"))
	if err != nil {
		return "", fmt.Errorf("id: %w", err)
	}
	id := make([]byte, 16)
	rand.Read(id)
	now := s.now()
	claims, err := json.Marshal(map[string]any{
		"iss": s.settings.Issuer, "aud": p.ID, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix(), "jti": passkey.Text(id), "sid": ended.sid(p.ID),
		"sub": s.keys.subject(ended.shown, p), "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	})
	if err != nil {
		return "", fmt.Errorf("id: %w", err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("id: %w", err)
	}
	return signed.CompactSerialize()
}

// post tries a few times, until the provider closes.
func (s *Server) post(by *http.Client, uri, token string) (err error) {
	for try := range tellTries {
		if try > 0 {
			select {
			case <-s.stopped.Done():
				return err
			case <-time.After(time.Second << try):
			}
		}
		if err = postOnce(by, uri, token); err == nil {
			return nil
		}
	}
	return err
}

func postOnce(by *http.Client, uri, token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := by.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxOutside)) // for the connection's sake
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("it answered %s", resp.Status)
	}
	return nil
}
