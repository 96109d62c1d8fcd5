package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Config says which nodes to talk to, and how.
type Config struct {
	// Addresses of nodes, such as http://127.0.0.1:8080 or https://node.example; without a scheme http is meant.
	// The first is preferred; the others are used when it does not answer.
	Addresses []string
	// Network pins the network id (name-hash). Empty: the first node that answers decides. A node of another
	// network is never used.
	Network string
	// CAFile is a PEM file of the authorities that may vouch for https nodes; empty: the system's.
	CAFile string
	// CertFile and KeyFile are PEM files with the client's own certificate and its key, for nodes that want one.
	CertFile, KeyFile string
	// TLS overrides the whole TLS configuration (client certificates, pinned keys); CAFile is added to it.
	TLS *tls.Config
	// Timeout of one read on one node; 0 means 10 seconds.
	Timeout time.Duration
	// CommitTimeout of one submission that waits for its outcome, on one node; 0 means 30 seconds.
	CommitTimeout time.Duration
	// Patience is how long a call goes round the nodes while none answers; 0 means 15 seconds.
	Patience time.Duration
	// Parallel chunks of SubmitMany in flight; 0 means 12: a thousand transactions each, a quarter of what a node holds.
	Parallel int
	// Brief leaves events out of the outcomes that submissions are answered with.
	Brief bool
	// Reader says who reads, for nodes that answer by account (setting api.access: consortium). Nodes that answer everybody
	// never ask it and are sent nothing of it.
	Reader Reader
	// Transport replaces the HTTP transport, for tests and proxies.
	Transport http.RoundTripper
	// Clock tells time and waits; nil means the machine's.
	Clock Clock
}

// Clock tells time and waits. Tests bring their own.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or with ctx's error when ctx ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

// Client talks to the nodes of one network. It is safe for concurrent use.
type Client struct {
	cfg   Config
	nodes []*node

	mu        sync.Mutex
	network   string
	preferred int
}

// Dial makes a client. It does not touch the network yet: the first call does.
func Dial(cfg Config) (*Client, error) {
	if len(cfg.Addresses) == 0 {
		return nil, errors.New("client: no node address given")
	}
	cfg.Timeout = orDefault(cfg.Timeout, 10*time.Second)
	cfg.CommitTimeout = orDefault(cfg.CommitTimeout, 30*time.Second)
	cfg.Patience = orDefault(cfg.Patience, 15*time.Second)
	if cfg.Parallel <= 0 {
		cfg.Parallel = 12
	}
	if cfg.Clock == nil {
		cfg.Clock = systemClock{}
	}
	transport, err := cfg.transport()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, network: cfg.Network}
	var who *reading
	if cfg.Reader != nil {
		who = &reading{ask: cfg.Reader, clock: cfg.Clock}
	}
	for _, address := range cfg.Addresses {
		base, err := baseURL(address)
		if err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, newNode(base, &http.Client{Transport: transport}, c.newPass(who, base)))
	}
	return c, nil
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}

// BaseURL completes a node's address as a person types it, such as Config.Addresses holds.
func BaseURL(address string) (*url.URL, error) {
	text, err := baseURL(address)
	if err != nil {
		return nil, err
	}
	return url.Parse(text) //nolint:wrapcheck // it was parsed before
}

// baseURL completes an address typed by a person.
func baseURL(address string) (string, error) {
	text := strings.TrimSpace(address)
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("client: node address %q: want host:port, http://host:port or https://host", address)
	}
	return strings.TrimRight(text, "/"), nil
}

func (cfg Config) transport() (http.RoundTripper, error) {
	if cfg.Transport != nil {
		return cfg.Transport, nil
	}
	settings, err := cfg.tlsSettings()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: settings,
		ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second,
	}, nil
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// backoff is the wait before round n (from 0): 100 ms doubling to 3 s, of which a random half is taken off so that
// many clients do not come back together.
func backoff(n int) time.Duration {
	d := 100 * time.Millisecond << min(n, 5)
	d = min(d, 3*time.Second)
	return d/2 + rand.N(d/2)
}
