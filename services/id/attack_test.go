package id_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/passkey/passkeytest"
)

// A passkey's answer is refused, by name, when anything about it is not right.
func TestPasskeyAttacks(t *testing.T) {
	w := newWorld(t, 2, nil)
	p, b := w.providers[0], newBrowser(t)
	w.register(b, p.issuer, "홍길동", "01012345678", "110123456789")
	b.post("/signout")
	answer := func() []byte {
		return b.key.Assert(t, b.get(p.issuer+"/").find(`data-challenge="([^"]+)"`), nil)
	}
	refused := func(name, code string, answer []byte) {
		t.Helper()
		if b.sendPasskey(answer); b.status != http.StatusForbidden || !strings.Contains(b.text, code+"<") {
			t.Errorf("%s: %d, want %s:\n%s", name, b.status, code, b.text)
		}
		if b.get(p.issuer + "/"); strings.Contains(b.text, "내 정보 지우기") {
			t.Fatalf("%s: signed in", name)
		}
	}
	account := b.key.Public(t).Address()
	good := answer()
	b.sendPasskey(good).shows("내 정보 지우기")
	w.ledger.change(account, func(a *id.Account) { a.Frozen = true })
	b.get(p.issuer + "/").shows("signin.frozen")
	w.ledger.change(account, func(a *id.Account) { a.Frozen, a.Keys = false, keys([20]byte{1}) })
	b.get(p.issuer + "/").shows("패스키로 로그인")
	w.ledger.change(account, func(a *id.Account) { a.Keys = keys(account) })
	b.get(p.issuer + "/").shows("패스키로 로그인") // a key that was replaced ended the session
	b.get(p.issuer + "/")
	refused("a replay", "signin.replayed", good)

	b.key.Origin = "https://evil.example"
	refused("another page", "signin.wrong_origin", answer())
	b.key.Origin = w.providers[1].issuer
	refused("an answer given to another member", "signin.wrong_origin", answer())
	b.key.Origin = p.issuer
	b.key.RPID = "evil.example"
	refused("another relying party", "signin.wrong_rp", answer())
	b.key.RPID = "localhost"
	b.key.Flags = 1
	refused("no user verification", "signin.not_verified", answer())
	b.key.Flags = 5
	b.key.Count = 0
	refused("a counter that goes back", "signin.counter_back", answer())
	b.key.Count = 1000

	stranger := passkeytest.New(t, "localhost", p.issuer)
	challenge := b.get(p.issuer + "/").find(`data-challenge="([^"]+)"`)
	refused("a key without an account", "signin.unknown_key", stranger.Assert(t, challenge, nil))
	challenge = b.get(p.issuer + "/").find(`data-challenge="([^"]+)"`)
	refused("a key that claims another's account", "signin.unknown_key", stranger.Assert(t, challenge, account[:]))
	other := newBrowser(t)
	stolen := b.key.Assert(t, other.get(p.issuer+"/").find(`data-challenge="([^"]+)"`), nil)
	refused("a challenge of another browser", "signin.replayed", stolen)
	b.get(p.issuer + "/")
	refused("no answer", "signin.malformed", []byte("{}"))

	w.ledger.change(account, func(a *id.Account) { a.Frozen = true })
	refused("a frozen account", "signin.frozen", answer())
	next := passkeytest.New(t, "localhost", p.issuer)
	w.ledger.change(account, func(a *id.Account) { a.Frozen, a.Keys = false, keys(next.Public(t).Address()) })
	refused("a key that was replaced", "signin.unknown_key", answer())
	b.get(p.issuer + "/")
	b.sendPasskey(next.Assert(t, b.find(`data-challenge="([^"]+)"`), account[:])).shows("내 정보 지우기", shown(account))
}

// Making a passkey proves nothing of its key. Whoever brings the key of somebody's account is not them.
func TestSomebodyElsesKey(t *testing.T) {
	w := newWorld(t, 1, nil)
	p, b, thief := w.providers[0], newBrowser(t), newBrowser(t)
	w.register(b, p.issuer, "홍길동", "01012345678", "110123456789")
	thief.key.Key = b.key.Key // a key, not what it signs: that is public after one signature
	w.register(thief, p.issuer, "김철수", "01087654321", "220123456789")
	thief.shows("signin.has_account").get(p.issuer + "/").shows("패스키로 로그인")
	b.get(p.issuer + "/").shows("홍길동")
}

// ask is a request of a service, right in everything until a test changes it.
func (w *world) ask(change ...string) string {
	q := url.Values{"client_id": {"clinic"}, "redirect_uri": {w.shop + "/clinic"}, "response_type": {"code"}, "scope": {"openid phone"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}
	for i := 0; i+1 < len(change); i += 2 {
		if q.Set(change[i], change[i+1]); change[i+1] == "" {
			q.Del(change[i])
		}
	}
	return w.providers[0].issuer + "/authorize?" + q.Encode()
}

// pkce is the verifier of ask's challenge (RFC 7636, appendix B).
const pkce = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

// A service's request that would weaken the sign-in, or lead elsewhere, is refused: with a page where the address is not to be trusted.
func TestRequestAttacks(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := newBrowser(t)
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, test := range []struct {
		name   string
		change []string
		want   string // an error at the service; empty: a page of the provider
	}{
		{"open redirect", []string{"redirect_uri", "https://evil.example/"}, ""},
		{"a longer redirect", []string{"redirect_uri", w.shop + "/clinic/../evil"}, ""},
		{"another service's redirect", []string{"redirect_uri", w.shop + "/callback"}, ""},
		{"no redirect", []string{"redirect_uri", ""}, ""},
		{"an unknown service", []string{"client_id", "nobody"}, ""},
		{"no PKCE", []string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		{"PKCE downgraded to plain", []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"the implicit flow", []string{"response_type", "id_token token"}, "invalid_request"},
		{"an item it may not ask for", []string{"scope", "openid bank_account"}, "invalid_scope"},
		{"no OpenID", []string{"scope", "phone"}, "invalid_request"},
		{"nobody is signed in", []string{"prompt", "none"}, "login_required"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.get(w.ask(test.change...))
			to, err := url.Parse(strings.Replace(b.header.Get("Location"), "#", "?", 1))
			switch {
			case err != nil:
				t.Fatal(err)
			case test.want == "" && (b.status != http.StatusBadRequest || to.String() != "" || !strings.Contains(b.text, "signin.bad_request")):
				t.Errorf("%d to %s:\n%s", b.status, to, b.text)
			case test.want != "" && (to.Query().Get("error") != test.want || !strings.HasPrefix(to.String(), w.shop+"/clinic?") || to.Query().Get("iss") != w.providers[0].issuer):
				t.Errorf("%d to %s, want %s", b.status, to, test.want)
			}
		})
	}
}

// A sign-in that is under way belongs to the browser that began it, and forms to the provider's own pages.
func TestBrowserAttacks(t *testing.T) {
	w := newWorld(t, 1, nil)
	p, b, thief := w.providers[0], newBrowser(t), newBrowser(t)
	w.register(b, p.issuer, "홍길동", "01012345678", "110123456789")
	b.get(w.ask()).shows("무엇을 알려 줄까요?")
	action := b.find(`action="(/authorize/[^"]+)"`)
	if thief.get(p.issuer + action); thief.status != http.StatusForbidden || !strings.Contains(thief.text, "signin.other_browser") {
		t.Errorf("another browser: %d\n%s", thief.status, thief.text)
	}
	for _, path := range []string{action, "/signin", "/register", "/recover", "/withdraw", "/erase", "/signout"} {
		for _, site := range []string{"cross-site", "same-site"} {
			req, err := http.NewRequest(http.MethodPost, p.issuer+path, strings.NewReader("do=agree&sure=yes"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Sec-Fetch-Site", site)
			if b.do(req); b.status != http.StatusForbidden || !strings.Contains(b.text, "signin.other_page") {
				t.Errorf("a form of a page that is %s to %s: %d", site, path, b.status)
			}
		}
	}
	req, err := http.NewRequest(http.MethodPost, p.issuer+"/signin", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	if b.do(req); b.status != http.StatusMisdirectedRequest {
		t.Errorf("another host: %d", b.status)
	}
	b.get(p.issuer + "/")
	csp := b.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, part) || strings.Contains(csp, "unsafe") {
			t.Errorf("the policy is %s", csp)
		}
	}
	fresh := newBrowser(t).get(p.issuer + "/")
	if set := fresh.header.Values("Set-Cookie"); len(set) != 1 || !strings.Contains(set[0], "HttpOnly") || !strings.Contains(set[0], "SameSite=Lax") || strings.Contains(set[0], "Domain") {
		t.Errorf("cookies %q", set)
	}
}

// token asks the token endpoint.
func (w *world) token(t *testing.T, form url.Values, secret string) (status int, answer map[string]any) {
	t.Helper()
	form.Set("client_secret", secret)
	resp, err := http.PostForm(w.providers[0].issuer+"/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func (w *world) userinfo(t *testing.T, token string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, w.providers[0].issuer+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// code takes a person to the clinic and returns the code that they bring.
func (w *world) code(b *browser, how ...string) string {
	w.t.Helper()
	if b.get(w.ask(how...)); b.at.Path != "/clinic" {
		b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", b.find(`name="account" value="([^"]+)"`), "item", "phone")
	}
	if b.at.Query().Get("code") == "" {
		w.t.Fatalf("no code at %s:\n%s", b.at, b.text)
	}
	return b.at.Query().Get("code")
}

// Codes are for one service, one verifier, one address and one use, and what came of one that is used twice ends.
func TestCodeAttacks(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := newBrowser(t)
	w.register(b, w.providers[0].issuer, "홍길동", "01012345678", "110123456789")
	form := func(code string, change ...string) url.Values {
		f := url.Values{"grant_type": {"authorization_code"}, "client_id": {"clinic"}, "code": {code}, "redirect_uri": {w.shop + "/clinic"}, "code_verifier": {pkce}}
		for i := 0; i+1 < len(change); i += 2 {
			if f.Set(change[i], change[i+1]); change[i+1] == "" {
				f.Del(change[i])
			}
		}
		return f
	}
	for _, test := range []struct {
		name, want, secret string
		change             []string
	}{
		{"another verifier", "invalid_grant", shopSecret, []string{"code_verifier", strings.Repeat("a", 43)}},
		{"no verifier", "invalid_grant", shopSecret, []string{"code_verifier", ""}},
		{"another address", "invalid_grant", shopSecret, []string{"redirect_uri", w.shop + "/app"}},
		{"another service's code", "invalid_grant", "", []string{"client_id", "app"}},
		{"a wrong secret", "invalid_client", "guessed", nil},
		{"a made-up code", "invalid_grant", shopSecret, []string{"code", "made-up"}},
	} {
		status, answer := w.token(t, form(w.code(b), test.change...), test.secret)
		if status < 400 || answer["error"] != test.want && answer["error"] != "invalid_request" || answer["access_token"] != nil {
			t.Errorf("%s: %d %v, want %s", test.name, status, answer, test.want)
		}
	}

	// Without a method the challenge is not taken for a verifier in clear.
	if status, answer := w.token(t, form(w.code(b, "code_challenge_method", ""), "code_verifier", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), shopSecret); status == http.StatusOK {
		t.Errorf("PKCE was downgraded to plain: %v", answer)
	}

	code := w.code(b)
	status, answer := w.token(t, form(code), shopSecret)
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK || token == "" || answer["refresh_token"] != nil {
		t.Fatalf("%d %v", status, answer)
	}
	if status, told := w.userinfo(t, token); status != http.StatusOK || told["phone_number"] != "+821012345678" || strings.HasPrefix(fmt.Sprint(told["sub"]), "0x") || told["name"] != nil {
		t.Errorf("userinfo: %d %v", status, told)
	}
	if status, answer := w.token(t, form(code), shopSecret); status == http.StatusOK {
		t.Errorf("a code was good twice: %v", answer)
	}
	if status, _ := w.userinfo(t, token); status != http.StatusUnauthorized {
		t.Errorf("the token of a code that was used twice: %d", status)
	}

	// However many ask at once, a code is good once.
	code = w.code(b)
	var all sync.WaitGroup
	var mu sync.Mutex
	good := 0
	for range 8 {
		all.Go(func() {
			if status, _ := w.token(t, form(code), shopSecret); status == http.StatusOK {
				mu.Lock()
				good++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if good > 1 {
		t.Errorf("a code was good %d times", good)
	}
}

// A token that is bound to a service's key is worth nothing without it, nor with a proof that was used.
func TestTokenReplay(t *testing.T) {
	w := newWorld(t, 1, nil)
	p, b := w.providers[0], newBrowser(t)
	w.register(b, p.issuer, "홍길동", "01012345678", "110123456789")
	key := passkeytest.New(t, "", "").Key
	proof := func(method, address, id string, more map[string]any) string {
		claims := map[string]any{"jti": id, "htm": method, "htu": address, "iat": time.Now().Unix()}
		for name, value := range more {
			claims[name] = value
		}
		raw, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(raw)
		if err != nil {
			t.Fatal(err)
		}
		text, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	send := func(method, path, body string, header map[string]string) (int, map[string]any) {
		req, err := http.NewRequest(method, p.issuer+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range header {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer := map[string]any{}
		_ = json.NewDecoder(resp.Body).Decode(&answer) // a refusal may have none
		return resp.StatusCode, answer
	}
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"clinic"}, "client_secret": {shopSecret}, "code": {w.code(b)}, "redirect_uri": {w.shop + "/clinic"}, "code_verifier": {pkce}}
	status, answer := send(http.MethodPost, "/token", form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded", "DPoP": proof("POST", p.issuer+"/token", "1", nil)})
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK || answer["token_type"] != "DPoP" {
		t.Fatalf("%d %v", status, answer)
	}
	hash := map[string]any{"ath": sha256Text(token)}
	mine := proof("GET", p.issuer+"/userinfo", "2", hash)
	if status, told := send(http.MethodGet, "/userinfo", "", map[string]string{"Authorization": "DPoP " + token, "DPoP": mine}); status != http.StatusOK || told["phone_number"] == nil {
		t.Errorf("with its key: %d %v", status, told)
	}
	if status, _ := send(http.MethodGet, "/userinfo", "", map[string]string{"Authorization": "DPoP " + token, "DPoP": mine}); status == http.StatusOK {
		t.Error("a proof was good twice")
	}
	if status, _ := send(http.MethodGet, "/userinfo", "", map[string]string{"Authorization": "Bearer " + token}); status == http.StatusOK {
		t.Error("the token was good without its key")
	}
	key = passkeytest.New(t, "", "").Key
	if status, _ := send(http.MethodGet, "/userinfo", "", map[string]string{"Authorization": "DPoP " + token, "DPoP": proof("GET", p.issuer+"/userinfo", "3", hash)}); status == http.StatusOK {
		t.Error("the token was good with another key")
	}
}

func sha256Text(text string) string {
	sum := sha256.Sum256([]byte(text))
	return passkey.Text(sum[:])
}

// Every public page has a limit, and codes have stricter ones; a code can be guessed at only a few times.
func TestLimits(t *testing.T) {
	w := newWorld(t, 1, func(c *id.Config) {
		c.Limits = id.Limits{PerSecond: 0.001, Burst: 60, ServicesPerSecond: 0.001, Codes: 4, CodesEach: 2}
	})
	p, b := w.providers[0], newBrowser(t)
	b.get(p.issuer + "/register")
	send := func(phone string) { b.post("/register", "do", "phone", "name", "홍길동", "phone", phone) }
	send("nonsense")
	b.shows("signin.bad_phone")
	send("010-1111-2222")
	for range 5 {
		b.post("/register", "do", "phone-code", "code", "000000x").shows("signin.code_wrong")
	}
	right := newest(t, w.operator.URL, `(\d{6})`)
	b.post("/register", "do", "phone-code", "code", right).shows("signin.code_spent")
	b.post("/register", "do", "passkey", "answer", "{}").post("/register", "do", "bank-code", "code", "1").shows("문자로 받은 인증번호")
	for range 2 {
		b.post("/register", "do", "again")
		send("010-1111-2222")
	}
	b.shows("signin.too_many_codes") // for this phone
	send("010-3333-4444")
	b.post("/register", "do", "again")
	send("010-5555-6666")
	b.shows("signin.too_many_codes") // from this address
	b.get(p.issuer + "/.well-known/openid-configuration").shows("issuer")
	b.get(p.issuer + "/.well-known/openid-configuration").shows("signin.too_many")
	for b.get(p.issuer + "/"); b.status != http.StatusTooManyRequests; b.get(p.issuer + "/") {
	}
	b.shows("signin.too_many")
	if b.get(p.issuer + "/healthz"); b.status != http.StatusOK {
		t.Errorf("the health page has a limit: %d", b.status)
	}
}

// What services read of the provider: how to use it, and keys without their secrets. Nothing personal is in a log.
func TestDiscoveryAndLogs(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, 1, func(c *id.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	p, b := w.providers[0], newBrowser(t)
	b.get(p.issuer+"/.well-known/openid-configuration").shows(`"code_challenge_methods_supported": [`, `"S256"`, `"backchannel_logout_session_supported": true`, `"end_session_endpoint": "`+p.issuer+`/logout"`,
		`"authorization_response_iss_parameter_supported": true`, `"pairwise"`, `"ES256"`)
	if strings.Contains(b.text, "plain") || strings.Contains(b.text, "HS256") || strings.Contains(b.text, `"none"`) && !strings.Contains(b.text, "token_endpoint_auth") {
		t.Errorf("discovery: %s", b.text)
	}
	jwks := b.find(`"jwks_uri": "([^"]+)"`)
	if b.get(jwks); strings.Contains(b.text, `"d"`) || !strings.Contains(b.text, `"kid"`) {
		t.Errorf("keys: %s", b.text)
	}
	b.get(p.issuer + "/.well-known/webauthn").shows(`"origins":["` + walletOrigin + `","` + p.issuer + `"]`)

	b.get(p.issuer + "/register")
	b.post("/register", "do", "phone", "name", "홍길동", "phone", "010-1234-5678")
	b.post("/register", "do", "again")
	w.bank.Close()
	b.post("/register", "do", "phone", "name", "홍길동", "phone", "010-1234-5678")
	b.post("/register", "do", "phone-code", "code", newest(t, w.operator.URL, `(\d{6})`))
	b.post("/register", "do", "bank", "bank", "088", "number", "110123456789").shows("signin.failed")
	b.get(w.ask("redirect_uri", "https://evil.example/"))
	if !strings.Contains(log.String(), "did not answer") {
		t.Errorf("the log does not say that the bank was not there:\n%s", log.String())
	}
	for _, word := range []string{"홍길동", "1012345678", "110123456789", "1234-5678"} {
		if strings.Contains(log.String(), word) {
			t.Errorf("the log has %s:\n%s", word, log.String())
		}
	}
}

// A bank account of somebody else is refused by the bank.
func TestSomebodyElsesAccount(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.register(newBrowser(t), w.providers[0].issuer, "홍길동", "010-1234-5678", "110123456789")
	b := newBrowser(t).get(w.providers[0].issuer + "/register")
	b.post("/register", "do", "phone", "name", "김철수", "phone", "010-8765-4321")
	b.post("/register", "do", "phone-code", "code", newest(t, w.operator.URL, `(\d{6})`))
	b.post("/register", "do", "bank", "bank", "088", "number", "110123456789").shows("signin.bank_refused")
	b.post("/register", "do", "bank", "bank", "999", "number", "110123456789").shows("signin.bad_bank")
}
