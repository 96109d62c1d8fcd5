package id

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/dureledger/dure/services/id/passkey"
)

const (
	// sessionLifetime is how long a person stays signed in at the provider.
	sessionLifetime = 8 * time.Hour
	// freshLifetime is how old a sign-in may be that erases data.
	freshLifetime = 5 * time.Minute
	maxSessions   = 100_000
)

// session is a person signed in at this provider in one browser.
type session struct {
	mark    string // what the cookie's value hashes to
	id      string // stays when the same person signs in again
	account [20]byte
	shown   string // the account as the ledger shows it
	key     string // the address of the key that signed in
	at      time.Time
	// parties are the ids of the services that it signed in at.
	parties []string
}

// sid names the session to one service (OpenID Connect Back-Channel Logout 1.0, section 2.1). No two services get the same, so that they
// cannot tell that it is the same person.
func (s session) sid(party string) string {
	mac := hmac.New(sha256.New, []byte(s.id))
	mac.Write([]byte(party))
	return passkey.Text(mac.Sum(nil)[:16])
}

// sessions keeps who is signed in. It is safe for concurrent use.
type sessions struct {
	mu sync.Mutex
	of *lru.Cache[string, *session]
}

func newSessions() *sessions {
	of, err := lru.New[string, *session](maxSessions)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &sessions{of: of}
}

func (s *sessions) add(n session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of.Add(n.mark, &n)
}

func (s *sessions) get(mark string, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.of.Get(mark)
	if !ok || now.Sub(found.at) >= sessionLifetime {
		return session{}, false
	}
	out := *found
	out.parties = slices.Clone(found.parties)
	return out, true
}

// visit notes that the session signed in at a service.
func (s *sessions) visit(mark, party string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.of.Get(mark); ok && !slices.Contains(found.parties, party) {
		found.parties = append(found.parties, party)
	}
}

// byAccount are a person's sessions, in all their browsers.
func (s *sessions) byAccount(account [20]byte) (out []session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, found := range s.of.Values() {
		if found.account == account {
			out = append(out, *found)
		}
	}
	return out
}

// end ends the sessions that which is true of, and returns them.
func (s *sessions) end(which func(session) bool) (ended []session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, mark := range s.of.Keys() {
		if found, ok := s.of.Peek(mark); ok && which(*found) {
			s.of.Remove(mark)
			ended = append(ended, *found)
		}
	}
	return ended
}

// cookies are this provider's. Cookies do not know ports, so their names have a part of the issuer's hash.
type cookies struct {
	suffix string
	secure bool
}

func newCookies(issuer string) cookies {
	sum := sha256.Sum256([]byte(issuer))
	return cookies{suffix: hex.EncodeToString(sum[:4]), secure: strings.HasPrefix(issuer, "https:")}
}

// The cookies: browser binds what is under way to one browser, session is who is signed in, lang the language.
const (
	browserCookie = "browser"
	sessionCookie = "session"
)

// name has the prefix __Host-, which browsers let no other host and no plain connection set.
func (c cookies) name(kind string) string {
	if c.secure {
		return "__Host-dure-" + kind + "-" + c.suffix
	}
	return "dure-" + kind + "-" + c.suffix
}

func (c cookies) set(w http.ResponseWriter, kind, value string, lifetime time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: c.name(kind), Value: value, Path: "/", MaxAge: int(lifetime.Seconds()), Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// mark is the hash of a cookie's value, which is what the provider keeps; empty if there is none.
func (c cookies) mark(r *http.Request, kind string) string {
	cookie, err := r.Cookie(c.name(kind))
	if err != nil || len(cookie.Value) != 43 {
		return ""
	}
	return mark(cookie.Value)
}

func mark(value string) string {
	sum := sha256.Sum256([]byte(value))
	return passkey.Text(sum[:])
}

// fresh sets a cookie to a new secret and returns its mark.
func (c cookies) fresh(w http.ResponseWriter, kind string, lifetime time.Duration) string {
	secret := make([]byte, 32)
	rand.Read(secret)
	value := passkey.Text(secret)
	c.set(w, kind, value, lifetime)
	return mark(value)
}

// browser is the mark of this browser, which gets a cookie if it has none.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) string {
	if m := s.cookies.mark(r, browserCookie); m != "" {
		return m
	}
	return s.cookies.fresh(w, browserCookie, sessionLifetime)
}

// signedIn is the session of a request.
func (s *Server) signedIn(r *http.Request) (session, bool) {
	m := s.cookies.mark(r, sessionCookie)
	if m == "" {
		return session{}, false
	}
	return s.sessions.get(m, s.now())
}

// current is the session of a request, if its key may still sign in: a freeze or a lock keeps it out, and a key that acts no more, or
// weighs too little now, has no session any more.
func (s *Server) current(r *http.Request) (who session, found bool, err error) {
	who, found = s.signedIn(r)
	if !found {
		return who, false, nil
	}
	account, err := s.ledger.Account(r.Context(), who.account)
	if err != nil {
		return who, false, err
	}
	if over(account, who.key) {
		s.endOthers(who.account, account)
		return who, false, nil
	}
	err = account.signsIn(who.key)
	return who, err == nil, err
}

// over says whether a key will not sign in again as things are: it acts no more, or weighs too little.
func over(account Account, key string) bool {
	k, acts := account.key(key)
	return !acts || k.Weight < account.Takes
}

// endOthers ends the sessions of an account's keys that may not sign in any more.
func (s *Server) endOthers(address [20]byte, account Account) {
	s.endAll(func(o session) bool { return o.account == address && over(account, o.key) })
}

// begin signs a person in, under a new secret, so that a cookie known from before is worth nothing. Who was signed in in this browser is
// signed out, unless it is the same person, whose services stay known.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, account [20]byte, found Account, key string) session {
	old := s.cookies.mark(r, sessionCookie)
	m := s.cookies.fresh(w, sessionCookie, sessionLifetime)
	n := session{mark: m, id: m, account: account, shown: found.Address, key: key, at: s.now()}
	for _, o := range s.sessions.end(func(o session) bool { return o.mark == old }) {
		if o.account == account {
			n.id, n.parties = o.id, o.parties
		} else {
			s.tellParties(o)
		}
	}
	s.sessions.add(n)
	if k, ok := found.key(key); ok {
		if err := s.vault.SaveUsed(r.Context(), account, k.Address, n.at.UnixMilli()); err != nil {
			s.log.Error("the use of a key was not kept", "error", err)
		}
	}
	return n
}
