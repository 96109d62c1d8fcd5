package id_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/passkey/passkeytest"
)

// registered are two services that organisations set on the ledger, each with a key of its own, and an app without.
type registered struct {
	*world
	keys map[string]*ecdsa.PrivateKey // by client id
}

var clinicAccount, pharmacyAccount, appAccount = [20]byte{0xc1}, [20]byte{0xc2}, [20]byte{0xc3}

func register(t *testing.T, members int) (*registered, *browser) {
	t.Helper()
	w := &registered{newWorld(t, members, nil), map[string]*ecdsa.PrivateKey{}}
	for account, path := range map[[20]byte]string{clinicAccount: "/clinic", pharmacyAccount: "/pharmacy", appAccount: "/app"} {
		p := id.Party{Name: "의원 Clinic", Organisation: "두레 의료재단", RedirectURIs: []string{w.shop + path}, MayAsk: []string{id.ItemPhone}, Subject: "pairwise"}
		if account != appAccount {
			key := passkeytest.New(t, "", "").Key
			w.keys[shown(account)] = key
			p.Keys = [][]byte{point(t, key)}
		}
		w.ledger.set(account, &p)
	}
	b := newBrowser(t)
	w.register(b, w.providers[0].issuer, "홍길동", "01012345678", "110123456789")
	return w, b
}

func point(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	raw, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{2 | raw[64]&1}, raw[1:33]...)
}

// assertion is what a service signs to show who it is (RFC 7523), right in everything but what more says.
func assertion(t *testing.T, key *ecdsa.PrivateKey, client, audience, jti string, more map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": client, "sub": client, "aud": audience, "jti": jti, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(claims, more)
	return sign(t, key, "JWT", claims)
}

func sign(t *testing.T, key *ecdsa.PrivateKey, typ string, claims map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
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

func (w *registered) code(b *browser, account [20]byte, path string) string {
	w.t.Helper()
	return w.world.code(b, "client_id", shown(account), "redirect_uri", w.shop+path)
}

// form asks the clinic's code to be exchanged, right in everything.
func (w *registered) form(code, jti string) url.Values {
	client, issuer := shown(clinicAccount), w.providers[0].issuer
	return url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {w.shop + "/clinic"}, "code_verifier": {pkce},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion(w.t, w.keys[client], client, issuer, jti, nil)}}
}

// A service that an organisation set on the ledger is one at every member's provider; one that is removed is one at none, from then on.
func TestServiceOnLedger(t *testing.T) {
	w, b := register(t, 2)
	for i, p := range w.providers {
		b.key.Origin = p.issuer
		b.get(strings.Replace(w.ask("client_id", shown(clinicAccount)), w.providers[0].issuer, p.issuer, 1))
		if i == 1 {
			b.usePasskey()
		}
		b.shows("의원 Clinic", "원장에 등록한 기관", "두레 의료재단", w.shop)
	}
	b.key.Origin = w.providers[0].issuer
	b.get(w.providers[0].issuer + "/")
	form := w.form(w.code(b, clinicAccount, "/clinic"), "1")
	status, answer := w.token(t, form, "")
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	if status, told := w.userinfo(t, token); status != http.StatusOK || told["phone_number"] != "+821012345678" {
		t.Errorf("userinfo: %d %v", status, told)
	}

	// An app shows nothing of itself but PKCE.
	app := url.Values{"grant_type": {"authorization_code"}, "client_id": {shown(appAccount)}, "code": {w.code(b, appAccount, "/app")}, "redirect_uri": {w.shop + "/app"}, "code_verifier": {pkce}}
	if status, answer := w.token(t, app, ""); status != http.StatusOK {
		t.Errorf("an app: %d %v", status, answer)
	}

	// A key that follows is as good as the one before it, while both are there.
	next := passkeytest.New(t, "", "").Key
	party, err := w.ledger.Service(t.Context(), clinicAccount)
	if err != nil {
		t.Fatal(err)
	}
	party.Keys = [][]byte{point(t, next)}
	w.ledger.set(clinicAccount, &party)
	if status, answer := w.token(t, w.form(w.code(b, clinicAccount, "/clinic"), "2"), ""); status != http.StatusUnauthorized || answer["error"] != "invalid_client" {
		t.Errorf("a key that was replaced: %d %v", status, answer)
	}
	w.keys[shown(clinicAccount)] = next
	code := w.code(b, clinicAccount, "/clinic")

	w.ledger.set(clinicAccount, nil)
	if status, answer := w.token(t, w.form(code, "3"), ""); status != http.StatusUnauthorized || answer["error"] != "invalid_client" {
		t.Errorf("the code of a service that was removed: %d %v", status, answer)
	}
	if status, told := w.userinfo(t, token); status != http.StatusUnauthorized || told["phone_number"] != nil {
		t.Errorf("the token of a service that was removed: %d %v", status, told)
	}
	for _, p := range w.providers {
		b.get(strings.Replace(w.ask("client_id", shown(clinicAccount)), w.providers[0].issuer, p.issuer, 1))
		if b.status != http.StatusBadRequest || !strings.Contains(b.text, "signin.bad_request") {
			t.Errorf("a service that was removed: %d\n%s", b.status, b.text)
		}
	}
}

// What a service on the ledger asks is refused when it is not exactly its own.
func TestServiceAttacks(t *testing.T) {
	w, b := register(t, 1)
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	clinic := shown(clinicAccount)
	for name, change := range map[string][]string{
		"a service of a stranger":        {"client_id", shown([20]byte{0xee})},
		"an account written another way": {"client_id", "0x" + strings.ToUpper(clinic[2:])},
		"another service's redirect":     {"client_id", clinic, "redirect_uri", w.shop + "/pharmacy"},
		"an open redirect":               {"client_id", clinic, "redirect_uri", "https://evil.example/clinic"},
		"a redirect with more behind it": {"client_id", clinic, "redirect_uri", w.shop + "/clinic?to=evil"},
		"a redirect written another way": {"client_id", clinic, "redirect_uri", strings.Replace(w.shop, "http", "HTTP", 1) + "/clinic"},
		"a redirect with an empty end":   {"client_id", clinic, "redirect_uri", w.shop + "/clinic#"},
	} {
		if b.get(w.ask(change...)); b.status != http.StatusBadRequest || b.header.Get("Location") != "" || !strings.Contains(b.text, "signin.bad_request") {
			t.Errorf("%s: %d to %s", name, b.status, b.header.Get("Location"))
		}
	}
	for name, change := range map[string][]string{
		"no PKCE":                     {"client_id", clinic, "code_challenge", "", "code_challenge_method", ""},
		"PKCE downgraded to plain":    {"client_id", clinic, "code_challenge_method", "plain"},
		"an item it may not ask for":  {"client_id", clinic, "scope", "openid bank_account"},
		"the account behind a number": {"client_id", clinic, "scope", "openid account"},
	} {
		b.get(w.ask(change...))
		if to, err := url.Parse(b.header.Get("Location")); err != nil || to.Query().Get("error") == "" || to.Query().Get("code") != "" {
			t.Errorf("%s: %d to %s", name, b.status, to)
		}
	}
}

// Only a service itself exchanges its codes, each once and with an assertion that was not used.
func TestServiceAssertions(t *testing.T) {
	w, b := register(t, 1)
	clinic, pharmacy, issuer := shown(clinicAccount), shown(pharmacyAccount), w.providers[0].issuer
	stranger := passkeytest.New(t, "", "").Key
	signed := func(key *ecdsa.PrivateKey, client, jti string, more map[string]any) string {
		return assertion(t, key, client, issuer, jti, more)
	}
	for name, test := range map[string]struct {
		want   string
		change map[string]string
	}{
		"the code of one service at another": {"invalid_grant", map[string]string{"client_id": pharmacy, "client_assertion": signed(w.keys[pharmacy], pharmacy, "a", nil)}},
		"an app in place of the service":     {"invalid_grant", map[string]string{"client_id": shown(appAccount), "client_assertion": "", "client_assertion_type": ""}},
		"no assertion":                       {"invalid_client", map[string]string{"client_assertion": "", "client_assertion_type": ""}},
		"another key":                        {"invalid_client", map[string]string{"client_assertion": signed(stranger, clinic, "b", nil)}},
		"another service's assertion":        {"invalid_client", map[string]string{"client_assertion": signed(w.keys[pharmacy], pharmacy, "c", nil)}},
		"an assertion for another provider":  {"invalid_client", map[string]string{"client_assertion": assertion(t, w.keys[clinic], clinic, "https://id.other.example", "d", nil)}},
		"an assertion that is over":          {"invalid_client", map[string]string{"client_assertion": signed(w.keys[clinic], clinic, "e", map[string]any{"exp": time.Now().Add(-time.Minute).Unix()})}},
		"an assertion for too long":          {"invalid_client", map[string]string{"client_assertion": signed(w.keys[clinic], clinic, "f", map[string]any{"exp": time.Now().Add(time.Hour).Unix()})}},
		"an assertion without an id":         {"invalid_client", map[string]string{"client_assertion": signed(w.keys[clinic], clinic, "", nil)}},
		"an assertion in another's name":     {"invalid_client", map[string]string{"client_assertion": signed(w.keys[clinic], clinic, "g", map[string]any{"sub": pharmacy})}},
		"another verifier":                   {"invalid_grant", map[string]string{"code_verifier": strings.Repeat("a", 43)}},
	} {
		form := w.form(w.code(b, clinicAccount, "/clinic"), "of "+name)
		for field, value := range test.change {
			if form.Set(field, value); value == "" {
				form.Del(field)
			}
		}
		if status, answer := w.token(t, form, ""); status < 400 || answer["error"] != test.want || answer["access_token"] != nil {
			t.Errorf("%s: %d %v, want %s", name, status, answer, test.want)
		}
	}

	// Whoever saw a request has an assertion that was used, and a code that was used.
	used := w.form(w.code(b, clinicAccount, "/clinic"), "once")
	status, answer := w.token(t, used, "")
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	again := w.form(w.code(b, clinicAccount, "/clinic"), "other")
	again.Set("client_assertion", used.Get("client_assertion"))
	if status, answer := w.token(t, again, ""); status != http.StatusUnauthorized || answer["error"] != "invalid_client" {
		t.Errorf("an assertion was good twice: %d %v", status, answer)
	}
	replayed := w.form(used.Get("code"), "third")
	if status, answer := w.token(t, replayed, ""); status == http.StatusOK {
		t.Errorf("a code was good twice: %v", answer)
	}
	token, _ := answer["access_token"].(string)
	if status, _ := w.userinfo(t, token); status != http.StatusUnauthorized {
		t.Errorf("the token of a code that was used twice: %d", status)
	}
}

// The provider registers no services by itself, and says of no address that it does.
func TestNoRegistration(t *testing.T) {
	w, b := register(t, 1)
	b.get(w.providers[0].issuer + "/.well-known/openid-configuration").shows("private_key_jwt")
	if strings.Contains(b.text, "registration_endpoint") {
		t.Errorf("%s", b.text)
	}
	for _, path := range []string{"/no-registration", "/no-registration/" + shown(clinicAccount)} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodGet, http.MethodDelete} {
			req, err := http.NewRequest(method, w.providers[0].issuer+path, strings.NewReader(`{"redirect_uris": ["https://evil.example/"]}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			if b.do(req); b.status != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, b.status)
			}
		}
	}
}

// A service learns of a sign-out by a token that the provider signs for it; a forged one signs nobody out. The shop checks as the guide's service does.
func TestForgedLogout(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := newBrowser(t)
	w.register(b, w.providers[0].issuer, "홍길동", "01012345678", "110123456789")
	b.get(w.shop + "/login?via=0")
	b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", b.find(`name="account" value="([^"]+)"`)).shows("어서 오세요")
	claims := map[string]any{"iss": w.providers[0].issuer, "aud": "shop", "sub": b.find(`id="subject"[^>]*>([^<]+)<`), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "jti": "1",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}}
	for name, token := range map[string]string{
		"another key": sign(t, passkeytest.New(t, "", "").Key, "logout+jwt", claims), "no token": "forged",
	} {
		resp, err := http.PostForm(w.shop+"/backchannel", url.Values{"logout_token": {token}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	b.get(w.shop + "/").shows("어서 오세요")
}

// What an organisation sets on the ledger does not lead a provider into its member's own network.
func TestLogoutStaysOutside(t *testing.T) {
	inside := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside <- r.URL.Path }))
	defer server.Close()
	for _, address := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)} {
		if resp, err := id.Outward.Get(address + "/inside"); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			t.Errorf("%s was reached: %s", address, <-inside)
		} else if !strings.Contains(err.Error(), "around it") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for address, ok := range map[string]bool{
		"10.1.2.3:443": false, "192.168.0.1:443": false, "169.254.169.254:80": false, "100.64.0.1:443": false, "[::1]:443": false, "[fd00::1]:443": false, "[fe80::1]:443": false,
		"[::ffff:10.0.0.1]:443": false, "0.0.0.0:443": false, "224.0.0.1:443": false, "no address": false, "203.0.113.7:443": true, "[2001:db8::1]:443": true,
	} {
		if err := id.OnlyOutward("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A consent is withdrawn, replaced and erased on the ledger as well, also when the ledger was out of reach for a while, and whoever has its document finds it.
func TestReceipts(t *testing.T) {
	w := newWorld(t, 1, nil)
	p, b := w.providers[0], newBrowser(t)
	w.register(b, p.issuer, "홍길동", "01012345678", "110123456789")
	w.ledger.mu.Lock()
	w.ledger.down = true
	w.ledger.mu.Unlock()
	b.get(w.shop + "/login?via=0")
	b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", b.find(`name="account" value="([^"]+)"`), "item", "phone").shows("어서 오세요") // nobody waits
	b.get(p.issuer + "/").shows("원장에 남기는 중입니다")
	b.get(p.issuer+"/consent?service=shop").shows("dure/consent/v1", "Corner Shop", `"phone"`, `"salt"`)
	document := b.text
	if len(document)%1024 != 0 {
		t.Errorf("the document has %d bytes", len(document))
	}
	w.ledger.mu.Lock()
	w.ledger.down = false
	w.ledger.mu.Unlock()
	until(t, "the consent did not come to the ledger", func() bool { r, ok := w.ledger.of([]byte(document)); return ok && !r.Withdrawn })
	b.get(p.issuer+"/").shows("원장 영수증", "(블록 1)")
	b.post("/withdraw", "service", "shop")
	until(t, "the withdrawal did not come to the ledger", func() bool { r, _ := w.ledger.of([]byte(document)); return r.Withdrawn })
	if b.get(p.issuer + "/consent?service=shop"); b.status != http.StatusNotFound {
		t.Errorf("the document of a consent that was withdrawn: %d", b.status)
	}
	if other := newBrowser(t).get(p.issuer + "/consent?service=shop"); strings.Contains(other.text, "salt") {
		t.Errorf("somebody else's document: %s", other.text)
	}
}
