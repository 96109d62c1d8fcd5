//go:build e2e

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// A browser that has the status page open sees a payment that is made afterwards, and the transaction's own page.
func TestStatusPageIsLive(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.up()
	target, err := url.Parse(n.url(0))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.ModifyResponse = holdLoading
	var once sync.Once
	var id string
	paid, shown := make(chan struct{}), make(chan struct{})
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/events": // the page is drawn and listens now
			once.Do(func() { go func() { id = n.pay("4321"); close(paid) }() })
			proxy.ServeHTTP(&eventWatcher{ResponseWriter: w, paid: paid, id: &id, shown: shown}, r)
		case "/held.js":
			w.Header().Set("Content-Type", "text/javascript")
			select {
			case <-shown:
			case <-r.Context().Done():
			}
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	defer page.Close()
	defer page.CloseClientConnections()

	dom := browse(t, page.URL)
	select {
	case <-shown:
	default:
		t.Fatal("the page was told of no payment while it was open")
	}
	for _, want := range []string{id, "4,321", "김포시 Gimpo City"} {
		if !strings.Contains(dom, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if dom := browse(t, n.url(1)+"/tx/"+id+"?lang=en"); !strings.Contains(dom, id) || !strings.Contains(dom, "4,321") || !strings.Contains(dom, "asset.transfer") {
		t.Errorf("the transaction's page at another member:\n%s", dom)
	}
}

// holdLoading adds a script to the page that does not come until the payment has been shown, so that the browser takes
// the page for loaded only then.
func holdLoading(r *http.Response) error {
	if r.Request.URL.Path != "/" {
		return nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	raw = bytes.Replace(raw, []byte("</body>"), []byte(`<script src="/held.js" async></script></body>`), 1)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	r.Header.Del("Content-Length")
	return nil
}

// eventWatcher passes an event stream on and notices when the payment has gone by.
type eventWatcher struct {
	http.ResponseWriter
	paid  <-chan struct{}
	id    *string
	shown chan struct{}
	done  bool
	seen  bytes.Buffer
}

func (w *eventWatcher) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.seen.Write(p[:n])
	return n, err
}

// Flush ends an event, or a part of one.
func (w *eventWatcher) Flush() {
	w.ResponseWriter.(http.Flusher).Flush()
	select {
	case <-w.paid:
		if !w.done && strings.Contains(w.seen.String(), *w.id) && strings.HasSuffix(w.seen.String(), "\n\n") {
			w.done = true
			close(w.shown)
		}
	default:
	}
}

// browse opens a page in headless Chromium and returns what it shows when it is loaded, after twenty seconds at most.
func browse(t *testing.T, address string) string {
	t.Helper()
	out, err := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+t.TempDir(),
		"--timeout=20000", "--dump-dom", address).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
