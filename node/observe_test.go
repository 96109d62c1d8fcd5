package node

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestMetricsAreForCallersOnThisMachine(t *testing.T) {
	answer := near(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	for name, c := range map[string]struct {
		remote, host, header string
		want                 int
	}{
		"this machine":            {"127.0.0.1:5000", "127.0.0.1:8080", "", 200},
		"this machine, IPv6":      {"[::1]:5000", "[::1]:8080", "", 200},
		"another machine":         {"192.0.2.7:5000", "127.0.0.1:8080", "", 403},
		"through a proxy":         {"127.0.0.1:5000", "127.0.0.1:8080", "X-Forwarded-For", 403},
		"through another proxy":   {"127.0.0.1:5000", "127.0.0.1:8080", "Forwarded", 403},
		"a page that lies on DNS": {"127.0.0.1:5000", "rival.example:8080", "", 421},
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr, r.Host = c.remote, c.host
		if c.header != "" {
			r.Header.Set(c.header, "192.0.2.7")
		}
		w := httptest.NewRecorder()
		if answer.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
}

func TestMetricsListenerRefused(t *testing.T) {
	for name, c := range map[string]struct {
		flags map[string]string
		says  string
	}{
		"every interface":      {map[string]string{"metrics.listen": ":9100"}, "private"},
		"a public address":     {map[string]string{"metrics.listen": "192.0.2.7:9100"}, "private"},
		"profiles to a subnet": {map[string]string{"metrics.listen": "10.0.0.1:9100", "metrics.profile": "true"}, "loopback"},
		"no port":              {map[string]string{"metrics.listen": "127.0.0.1"}, "host:port"},
	} {
		if _, err := Load("", none, c.flags); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, listen := range []string{"", "127.0.0.1:9100", "[::1]:9100", "10.0.0.1:9100"} {
		if _, err := Load("", none, map[string]string{"metrics.listen": listen}); err != nil {
			t.Errorf("%q: %v", listen, err)
		}
	}
}
