package id

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/refusal"
)

// maxBody bounds a request's body, in bytes: a form with a passkey's answer.
const maxBody = 64 << 10

// guard stands before every route: how much one address may ask, of which host, from which page.
func (s *Server) guard(next http.Handler) http.Handler {
	// Browsers say where a request comes from. A page of another origin may send no form here; a service may begin a sign-in by one.
	protection := http.NewCrossOriginProtection()
	protection.AddInsecureBypassPattern("POST /authorize")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.Headers(w.Header())
		if r.URL.Path == "/healthz" {
			_, _ = w.Write([]byte("ok\n")) // the reader may be gone
			return
		}
		if !strings.EqualFold(r.Host, s.host) {
			if r.Method == http.MethodGet {
				http.Redirect(w, r, s.settings.Issuer+"/", http.StatusFound)
				return
			}
			http.Error(w, "this provider answers at "+s.settings.Issuer+" alone", http.StatusMisdirectedRequest)
			return
		}
		limit := s.requests
		if strings.HasPrefix(r.URL.Path, "/.well-known/") || slices.Contains([]string{"/token", "/userinfo", "/jwks"}, r.URL.Path) {
			limit = s.asking
		}
		if !limit.allow(s.address(r), s.now()) {
			w.Header().Set("Retry-After", "1")
			s.fail(w, r, http.StatusTooManyRequests, "signin.too_many")
			return
		}
		if err := protection.Check(r); err != nil {
			s.fail(w, r, http.StatusForbidden, "signin.other_page")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

const langCookie = "lang"

// language is the visitor's: as asked in the address, which is remembered, or as remembered, or the default.
func (s *Server) language(w http.ResponseWriter, r *http.Request) string {
	if asked := r.URL.Query().Get("lang"); asked != "" && page.Known(asked) {
		s.cookies.set(w, langCookie, asked, 365*24*time.Hour)
		return asked
	}
	if c, err := r.Cookie(s.cookies.name(langCookie)); err == nil && page.Known(c.Value) {
		return c.Value
	}
	return page.Languages[0]
}

// draw answers with a page. What is missing of it is filled in.
func (s *Server) draw(w http.ResponseWriter, r *http.Request, name string, status int, p page.Page) {
	p.Lang, p.Member = s.language(w, r), s.settings.Name
	if p.Title == "" {
		p.Title = name
	}
	_, p.SignedIn = s.signedIn(r)
	if err := s.site.Draw(w, name, status, p); err != nil {
		s.log.Error("a page could not be drawn", "page", name, "error", err)
	}
}

// fail says that this cannot go on, to a person as a page and to a program as text.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, code string) {
	s.log.Info("refused", "code", code, "path", route(r.URL.Path))
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, page.Text("en", code)+" ["+code+"]", status)
		return
	}
	s.draw(w, r, "message", status, page.Page{Title: "failure", Refusal: code, View: page.Message{}})
}

// broken says that something is wrong on this side, and logs what. The error is of a kind that names nobody.
func (s *Server) broken(w http.ResponseWriter, r *http.Request, err error) {
	s.log.Error("a request failed", "path", route(r.URL.Path), "error", err)
	s.fail(w, r, http.StatusInternalServerError, "signin.failed")
}

// told is the code of a refusal for a person; an error of another kind is logged.
func (s *Server) told(r *http.Request, err error) string {
	code := refusal.Code(err)
	if code == "signin.failed" {
		s.log.Error("a request failed", "path", route(r.URL.Path), "error", err)
	} else if code != "" {
		s.log.Info("refused", "code", code, "path", route(r.URL.Path))
	}
	return code
}

// route is a path without what is a secret in it: the number of a sign-in.
func route(path string) string {
	parts := strings.SplitN(path, "/", 3)
	return "/" + parts[min(1, len(parts)-1)]
}
