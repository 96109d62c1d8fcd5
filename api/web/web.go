package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// Languages of the pages; the first is the default.
var Languages = []string{"ko", "en"}

// Page is what every page carries around its view.
type Page struct {
	Lang    string
	Title   string
	Network string
	Version string
	// Path is the page's own, for the language switch.
	Path  string
	Query string
	// Private: the node answers by account, so there is nothing to search or to go to from the front page.
	Private bool
	View    any
}

// Site draws pages. It is safe for concurrent use.
type Site struct {
	sets map[string]*template.Template
}

// New parses the templates; it panics if what is embedded in the binary is broken.
func New() *Site {
	s := &Site{sets: map[string]*template.Template{}}
	for _, lang := range Languages {
		s.sets[lang] = template.Must(template.New("").Funcs(functions(lang)).ParseFS(templateFiles, "templates/*.html"))
	}
	return s
}

// policy lets a page load its own style, script and pictures and talk to its own node, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Draw answers with a page. The template is named like the file it is in.
func (s *Site) Draw(w http.ResponseWriter, name string, status int, p Page) error {
	var buf bytes.Buffer
	if err := s.sets[language(p.Lang)].ExecuteTemplate(&buf, name+".html", p); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	h := w.Header()
	headers(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", language(p.Lang))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(buf.Bytes())
	return err
}

// Fragments are the parts of the front page that change, as HTML.
func (s *Site) Fragments(lang string, live Live) (figures, recent string, err error) {
	set := s.sets[language(lang)]
	var a, b bytes.Buffer
	if err := set.ExecuteTemplate(&a, "figures", live); err != nil {
		return "", "", fmt.Errorf("web: %w", err)
	}
	if err := set.ExecuteTemplate(&b, "rows", live.Recent); err != nil {
		return "", "", fmt.Errorf("web: %w", err)
	}
	return a.String(), b.String(), nil
}

// Static serves the style sheet, the script and the icon.
func Static() http.Handler {
	sub, err := fs.Sub(staticFiles, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	files := http.FileServerFS(sub)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" || strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		headers(w.Header())
		w.Header().Set("Cache-Control", "max-age=300")
		files.ServeHTTP(w, r)
	})
}

func headers(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// languageCookie keeps the visitor's choice.
const languageCookie = "lang"

// Language is the visitor's: as asked in the address, which is remembered, or as remembered, or the default.
func Language(w http.ResponseWriter, r *http.Request) string {
	if asked := r.URL.Query().Get("lang"); asked != "" && language(asked) == asked {
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: asked, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
			HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		return asked
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		return language(c.Value)
	}
	return Languages[0]
}

func language(lang string) string {
	for _, l := range Languages {
		if l == lang {
			return l
		}
	}
	return Languages[0]
}
