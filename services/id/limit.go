package id

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Limits are how much one address, or one phone or bank account, may ask. The zero value of a field means the default.
type Limits struct {
	// Requests of any kind from one address: a second, and at once. Default 20 and 100.
	PerSecond float64
	Burst     int
	// ServicesPerSecond is for what services ask, many people's sign-ins from one address: tokens, userinfo, discovery. Default 500, and
	// twice as many at once.
	ServicesPerSecond float64
	// Codes that one address may have sent: an hour. Default 20.
	Codes int
	// CodesEach is how many one phone or bank account is sent in an hour. Default 5.
	CodesEach int
	// Recoveries that may be asked for of one account: an hour. Default 3.
	Recoveries int
}

func (l Limits) orDefaults() Limits {
	if l.PerSecond == 0 {
		l.PerSecond = 20
	}
	if l.Burst == 0 {
		l.Burst = 100
	}
	if l.ServicesPerSecond == 0 {
		l.ServicesPerSecond = 500
	}
	if l.Codes == 0 {
		l.Codes = 20
	}
	if l.CodesEach == 0 {
		l.CodesEach = 5
	}
	if l.Recoveries == 0 {
		l.Recoveries = 3
	}
	return l
}

// maxBuckets is how many addresses and receivers are watched at a time. Whoever was not seen for longest is forgotten, and has a full bucket then.
const maxBuckets = 100_000

// limiter gives each key a bucket that fills again. It is safe for concurrent use.
type limiter struct {
	every rate.Limit
	burst int
	mu    sync.Mutex
	of    *lru.Cache[string, *rate.Limiter]
}

func newLimiter(every rate.Limit, burst int) *limiter {
	of, err := lru.New[string, *rate.Limiter](maxBuckets)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &limiter{every: every, burst: burst, of: of}
}

func perHour(n int) *limiter { return newLimiter(rate.Every(time.Hour/time.Duration(n)), n) }

// allow takes one from the key's bucket, if there is one.
func (l *limiter) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, ok := l.of.Get(key)
	if !ok {
		bucket = rate.NewLimiter(l.every, l.burst)
		l.of.Add(key, bucket)
	}
	return bucket.AllowN(now, 1)
}

// address is who asks, as far as a limit goes: an IPv4 address, or the /64 of an IPv6 one, of which a home has 2^64.
func (s *Server) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if h := s.settings.ClientIPHeader; h != "" {
		entries := strings.Split(strings.Join(r.Header.Values(h), ","), ",")
		host = strings.TrimSpace(entries[len(entries)-1])
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	addr = addr.Unmap()
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}
