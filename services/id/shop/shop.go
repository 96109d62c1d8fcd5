// Package shop is a small service to try signing in with: a relying party of OpenID Connect with coreos/go-oidc, at which people may come
// by the provider of one member or another. It shows what it was told, and nothing else.
package shop

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/oauth2"
)

// Provider is one by which people may come.
type Provider struct {
	// Name as people know it, such as that of a bank.
	Name   string `json:"name"`
	Issuer string `json:"issuer"`
	// ClientID and Secret are what the shop has there.
	ClientID string `json:"client_id"`
	Secret   string `json:"secret"`
}

// Config is what a shop is made of.
type Config struct {
	Name string `json:"name"`
	// URL is its own address, without a path.
	URL       string     `json:"url"`
	Providers []Provider `json:"providers"`
	// Asks are the items that it asks for.
	Asks []string `json:"asks"`
}

const (
	maxVisits  = 10_000
	tripLife   = 15 * time.Minute
	cookieName = "shop"
)

// Shop is the service. It is safe for concurrent use.
type Shop struct {
	config Config
	mux    *http.ServeMux

	mu    sync.Mutex
	known []*party                     // by provider; nil until the first visitor, as a provider may start later
	trips *lru.Cache[string, trip]     // by state
	guest *lru.Cache[string, *visitor] // by cookie
}

type party struct {
	oauth    oauth2.Config
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	end      string
}

// trip is a visitor on the way to a provider and back.
type trip struct {
	via                     int
	cookie, nonce, verifier string
	until                   time.Time
}

// visitor is signed in.
type visitor struct {
	Via, Subject, SID string
	Told              map[string]any
	token             string
	party             *party
}

// New makes a shop.
func New(c Config) (*Shop, error) {
	s := &Shop{config: c, mux: http.NewServeMux(), known: make([]*party, len(c.Providers))}
	var err, err2 error
	s.trips, err = lru.New[string, trip](maxVisits)
	s.guest, err2 = lru.New[string, *visitor](maxVisits)
	s.mux.HandleFunc("GET /{$}", s.front)
	s.mux.HandleFunc("GET /shop.css", style)
	s.mux.HandleFunc("GET /login", s.login)
	s.mux.HandleFunc("GET /callback", s.callback)
	s.mux.HandleFunc("GET /logout", s.logout)
	s.mux.HandleFunc("POST /backchannel", s.backchannel)
	return s, errors.Join(err, err2)
}

// ServeHTTP answers a request.
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	s.mux.ServeHTTP(w, r)
}

// party reads a provider's discovery document, once.
func (s *Shop) party(ctx context.Context, i int) (*party, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < 0 || i >= len(s.known) {
		return nil, errors.New("there is no such provider")
	}
	if s.known[i] != nil {
		return s.known[i], nil
	}
	c := s.config.Providers[i]
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), patient), c.Issuer) // its keys are fetched again later
	if err != nil {
		return nil, err
	}
	var more struct {
		End string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, err
	}
	s.known[i] = &party{
		oauth: oauth2.Config{ClientID: c.ClientID, ClientSecret: c.Secret, Endpoint: provider.Endpoint(), RedirectURL: s.config.URL + "/callback",
			Scopes: append([]string{oidc.ScopeOpenID}, s.config.Asks...)},
		provider: provider, verifier: provider.Verifier(&oidc.Config{ClientID: c.ClientID}), end: more.End,
	}
	return s.known[i], nil
}

// patient is how the shop speaks to providers.
var patient = &http.Client{Timeout: 10 * time.Second}

func secret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// login sends a visitor to a provider.
func (s *Shop) login(w http.ResponseWriter, r *http.Request) {
	via := 0
	if _, err := fmt.Sscanf(r.URL.Query().Get("via"), "%d", &via); err != nil {
		via = 0
	}
	p, err := s.party(r.Context(), via)
	if err != nil {
		s.fail(w, err)
		return
	}
	t := trip{via: via, cookie: secret(), nonce: secret(), verifier: oauth2.GenerateVerifier(), until: time.Now().Add(tripLife)}
	state := secret()
	s.mu.Lock()
	s.trips.Add(state, t)
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: t.cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, p.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(t.verifier), oidc.Nonce(t.nonce)), http.StatusFound)
}

// callback takes a visitor back.
func (s *Shop) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	t, ok := s.trips.Get(q.Get("state"))
	s.trips.Remove(q.Get("state"))
	s.mu.Unlock()
	cookie, err := r.Cookie(cookieName)
	if !ok || err != nil || time.Now().After(t.until) || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(t.cookie)) != 1 {
		s.fail(w, errors.New("this is the answer to no sign-in of this browser"))
		return
	}
	if q.Get("iss") != s.config.Providers[t.via].Issuer {
		s.fail(w, errors.New("the answer is another provider's"))
		return
	}
	if no := q.Get("error"); no != "" {
		s.fail(w, errors.New(no+": "+q.Get("error_description")))
		return
	}
	v, err := s.exchange(r.Context(), t, q.Get("code"))
	if err != nil {
		s.fail(w, err)
		return
	}
	s.mu.Lock()
	s.guest.Add(t.cookie, v)
	s.mu.Unlock()
	http.Redirect(w, r, "/", http.StatusFound)
}

// exchange turns a code into a visitor.
func (s *Shop) exchange(ctx context.Context, t trip, code string) (*visitor, error) {
	ctx = oidc.ClientContext(ctx, patient)
	p, err := s.party(ctx, t.via)
	if err != nil {
		return nil, err
	}
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(t.verifier))
	if err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if id.Nonce != t.nonce {
		return nil, errors.New("the token is for another sign-in")
	}
	v := &visitor{Via: s.config.Providers[t.via].Name, Subject: id.Subject, Told: map[string]any{}, token: raw, party: p}
	var claims struct {
		SID string `json:"sid"`
	}
	info, err := p.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err == nil {
		err = errors.Join(id.Claims(&claims), info.Claims(&v.Told))
	}
	if err == nil && info.Subject != id.Subject {
		err = errors.New("the person's details are somebody else's")
	}
	v.SID = claims.SID
	delete(v.Told, "sub")
	return v, err
}

// logout forgets the visitor and tells the provider.
func (s *Shop) logout(w http.ResponseWriter, r *http.Request) {
	v, cookie := s.visitor(r)
	if v == nil {
		http.Redirect(w, r, "/", http.StatusFound)
		return
	}
	s.mu.Lock()
	s.guest.Remove(cookie)
	s.mu.Unlock()
	http.Redirect(w, r, v.party.end+"?id_token_hint="+v.token+"&post_logout_redirect_uri="+s.config.URL+"/", http.StatusFound)
}

func (s *Shop) visitor(r *http.Request) (*visitor, string) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil, ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, _ := s.guest.Get(cookie.Value)
	return v, cookie.Value
}

// backchannel hears from a provider that somebody signed out there (OpenID Connect Back-Channel Logout 1.0, section 2.6).
func (s *Shop) backchannel(w http.ResponseWriter, r *http.Request) {
	raw := r.PostFormValue("logout_token")
	for i := range s.config.Providers {
		p, err := s.party(r.Context(), i)
		if err != nil {
			continue
		}
		token, err := p.verifier.Verify(r.Context(), raw)
		if err != nil {
			continue
		}
		var claims struct {
			SID    string                     `json:"sid"`
			Events map[string]json.RawMessage `json:"events"`
		}
		if err := token.Claims(&claims); err != nil || token.Nonce != "" || claims.Events["http://schemas.openid.net/event/backchannel-logout"] == nil {
			break
		}
		s.forget(p, claims.SID)
		w.WriteHeader(http.StatusOK)
		return
	}
	http.Error(w, "this is no logout token of a provider", http.StatusBadRequest)
}

func (s *Shop) forget(p *party, sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cookie := range s.guest.Keys() {
		if v, ok := s.guest.Peek(cookie); ok && v.party == p && v.SID == sid {
			s.guest.Remove(cookie)
		}
	}
}
