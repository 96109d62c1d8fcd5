package api

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/dureledger/dure/ledger/fault"
)

// guard stands before every route: who may ask at all, how much, and for how long a body may dribble in.
func (s *Server) guard(next http.Handler) http.Handler {
	// Browsers say where a request comes from; a page of another origin may read nothing (no CORS) and, by this,
	// change nothing either.
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.recoverHTTP(w, r)
		if !s.hostAllowed(r.Host) {
			s.metrics.turnAway(awayHost)
			http.Error(w, "this node does not answer for the host "+printable(r.Host)+"; name it in the node's configuration (api.hosts)",
				http.StatusMisdirectedRequest)
			return
		}
		if err := origin.Check(r); err != nil {
			s.metrics.turnAway(awayOrigin)
			http.Error(w, "a page of another origin may not call this node", http.StatusForbidden)
			return
		}
		if r.ContentLength > MaxBody+maxFraming {
			s.metrics.turnAway(awayLarge)
			http.Error(w, "the request is larger than 8 MiB; send it in parts", http.StatusRequestEntityTooLarge)
			return
		}
		slots := s.requests
		if isStream(r.URL.Path) {
			slots = s.streams
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			s.metrics.turnAway(awayBusy)
			w.Header().Set("Retry-After", "1")
			http.Error(w, "the node answers as many requests as it can; try again in a second", http.StatusServiceUnavailable)
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			b := s.newBody(w, r.Body)
			defer b.release()
			r.Body = b
		}
		next.ServeHTTP(w, r)
	})
}

// maxFraming is what JSON and gRPC may add around a body of MaxBody that counts, in bytes; connect counts exactly.
const maxFraming = MaxBody

// hostSet prepares the names of Options.Hosts for look-up.
func hostSet(hosts []string) map[string]bool {
	set := map[string]bool{"localhost": true}
	for _, h := range hosts {
		set[strings.ToLower(strings.TrimSuffix(h, "."))] = true
	}
	return set
}

// hostAllowed says whether a Host header is loopback or one of ours.
func (s *Server) hostAllowed(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if s.hosts[host] {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func isStream(path string) bool {
	return path == "/events" || strings.HasSuffix(path, "/WatchTransactions") || strings.HasPrefix(path, "/grpc.reflection.")
}

// body is a request body that has a time by which it must have arrived, lifted when it has, as the connection may then
// stay open for as long as a stream lasts; and that counts against what all bodies together may hold in memory.
type body struct {
	io.ReadCloser
	server  *Server
	control *http.ResponseController
	read    int64
}

func (s *Server) newBody(w http.ResponseWriter, r io.ReadCloser) *body {
	b := &body{ReadCloser: r, server: s, control: http.NewResponseController(w)}
	_ = b.control.SetReadDeadline(time.Now().Add(readBodyTimeout))
	return b
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if b.server.bodies.Add(int64(n)) > maxBodies {
		return n, b.server.connectError(context.Background(), "", fault.New("node.busy",
			"the node holds as much in requests as it can; try again in a second"))
	}
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// release gives back what the body held.
func (b *body) release() { b.server.bodies.Add(-b.read) }

func (s *Server) recoverHTTP(w http.ResponseWriter, r *http.Request) {
	v := recover()
	switch v {
	case nil:
	case http.ErrAbortHandler:
		panic(v)
	default:
		s.log.Error("a request broke its handler", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

// printable cuts what a caller sent down to what may be shown back.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), 100)])
}
