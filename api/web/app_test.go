package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(h http.Handler, path, tag string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/", nil)
	r.URL.Path = path
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWalletIsServed(t *testing.T) {
	app := App("wallet")
	for name, kind := range map[string]string{"": "text/html", "index.html": "text/html", "wallet.js": "text/javascript", "wallet.css": "text/css"} {
		w := get(app, name, "")
		h := w.Header()
		if w.Code != 200 || !strings.HasPrefix(h.Get("Content-Type"), kind) || h.Get("Content-Security-Policy") != appPolicy || h.Get("Cache-Control") != "no-cache" {
			t.Errorf("%q: %d, %v", name, w.Code, h)
		}
		if again := get(app, name, h.Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%q is sent again though it is kept: %d", name, again.Code)
		}
	}
	for _, name := range []string{"nothing", "../web.go", "src/main.tsx", "/"} {
		if w := get(app, name, ""); w.Code != 404 {
			t.Errorf("%q: %d", name, w.Code)
		}
	}
}

func TestWalletIsPacked(t *testing.T) {
	app := App("wallet")
	ask := func(encodings string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = "wallet.js"
		r.Header.Set("Accept-Encoding", encodings)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		return w
	}
	plain, packed := ask("br, gzip;q=0"), ask("br, gzip")
	if plain.Header().Get("Content-Encoding") != "" || packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") != "Accept-Encoding" ||
		plain.Header().Get("ETag") == packed.Header().Get("ETag") || packed.Header().Get("Content-Type") != plain.Header().Get("Content-Type") {
		t.Errorf("%v and %v", plain.Header(), packed.Header())
	}
	if packed.Body.Len()*2 > plain.Body.Len() {
		t.Errorf("%d bytes packed, %d plain", packed.Body.Len(), plain.Body.Len())
	}
	unpacked, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil || !bytes.Equal(content, plain.Body.Bytes()) {
		t.Errorf("unpacked it is another file: %v", err)
	}
}

// The policy forbids what is within the page and what is elsewhere, so the page has neither.
func TestWalletKeepsThePolicy(t *testing.T) {
	page := get(App("wallet"), "", "").Body.String()
	if regexp.MustCompile(`(src|href)="(https?:)?//|style=|<style|\son[a-z]+=|<script[^>]*>[^<]`).MatchString(page) {
		t.Errorf("the page has what the policy forbids:\n%s", page)
	}
	if !strings.Contains(page, `lang="ko"`) || !strings.Contains(page, `src="/wallet/wallet.js"`) {
		t.Errorf("the page is another:\n%s", page)
	}
}

func TestAppThatIsNotThere(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an app that is not there is served")
		}
	}()
	App("nothing")
}
