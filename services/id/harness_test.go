package id_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/passkey/passkeytest"
	"github.com/dureledger/dure/services/id/sandbox"
	"github.com/dureledger/dure/services/id/shop"
)

// ledger is one that several providers share.
type ledger struct {
	clock *clock // which recoveries go by

	mu       sync.Mutex
	accounts map[[20]byte]id.Account
	origins  []string
	*board
}

// walletOrigin is where the network's people sign transactions.
const walletOrigin = "http://wallet.localhost:8080"

func newLedger() *ledger {
	return &ledger{accounts: map[[20]byte]id.Account{}, origins: []string{walletOrigin}, board: newBoard()}
}

func (l *ledger) Rules(context.Context) (string, []string, error) { return "localhost", l.origins, nil }

func (l *ledger) Account(_ context.Context, a [20]byte) (id.Account, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.accounts[a]
	if !ok {
		return found, id.ErrNoAccount
	}
	return found, nil
}

func (l *ledger) Open(_ context.Context, p passkey.Public) error {
	if _, err := l.Account(context.Background(), p.Address()); err == nil {
		return id.ErrOpen
	}
	l.change(p.Address(), func(a *id.Account) {
		*a = id.Account{Address: shown(p.Address()), Keys: keys(p.Address()), Takes: 1, Ours: true, Wait: 72 * time.Hour}
	})
	return nil
}

// Recover is the account and the key; sign is what the wallet does with it.
func (l *ledger) Recover(_ context.Context, account [20]byte, p passkey.Public) ([]byte, error) {
	to := p.Address()
	return append(account[:], to[:]...), nil
}

// sign begins a recovery, if none runs.
func (l *ledger) sign(b *browser) {
	b.t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(b.find(`href="` + walletOrigin + `/wallet/#sponsored/([^/"]+)/`))
	if err != nil || len(raw) != 40 {
		b.t.Fatal(raw, err)
	}
	l.change([20]byte(raw[:20]), func(a *id.Account) {
		if a.Recovery == nil {
			ready := l.clock.now().Add(a.Wait)
			a.Recovery = &id.Recovery{Key: shown([20]byte(raw[20:])), ReadyAt: ready.UnixMilli(), LapsesAt: ready.Add(30 * 24 * time.Hour).UnixMilli()}
		}
	})
}

func (l *ledger) Finish(_ context.Context, account, key [20]byte) error {
	err := id.ErrTooEarly
	l.change(account, func(a *id.Account) {
		if q := a.Recovery; q != nil && q.Key == shown(key) && l.clock.now().UnixMilli() >= q.ReadyAt {
			a.Keys, a.Takes, a.Locked, a.Recovery, err = keys(key), 1, false, nil, nil
		}
	})
	return err
}

// keys are passkeys of an account that each suffice.
func keys(addresses ...[20]byte) (out []id.Key) {
	for _, a := range addresses {
		out = append(out, id.Key{Address: shown(a), Kind: "webauthn", Weight: 1})
	}
	return out
}

func (l *ledger) change(a [20]byte, how func(*id.Account)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.accounts[a]
	how(&found)
	l.accounts[a] = found
}

func shown(a [20]byte) string { return "0x" + hex.EncodeToString(a[:]) }

// clock is a time that moves on when a test says so.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// listen gives a server an address that browsers would use.
func listen(t *testing.T, h func() http.Handler) (address string, start func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h().ServeHTTP(w, r) }))
	s.Listener.Close()
	s.Listener = l
	t.Cleanup(s.Close)
	return fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port), s.Start
}

// world is what a sign-in takes: a ledger, an operator and a bank, members with providers, and a shop that people come to by any of them.
type world struct {
	t              *testing.T
	ledger         *ledger
	clock          *clock
	operator, bank *httptest.Server
	shop           string
	providers      []*provider
}

type provider struct {
	*id.Server
	issuer, dir string
}

const shopSecret = "a secret of the shop"

// newWorld has so many members with providers; change, if not nil, changes what each is made of.
func newWorld(t *testing.T, members int, change func(*id.Config)) *world {
	t.Helper()
	w := &world{t: t, ledger: newLedger(), clock: &clock{t: time.Now()}}
	w.ledger.clock = w.clock
	w.operator, w.bank = httptest.NewServer(sandbox.NewOperator()), httptest.NewServer(sandbox.NewBank())
	t.Cleanup(w.operator.Close)
	t.Cleanup(w.bank.Close)
	var front *shop.Shop
	shopURL, startShop := listen(t, func() http.Handler { return front })
	w.shop = shopURL
	sum := sha256.Sum256([]byte(shopSecret))
	config := shop.Config{Name: "Shop", URL: shopURL, Asks: []string{id.ItemName, id.ItemPhone}}
	var starts []func()
	for i := range members {
		p := &provider{dir: t.TempDir()}
		var start func()
		p.issuer, start = listen(t, func() http.Handler { return p.Handler() })
		starts = append(starts, start)
		w.providers = append(w.providers, p)
		config.Providers = append(config.Providers, shop.Provider{Name: fmt.Sprintf("Member %d", i), Issuer: p.issuer, ClientID: "shop", Secret: shopSecret})
	}
	for i, p := range w.providers {
		settings := &id.Settings{Name: fmt.Sprintf("Member %d", i), Issuer: p.issuer, Operator: id.Service{URL: w.operator.URL}, Bank: id.Service{URL: w.bank.URL},
			Services: []id.Party{
				{ID: "shop", Name: "Corner Shop", SecretSHA256: hex.EncodeToString(sum[:]), RedirectURIs: []string{shopURL + "/callback"}, PostLogoutRedirectURIs: []string{shopURL + "/"},
					BackchannelLogoutURI: shopURL + "/backchannel", MayAsk: []string{id.ItemName, id.ItemPhone, id.ItemAccount}},
				{ID: "clinic", Name: "Clinic", SecretSHA256: hex.EncodeToString(sum[:]), RedirectURIs: []string{shopURL + "/clinic"}, MayAsk: []string{id.ItemPhone}, Subject: "pairwise", SecretInForm: true},
				{ID: "app", Name: "App", RedirectURIs: []string{shopURL + "/app"}, MayAsk: []string{id.ItemPhone}},
			}}
		raw, err := json.Marshal(settings)
		if err != nil {
			t.Fatal(err)
		}
		c := id.Config{Dir: p.dir, Ledger: w.ledger, Now: w.clock.now, Limits: id.Limits{PerSecond: 1e6, Burst: 1e6, ServicesPerSecond: 1e6}}
		if c.Settings, err = id.ReadSettings(raw); err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(&c)
		}
		if p.Server, err = id.New(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
	}
	var err error
	if front, err = shop.New(config); err != nil {
		t.Fatal(err)
	}
	startShop()
	for _, start := range starts {
		start()
	}
	return w
}

// browser is one with cookies, and a person with a passkey before it.
type browser struct {
	t    *testing.T
	http *http.Client
	key  *passkeytest.Authenticator
	// at is where it is, text what it shows.
	at     *url.URL
	status int
	text   string
	header http.Header
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, http: &http.Client{Jar: jar}, key: passkeytest.New(t, "localhost", "")}
}

func (b *browser) do(req *http.Request) *browser {
	b.t.Helper()
	req.Header.Set("Accept", "text/html")
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.status, b.text, b.header = resp.Request.URL, resp.StatusCode, html.UnescapeString(string(raw)), resp.Header
	return b
}

func (b *browser) get(address string) *browser {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

// post sends a form of the page that is shown: the one that has do.
func (b *browser) post(action string, fields ...string) *browser {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	to, err := b.at.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

// find is the first group of a pattern in what is shown.
func (b *browser) find(pattern string) string {
	b.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(b.text)
	if m == nil {
		b.t.Fatalf("%s (%d) has no %s:\n%s", b.at, b.status, pattern, b.text)
	}
	return m[1]
}

func (b *browser) shows(words ...string) *browser {
	b.t.Helper()
	for _, w := range words {
		if !strings.Contains(b.text, w) {
			b.t.Fatalf("%s (%d) does not show %q:\n%s", b.at, b.status, w, b.text)
		}
	}
	return b
}

// usePasskey presses the button of a page for signing in.
func (b *browser) usePasskey() *browser {
	b.t.Helper()
	return b.sendPasskey(b.key.Assert(b.t, b.find(`data-challenge="([^"]+)"`), []byte("random")))
}

func (b *browser) sendPasskey(answer []byte) *browser {
	b.t.Helper()
	return b.post(b.find(`<form method="post" action="([^"]+)" data-passkey="get"`), "do", "assert", "answer", string(answer))
}

// register makes an account from the first page of it to the end.
func (w *world) register(b *browser, issuer, name, phone, number string) {
	w.t.Helper()
	b.key.Origin = issuer
	if b.at == nil || b.at.Path != "/register" {
		b.get(issuer + "/register")
	}
	w.prove(b, "/register", name, phone, number)
	b.shows("패스키 만들기").post("/register", "do", "passkey", "answer", string(b.key.Create(w.t, b.find(`data-challenge="([^"]+)"`))))
}

// prove goes through the two proofs at a page.
func (w *world) prove(b *browser, page, name, phone, number string) {
	w.t.Helper()
	b.post(page, "do", "phone", "name", name, "phone", phone).shows("문자로 받은 인증번호")
	b.post(page, "do", "phone-code", "code", newest(w.t, w.operator.URL, `(\d{6})`)).shows("1원 보내기")
	b.post(page, "do", "bank", "bank", "088", "number", number).shows("입금자 이름에 적힌 숫자")
	b.post(page, "do", "bank-code", "code", newest(w.t, w.bank.URL, `두레(\d{4})`))
}

// newest reads a code in the newest message of a sandbox.
func newest(t *testing.T, box, pattern string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, box+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var messages []sandbox.Message
	if err := json.NewDecoder(resp.Body).Decode(&messages); err != nil || len(messages) == 0 {
		t.Fatal(messages, err)
	}
	m := regexp.MustCompile(pattern).FindStringSubmatch(messages[0].Text)
	if m == nil {
		t.Fatalf("no code in %q", messages[0].Text)
	}
	return m[1]
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatal(what)
		case <-tick.C:
		}
	}
}
