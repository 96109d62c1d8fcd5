package openid4vp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const network = "test-0a1b"

var (
	clock     = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	issuerKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	siteKey   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	holderKey = p256(2)
)

func p256(seed byte) *ecdsa.PrivateKey {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		panic(err)
	}
	return key
}

func account(key crypto.Signer) credential.ID {
	k, err := tx.KeyOf(key.Public())
	if err != nil {
		panic(err)
	}
	return credential.ID{Network: network, Account: k.Address()}
}

// book is a ledger on which every key acts for the account whose address it made, and everybody may issue.
type book struct{ revoked bool }

func (book) Network(context.Context) (string, error) { return network, nil }
func (book) Grounds() string                         { return "a book in memory" }

func (book) Key(_ context.Context, account, key tx.Address, _ time.Time) (credential.Standing, error) {
	if account != key {
		return credential.Standing{}, fault.New("credential.wrong_issuer_key", "another key")
	}
	return credential.Standing{}, nil
}

func (book) Right(context.Context, tx.Address, string, time.Time, time.Time) (credential.Right, error) {
	return credential.Right{}, nil
}

func (b book) Status(context.Context, tx.Address, uint32, uint32) (int, error) {
	if b.revoked {
		return 1, nil
	}
	return 0, nil
}

func held(t testing.TB, schema string, claims map[string]any) *credential.Credential {
	t.Helper()
	text, err := credential.Issue(issuerKey, credential.Terms{
		Issuer: account(issuerKey), Schema: schema, Holder: holderKey.Public(), Claims: claims, Issued: clock, List: 1, Decoys: 1,
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c, err := credential.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func resident(t testing.TB) *credential.Credential {
	return held(t, "resident", map[string]any{"name": sdjwt.Hide("김하늘"), "district": sdjwt.Hide("Gimpo"), "since": 2019})
}

// site is a firm's, with its verifier mounted.
type site struct {
	*Verifier
	server *httptest.Server
	now    time.Time
	client *http.Client
}

func newSite(t testing.TB, change func(*Config)) *site {
	t.Helper()
	s := &site{now: clock, client: HTTPClient()}
	mux := http.NewServeMux()
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	cfg := Config{URL: s.server.URL + "/wallet", Account: account(siteKey), Key: siteKey, Ledger: book{}, Now: func() time.Time { return s.now }}
	if change != nil {
		change(&cfg)
	}
	v, err := NewVerifier(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Verifier = v
	mux.Handle("/wallet/", v)
	return s
}

func (s *site) wallet() Wallet { return Wallet{Ledger: book{}, HTTP: s.client} }

func (s *site) begin(t testing.TB, back string) *Session {
	t.Helper()
	b, err := s.Begin(Ask(network, "resident", "district"), back)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func holder(crypto.PublicKey) (crypto.Signer, error) { return holderKey, nil }

func (s *site) fetch(t testing.TB, link string) *Request {
	t.Helper()
	r, err := s.wallet().Fetch(t.Context(), link, clock)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *site) answer(t testing.TB, r *Request) (string, error) {
	t.Helper()
	chosen, err := r.Query.Choose([]*credential.Credential{resident(t)})
	if err != nil {
		t.Fatal(err)
	}
	return s.wallet().Answer(t.Context(), r, chosen, holder, clock)
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if fault.Code(err) != code {
		t.Errorf("have %v, want %s", err, code)
	}
}

// TestWalletsInBrowsers: a page of another site may ask, and hears a refusal too.
func TestWalletsInBrowsers(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"request/none", "response"} {
		res, err := http.Post(s.server.URL+"/wallet/"+path, mediaForm, strings.NewReader("vp_token={}"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
}

// wantRejected: the site refused, and said so with the code.
func wantRejected(t *testing.T, err error, code string) {
	t.Helper()
	if fault.Code(err) != "presentation.rejected" || !strings.Contains(err.Error(), "["+code+"]") {
		t.Errorf("have %v, want it rejected with %s", err, code)
	}
}

func TestSameDevice(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"signed": nil, "unsigned": func(c *Config) { c.Key = nil }, "encrypted": func(c *Config) { c.Encrypt = true },
		"unsigned and encrypted": func(c *Config) { c.Key, c.Encrypt = nil, true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, change)
			b := s.begin(t, s.server.URL+"/done?lang=ko")
			if page := b.At("https://node.example/wallet/"); !strings.HasPrefix(page, "https://node.example/wallet/?") || s.fetch(t, page).Nonce != s.fetch(t, b.URI).Nonce {
				t.Errorf("for a wallet that is a page: %s", page)
			}
			r := s.fetch(t, b.URI)
			if signed := r.Verifier != nil; signed != (s.cfg.Key != nil) || signed && *r.Verifier != account(siteKey) || r.Site() != strings.TrimPrefix(s.server.URL, "http://") {
				t.Errorf("who asks: %v %s", r.Verifier, r.Site())
			}
			_, err := s.Result(b.ID, "")
			wantCode(t, err, "presentation.pending")
			next, err := s.answer(t, r)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(next)
			if err != nil || u.Query().Get("lang") != "ko" {
				t.Fatalf("%s %v", next, err)
			}
			_, err = s.Result(b.ID, "")
			wantCode(t, err, "presentation.wrong_code")
			result, err := s.Result(b.ID, u.Query().Get("response_code"))
			if err != nil {
				t.Fatal(err)
			}
			claims := result.Presented["credential"][0].Claims
			if claims["district"] != "Gimpo" || claims["name"] != nil {
				t.Errorf("%v", claims)
			}
			_, err = s.Result(b.ID, u.Query().Get("response_code"))
			wantCode(t, err, "presentation.unknown_session")
		})
	}
}

func TestRefusal(t *testing.T) {
	for _, encrypt := range []bool{false, true} {
		s := newSite(t, func(c *Config) { c.Encrypt = encrypt })
		b := s.begin(t, "")
		if _, err := s.wallet().Refuse(t.Context(), s.fetch(t, b.URI)); err != nil {
			t.Fatal(err)
		}
		if result, err := s.Result(b.ID, ""); err != nil || !result.Refused || len(result.Presented) > 0 {
			t.Errorf("%+v %v", result, err)
		}
	}
}

func TestReplay(t *testing.T) {
	s := newSite(t, nil)
	first, second := s.fetch(t, s.begin(t, "").URI), s.fetch(t, s.begin(t, "").URI)
	// What was shown to the first request is sent to the second.
	stolen := *first
	stolen.State = second.State
	_, err := s.answer(t, &stolen)
	wantRejected(t, err, "credential.wrong_nonce")
	if _, err := s.answer(t, first); err != nil {
		t.Fatal(err)
	}
	_, err = s.answer(t, first)
	wantRejected(t, err, "presentation.answered")
	// The second request is still good after the thief's attempt.
	if _, err := s.answer(t, second); err != nil {
		t.Error(err)
	}
}

func TestPassedOn(t *testing.T) {
	honest, thief := newSite(t, nil), newSite(t, func(c *Config) { c.Key, c.Account = p256(7), account(p256(7)) })
	r := honest.fetch(t, honest.begin(t, "").URI)
	// The thief asks the holder with the honest site's nonce and state, and passes the answer on.
	mine := *thief.fetch(t, thief.begin(t, "").URI)
	mine.Nonce, mine.State, mine.ResponseURI = r.Nonce, r.State, r.ResponseURI
	_, err := honest.answer(t, &mine)
	wantRejected(t, err, "credential.wrong_audience")
}

func TestExpiredSession(t *testing.T) {
	s := newSite(t, nil)
	b := s.begin(t, "")
	r := s.fetch(t, b.URI)
	s.now = clock.Add(5 * time.Minute)
	_, err := s.answer(t, r)
	wantRejected(t, err, "presentation.unknown_session")
	_, err = s.wallet().Fetch(t.Context(), b.URI, clock)
	wantRejected(t, err, "presentation.unknown_session")
	_, err = s.Result(b.ID, "")
	wantCode(t, err, "presentation.unknown_session")
}

func TestBounds(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Most = 2 })
	r := s.fetch(t, s.begin(t, "").URI)
	s.begin(t, "")
	_, err := s.Begin(Ask(network, "resident"), "")
	wantCode(t, err, "presentation.busy")
	s.now = clock.Add(time.Hour)
	s.begin(t, "")

	s.now = clock
	post := func(body string) (int, string) {
		res, err := http.Post(r.ResponseURI, mediaForm, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	for body, code := range map[string]string{
		"vp_token=" + strings.Repeat("a", maxBody): "presentation.too_large",
		"vp_token={}&vp_token={}":                  "presentation.bad_response",
		"vp_token=[]":                              "presentation.bad_response",
		"response=a.b.c.d.e":                       "presentation.bad_response",
		"response=" + "e30" + ".b.c.d.e":           "presentation.bad_response",
		"state=guessed&vp_token={}":                "presentation.unknown_session",
		"%zz":                                      "presentation.bad_response",
	} {
		if status, said := post(body); status != http.StatusBadRequest || !strings.Contains(said, code) {
			t.Errorf("%.40s: %d %s, want %s", body, status, said, code)
		}
	}
}

func TestIncomplete(t *testing.T) {
	s := newSite(t, nil)
	send := func(token string) error {
		r := s.fetch(t, s.begin(t, "").URI)
		_, err := s.wallet().send(t.Context(), r, map[string]any{"vp_token": json.RawMessage(token)})
		return err
	}
	wantRejected(t, send(`{}`), "presentation.incomplete")
	wantRejected(t, send(`{"other":["x"]}`), "presentation.bad_response")
	wantRejected(t, send(`{"credential":[]}`), "presentation.bad_response")
	wantRejected(t, send(`{"credential":["x","y"]}`), "presentation.bad_response")
	wantRejected(t, send(`{"credential":[1]}`), "presentation.bad_response")
	wantRejected(t, send(`{"credential":["x"]}`), "credential.malformed")
	// A claim that was asked for is withheld.
	r := s.fetch(t, s.begin(t, "").URI)
	_, err := s.wallet().Answer(t.Context(), r, []Answer{{Query: "credential", Credential: resident(t)}}, holder, clock)
	wantRejected(t, err, "presentation.incomplete")
	// Revoked between.
	revoking := newSite(t, func(c *Config) { c.Ledger = book{revoked: true} })
	_, err = revoking.answer(t, revoking.fetch(t, revoking.begin(t, "").URI))
	wantRejected(t, err, "credential.revoked")
	// Five attempts and no more.
	r = s.fetch(t, s.begin(t, "").URI)
	for range maxAttempts {
		_, err = s.wallet().send(t.Context(), r, map[string]any{"vp_token": map[string]any{}})
		wantRejected(t, err, "presentation.incomplete")
	}
	_, err = s.answer(t, r)
	wantRejected(t, err, "presentation.unknown_session")
}

func TestUnencryptedIsRefused(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Encrypt = true })
	r := *s.fetch(t, s.begin(t, "").URI)
	r.encrypt = nil
	_, err := s.answer(t, &r)
	wantRejected(t, err, "presentation.bad_response")
	// To the key of another session.
	own, other := s.fetch(t, s.begin(t, "").URI), s.fetch(t, s.begin(t, "").URI)
	crossed := *own
	crossed.encrypt = &encryption{key: other.encrypt.key, kid: own.encrypt.kid, enc: "A256GCM"}
	_, err = s.answer(t, &crossed)
	wantRejected(t, err, "presentation.bad_response")
	// Encrypted to the right key, but with the state of another.
	crossed = *own
	crossed.State = other.State
	_, err = s.answer(t, &crossed)
	wantRejected(t, err, "presentation.bad_response")
}

// change replaces a parameter of a link.
func change(link, name, value string) string {
	u, err := url.Parse(link)
	if err != nil {
		panic(err)
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestMixedUp(t *testing.T) {
	s := newSite(t, nil)
	fetch := func(link string) error {
		_, err := s.wallet().Fetch(t.Context(), link, clock)
		return err
	}
	link := s.begin(t, "").URI
	wantCode(t, fetch(change(link, "client_id", prefixDID+account(p256(7)).String())), "credential.wrong_issuer_key")
	wantCode(t, fetch(change(link, "client_id", "x509_san_dns:shop.example")), "presentation.unsupported")
	wantCode(t, fetch(change(link, "request_uri", "http://shop.example/request")), "presentation.bad_link")
	wantCode(t, fetch(change(link, "request_uri", "file:///etc/passwd")), "presentation.bad_link")
	other := credential.ID{Network: "other-1", Account: account(siteKey).Account}
	wantCode(t, fetch(change(link, "client_id", prefixDID+other.String())), "credential.wrong_network")

	unsigned := newSite(t, func(c *Config) { c.Key = nil })
	link = unsigned.begin(t, "").URI
	wantCode(t, fetch(change(link, "response_uri", "https://thief.example/response")), "presentation.mixed_up")
	wantCode(t, fetch(change(link, "client_id", prefixDID+account(siteKey).String())), "presentation.unsupported")
	wantCode(t, fetch(change(link, "nonce", "")), "presentation.bad_request")
	wantCode(t, fetch(change(link, "response_mode", "fragment")), "presentation.unsupported")
	wantCode(t, fetch(change(link, "transaction_data", "[]")), "presentation.unsupported")
	wantCode(t, fetch(change(link, "response_mode", "direct_post.jwt")), "presentation.unsupported")
	wantCode(t, fetch(link+"&nonce=2"), "presentation.bad_request")
	wantCode(t, fetch("openid4vp://?x="+strings.Repeat("a", MaxRequest)), "presentation.too_large")
}

// TestSignedObject: an object signed for another wallet, or by the right account for something else.
func TestSignedObject(t *testing.T) {
	s := newSite(t, nil)
	b := s.begin(t, "")
	inner := s.open.by["id "+b.ID]
	id := prefixDID + account(siteKey).String()
	object, err := s.object(inner, "someone-elses")
	if err != nil {
		t.Fatal(err)
	}
	read := func(object, nonce string, at time.Time) error {
		_, err := readSigned(t.Context(), book{}, id, object, nonce, at)
		return err
	}
	wantCode(t, read(object, "mine", clock), "presentation.mixed_up")
	wantCode(t, read(object, "", clock.Add(time.Hour)), "presentation.unknown_session")
	if err := read(object, "someone-elses", clock); err != nil {
		t.Error(err)
	}
	// By value, in the link itself.
	if r, err := s.wallet().Fetch(t.Context(), "openid4vp://?"+url.Values{"client_id": {id}, "request": {object}}.Encode(), clock); err != nil || r.Nonce != inner.nonce {
		t.Error(err)
	}
	header, err := credential.Header(siteKey, account(siteKey))
	if err != nil {
		t.Fatal(err)
	}
	for typ, code := range map[string]string{"dc+sd-jwt": "credential.wrong_type", typeRequest: "presentation.unsupported"} {
		header["typ"] = typ
		text, err := sdjwt.Sign(siteKey, header, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, read(text, "", clock), code)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	s := newSite(t, nil)
	moved := httptest.NewServer(http.RedirectHandler(s.server.URL, http.StatusTemporaryRedirect))
	t.Cleanup(moved.Close)
	_, err := s.wallet().Fetch(t.Context(), change(s.begin(t, "").URI, "request_uri", moved.URL), clock)
	wantCode(t, err, "presentation.rejected")
}

// FuzzLink: whatever a link says, it is read within bounds, or refused with a code.
func FuzzLink(f *testing.F) {
	f.Add(newSite(f, nil).begin(f, "").URI)
	f.Add(newSite(f, func(c *Config) { c.Key, c.Encrypt = nil, true }).begin(f, "").URI)
	f.Fuzz(func(t *testing.T, link string) {
		l, err := ParseLink(link)
		if err == nil && l.Parameters != nil {
			_, err = readUnsigned(l)
		}
		if err != nil && fault.Code(err) == "" {
			t.Fatal(err)
		}
	})
}
