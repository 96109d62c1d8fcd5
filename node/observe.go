package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// observer answers what an operator's tools ask: metrics, and profiles if the configuration says so. What it tells is the
// member's own business, not its rivals': it answers callers on this machine, or a listener that the operator chose.
type observer struct {
	registry *catalogue
	mux      *http.ServeMux
	log      *slog.Logger

	http   *http.Server
	listen net.Listener
}

func newObserver(c *Config, log *slog.Logger) *observer {
	o := &observer{registry: &catalogue{Registry: prometheus.NewRegistry()}, mux: http.NewServeMux(), log: log}
	o.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	o.mux.Handle("GET /metrics", promhttp.HandlerFor(o.registry.Registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout,
	}))
	if c.MetricsProfile {
		o.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		o.mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		o.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		o.mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		o.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return o
}

// Limits of scraping: more at once are refused, a slower one is ended.
const (
	maxScrapes    = 4
	scrapeTimeout = 10 * time.Second
)

// open listens where metrics.listen says; without it the API's listener answers for callers on this machine.
func (o *observer) open(c *Config) (err error) {
	if c.MetricsListen == "" {
		return nil
	}
	if o.listen, err = net.Listen("tcp", c.MetricsListen); err != nil {
		return taken(c.MetricsListen, "metrics.listen", err)
	}
	return nil
}

// serve answers on the listener of its own, if there is one.
func (o *observer) serve() {
	if o.listen == nil {
		return
	}
	host, _, _ := net.SplitHostPort(o.listen.Addr().String())
	o.http = &http.Server{
		Handler: named(host, o.mux), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(o.log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := o.http.Serve(o.listen); err != nil && !errors.Is(err, http.ErrServerClosed) {
			o.log.Error("the listener for metrics stopped", "error", err)
		}
	}()
}

// routes adds the observer to the API's routes, for callers on this machine, unless it has a listener of its own.
func (o *observer) routes(mux *http.ServeMux) {
	if o.listen == nil {
		mux.Handle("/metrics", near(o.mux))
		mux.Handle("/debug/pprof/", near(o.mux))
	}
}

// address is where metrics are served.
func (o *observer) address(api net.Addr) string {
	if o.listen == nil {
		return api.String()
	}
	return o.listen.Addr().String()
}

func (o *observer) stop(ctx context.Context) error {
	switch {
	case o == nil || o.listen == nil:
		return nil
	case o.http == nil:
		return o.listen.Close()
	}
	if o.http.Shutdown(ctx) != nil { // a profile may run for longer
		return o.http.Close()
	}
	return nil
}

// near lets only callers on this machine through, who ask for it by a name of this machine. A reverse proxy beside the
// node passes others' requests on: what says that it was passed on is not answered.
func near(next http.Handler) http.Handler {
	return named("", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(r.RemoteAddr) || passedOn(r.Header) {
			http.Error(w, "metrics and profiles are for callers on this machine; set metrics.listen to reach them otherwise", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// named lets through who names a loopback address, or host, so that no web page elsewhere reaches the listener by pointing
// its own name at it.
func named(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked := hostOf(r.Host); !loopbackHost(r.Host) && (host == "" || asked != host) {
			http.Error(w, "metrics and profiles are answered to requests for an address of this machine only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// passedOn says whether a proxy has marked the request as another's.
func passedOn(h http.Header) bool {
	for name := range h {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}

// hostOf is the host of host:port or of a host alone, without the brackets of IPv6.
func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func loopbackHost(hostport string) bool {
	host := hostOf(hostport)
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// privateHost says whether it is an address that is routed nowhere outside (RFC 1918, RFC 4193).
func privateHost(hostport string) bool {
	addr, err := netip.ParseAddr(hostOf(hostport))
	return err == nil && addr.Unmap().IsPrivate()
}

// checkMetrics refuses a listener that strangers could reach: what it says is neither encrypted nor behind a password.
func (c *Config) checkMetrics() error {
	if c.MetricsListen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.MetricsListen); err != nil {
		return fmt.Errorf("setting metrics.listen: %q: want host:port", c.MetricsListen)
	}
	if isLoopback(c.MetricsListen) {
		return nil
	}
	if c.MetricsProfile {
		return errors.New("setting metrics.profile: profiles show what the node has in memory, so metrics.listen must be a loopback address with it")
	}
	if !privateHost(c.MetricsListen) {
		return fmt.Errorf("setting metrics.listen: %s: metrics are neither encrypted nor behind a password and would show others this member's business; "+
			"listen on a loopback address or on a private one (10…, 172.16…, 192.168…, fc00…), or let a proxy with a password pass them on", c.MetricsListen)
	}
	return nil
}
