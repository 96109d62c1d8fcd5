package id

import (
	"context"
	"maps"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/luikyv/go-oidc/pkg/goidc"
)

// maxFlows bounds each kind of what is under way: sign-ins, codes, tokens. The oldest gives way: its person or service begins again.
const maxFlows = 50_000

// flows keeps what OpenID Connect has under way. Nothing of it outlives the process: people and services then sign in again. It gives
// out copies, so that a request changes what others see only by saving. It is safe for concurrent use.
type flows struct {
	mu       sync.Mutex
	sessions *lru.Cache[string, *goidc.AuthnSession]
	grants   *lru.Cache[string, *goidc.Grant]
	codes    *lru.Cache[string, *code]
	tokens   *lru.Cache[string, *goidc.Token]
	logouts  *lru.Cache[string, *goidc.LogoutSession]
	ids      *lru.Cache[string, struct{}]
}

// code is a code that was given out, and whether a service has asked with it.
type code struct {
	grant string
	taken bool
}

func newFlows() *flows {
	return &flows{
		sessions: cache[*goidc.AuthnSession](), grants: cache[*goidc.Grant](), codes: cache[*code](), tokens: cache[*goidc.Token](),
		logouts: cache[*goidc.LogoutSession](), ids: cache[struct{}](),
	}
}

func cache[V any]() *lru.Cache[string, V] {
	c, err := lru.New[string, V](maxFlows)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return c
}

// SaveSession keeps a sign-in that is under way.
func (f *flows) SaveSession(_ context.Context, s *goidc.AuthnSession) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := *s
	kept.Store = maps.Clone(s.Store)
	f.sessions.Add(s.ID, &kept)
	return nil
}

// Session finds a sign-in that is under way.
func (f *flows) Session(_ context.Context, id string) (*goidc.AuthnSession, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.sessions.Get(id)
	if !ok || s.Status != goidc.StatusPending {
		return nil, goidc.ErrNotFound
	}
	out := *s
	out.Store = maps.Clone(s.Store)
	return &out, nil
}

// SaveGrant keeps what a person granted a service. What was revoked stays so.
func (f *flows) SaveGrant(_ context.Context, g *goidc.Grant) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := *g
	if old, ok := f.grants.Peek(g.ID); ok && old.RevokedAt != 0 {
		kept.RevokedAt = old.RevokedAt
	}
	f.grants.Add(g.ID, &kept)
	if g.AuthCode != "" && !f.codes.Contains(g.AuthCode) {
		f.codes.Add(g.AuthCode, &code{grant: g.ID})
	}
	return nil
}

// Grant finds a grant.
func (f *flows) Grant(_ context.Context, id string) (*goidc.Grant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.grant(id)
}

func (f *flows) grant(id string) (*goidc.Grant, error) {
	g, ok := f.grants.Get(id)
	if !ok {
		return nil, goidc.ErrNotFound
	}
	out := *g
	return &out, nil
}

// GrantByAuthCode finds the grant of a code. Only the first who asks finds the code unused, however many ask at once.
func (f *flows) GrantByAuthCode(_ context.Context, text string) (*goidc.Grant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.codes.Get(text)
	if !ok {
		return nil, goidc.ErrNotFound
	}
	g, err := f.grant(c.grant)
	if err != nil {
		return nil, err
	}
	if c.taken && g.AuthCodeConsumedAt == 0 {
		g.AuthCodeConsumedAt = int(time.Now().Unix())
	}
	c.taken = true
	return g, nil
}

// SaveToken keeps an access token.
func (f *flows) SaveToken(_ context.Context, t *goidc.Token) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := *t
	f.tokens.Add(t.ID, &kept)
	return nil
}

// Token finds an access token.
func (f *flows) Token(_ context.Context, id string) (*goidc.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.tokens.Get(id)
	if !ok {
		return nil, goidc.ErrNotFound
	}
	out := *t
	return &out, nil
}

// SaveLogoutSession keeps a sign-out that is under way.
func (f *flows) SaveLogoutSession(_ context.Context, s *goidc.LogoutSession) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := *s
	f.logouts.Add(s.ID, &kept)
	return nil
}

// LogoutSession finds a sign-out that is under way.
func (f *flows) LogoutSession(_ context.Context, id string) (*goidc.LogoutSession, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.logouts.Get(id)
	if !ok || s.Status != goidc.StatusPending {
		return nil, goidc.ErrNotFound
	}
	out := *s
	return &out, nil
}

// once uses up the id of a proof of possession (RFC 9449, section 11.1).
func (f *flows) once(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ids.Contains(id) {
		return errUsed
	}
	f.ids.Add(id, struct{}{})
	return nil
}

// revoke ends the grants that which is true of.
func (f *flows) revoke(at time.Time, which func(*goidc.Grant) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range f.grants.Keys() {
		if g, ok := f.grants.Peek(id); ok && g.RevokedAt == 0 && which(g) {
			ended := *g
			ended.RevokedAt = int(at.Unix())
			f.grants.Add(id, &ended)
		}
	}
}
