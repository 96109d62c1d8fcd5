package id

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/vault"
)

// Config is what a provider is made of.
type Config struct {
	Settings *Settings
	// Dir is the provider's folder: its keys and its vault.
	Dir    string
	Ledger Ledger
	// Operator and Bank; nil: those of the settings, over HTTP.
	Operator Operator
	Bank     Bank
	Limits   Limits
	// Now is the time; nil: the machine's.
	Now func() time.Time
	Log *slog.Logger
}

// Server is a provider. It is safe for concurrent use.
type Server struct {
	settings *Settings
	ledger   Ledger
	operator Operator
	bank     Bank
	now      func() time.Time
	log      *slog.Logger

	site     *page.Site
	cookies  cookies
	passkeys *passkey.Ceremonies
	vault    *vault.Vault
	keys     *keys
	parties  map[string]Party
	flows    *flows
	sessions *sessions
	counting sync.Mutex // a passkey's counter is read and written by one request at a time

	enrolments       *lru.Cache[string, *enrolment]
	recoveries       *lru.Cache[string, *recovery]
	requests         *limiter
	asking           *limiter
	codesBy, codesTo *limiter
	recoveriesOf     *limiter
	telling          sync.WaitGroup
	tellers          chan struct{}
	recording        sync.WaitGroup
	owed             chan struct{} // has something when the recorder has something to do
	origins          []string
	// wallet is the page of the network's first origin at which people sign; empty: there is none.
	wallet    string
	handler   http.Handler
	discovery []byte
	host      string
	stopped   context.Context
	stop      context.CancelFunc
}

// New makes a provider and looks at the network's rules, which must let passkeys be used at its issuer.
func New(ctx context.Context, c Config) (*Server, error) {
	s := &Server{
		settings: c.Settings, ledger: c.Ledger, operator: c.Operator, bank: c.Bank, now: c.Now, log: c.Log,
		site: page.New(), cookies: newCookies(c.Settings.Issuer), parties: map[string]Party{}, flows: newFlows(), sessions: newSessions(),
		tellers: make(chan struct{}, maxTellers), owed: make(chan struct{}, 1),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.operator == nil {
		s.operator = httpOperator{c.Settings.Operator}
	}
	if s.bank == nil {
		s.bank = httpBank{c.Settings.Bank}
	}
	limits := c.Limits.orDefaults()
	s.asking = newLimiter(rate.Limit(limits.ServicesPerSecond), int(2*limits.ServicesPerSecond)+1)
	s.requests, s.codesBy, s.codesTo = newLimiter(rate.Limit(limits.PerSecond), limits.Burst), perHour(limits.Codes), perHour(limits.CodesEach)
	s.recoveriesOf = perHour(limits.Recoveries)
	for _, p := range c.Settings.Services {
		s.parties[p.ID] = p
	}
	var err error
	if s.enrolments, err = lru.New[string, *enrolment](maxEnrolments); err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	if s.recoveries, err = lru.New[string, *recovery](maxEnrolments); err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	if err := s.readRules(ctx); err != nil {
		return nil, err
	}
	if s.keys, err = readKeys(c.Dir); err != nil {
		return nil, err
	}
	if s.vault, err = vault.Open(c.Dir); err != nil {
		return nil, err
	}
	if err := s.route(); err != nil {
		return nil, errors.Join(err, s.vault.Close())
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	s.recording.Go(s.record)
	return s, nil
}

// readRules asks the network where passkeys may be used.
func (s *Server) readRules(ctx context.Context) error {
	rpID, origins, err := s.ledger.Rules(ctx)
	if err != nil {
		return err
	}
	u, err := url.Parse(s.settings.Issuer)
	if err != nil {
		return fmt.Errorf("id: %w", err)
	}
	if slices.Contains(origins, s.settings.Issuer) {
		return fmt.Errorf("id: %s is one of the network's origins, at which people sign transactions: a page there could have whoever signs in sign a payment. "+
			"Give the provider an address of its own, or let the members take this one out: dure network propose --set origins=…", s.settings.Issuer)
	}
	if host := u.Hostname(); host != rpID && !strings.HasSuffix(host, "."+rpID) {
		s.log.Warn("browsers use passkeys here only if they know related origins", "rp_id", rpID, "issuer", s.settings.Issuer)
	}
	if len(origins) > 0 {
		s.wallet = origins[0] + "/wallet/"
	}
	s.origins, s.host = slices.Concat(origins, []string{s.settings.Issuer}, s.settings.RelatedOrigins), strings.ToLower(u.Host)
	s.passkeys = passkey.New(rpID, s.settings.Issuer, s.settings.Issuer, s.now)
	return nil
}

// Close waits until services were told of those who signed out, and closes the vault.
func (s *Server) Close() error {
	s.stop()
	s.telling.Wait()
	s.recording.Wait()
	return s.vault.Close()
}

// Handler answers requests.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) route() error {
	connect, err := s.openID()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", connect)
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("POST /signin", s.signIn)
	mux.HandleFunc("GET /signin", s.again)
	mux.HandleFunc("GET /register", s.registerPage)
	mux.HandleFunc("POST /register", s.register)
	mux.HandleFunc("GET /recover", s.recoverPage)
	mux.HandleFunc("POST /recover", s.recoverPost)
	mux.HandleFunc("POST /withdraw", s.withdraw)
	mux.HandleFunc("GET /consent", s.consentFile)
	for _, path := range []string{noEndpoint, noEndpoint + "/"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, http.StatusNotFound, "signin.not_there") })
	}
	mux.HandleFunc("GET /erase", s.erasePage)
	mux.HandleFunc("POST /erase", s.erase)
	mux.HandleFunc("POST /signout", s.signOut)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discover)
	mux.HandleFunc("GET /.well-known/webauthn", s.relatedOrigins)
	mux.Handle("GET /static/", http.StripPrefix("/static/", page.Static()))
	s.handler = s.guard(mux)
	return nil
}
