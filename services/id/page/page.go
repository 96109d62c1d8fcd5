// Package page draws the pages of the sign-in provider: on the server, in Korean and English, for phones first. They work by keyboard and
// screen reader; only the passkey itself needs the one script. Their look is that of a node's pages (api/web).
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
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
	Lang string
	// Title is a key of the texts.
	Title string
	// Member that runs the provider.
	Member string
	// Path is where the language switch leads; empty: the page is an answer to a form and has none.
	Path string
	// Refusal is the code of what went wrong, empty if nothing did.
	Refusal string
	// SignedIn: the page's visitor is, so it links to their page.
	SignedIn bool
	// FormsTo are origins besides its own that a form of the page may lead to.
	FormsTo []string
	View    any
}

// Site draws pages. It is safe for concurrent use.
type Site struct{ sets map[string]*template.Template }

// New parses the templates; it panics if what is embedded in the binary is broken.
func New() *Site {
	s := &Site{sets: map[string]*template.Template{}}
	for _, lang := range Languages {
		s.sets[lang] = template.Must(template.New("").Funcs(functions(lang)).ParseFS(templateFiles, "templates/*.html"))
	}
	return s
}

var kst = time.FixedZone("KST", 9*3600)

func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":    func(key string) string { return Text(lang, key) },
		"lang": func() string { return lang },
		"refusal": func(code string) string {
			if _, ok := texts[code]; !ok {
				code = "signin.failed"
			}
			return Text(lang, code)
		},
		"clock": func(ms int64) string { return time.UnixMilli(ms).In(kst).Format("2006-01-02 15:04:05") },
		"short": func(id string) string { return id[:min(len(id), 12)] + "…" },
		"iso":   func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) },
		"line": func(what, service string) string {
			if service == "" {
				return Text(lang, "log."+what)
			}
			if _, ok := texts["log."+what+".at"]; ok {
				what += ".at"
			}
			return strings.ReplaceAll(Text(lang, "log."+what), "%s", service)
		},
		"minute": func(ms int64) string {
			return time.UnixMilli(ms).In(kst).Format(Text(lang, "minute"))
		},
		"hours": func(key string, n int) string {
			span := strconv.Itoa(n) + Text(lang, "hours")
			if n%24 == 0 && n > 24 {
				span = strconv.Itoa(n/24) + Text(lang, "days")
			}
			return strings.ReplaceAll(Text(lang, key), "%s", span)
		},
		"kind": func(kind string) string {
			if _, ok := texts["kind."+kind]; !ok {
				return kind
			}
			return Text(lang, "kind."+kind)
		},
		"join": func(items []string) string {
			out := make([]string, len(items))
			for i, item := range items {
				out[i] = Text(lang, "item."+item)
			}
			return strings.Join(out, ", ")
		},
	}
}

// Draw answers with a page. The template is named like the file it is in.
func (s *Site) Draw(w http.ResponseWriter, name string, status int, p Page) error {
	var buf bytes.Buffer
	if err := s.sets[known(p.Lang)].ExecuteTemplate(&buf, name+".html", p); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	h := w.Header()
	Headers(h, p.FormsTo...)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", known(p.Lang))
	w.WriteHeader(status)
	_, err := w.Write(buf.Bytes())
	return err
}

// Headers sets what every answer carries: a page may load its own style and script and nothing else, be embedded nowhere, and send its
// forms to the provider and to the origins given, to which the answer to a form may lead.
func Headers(h http.Header, formsTo ...string) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'none'; form-action 'self' "+
		strings.Join(formsTo, " ")+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
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
		Headers(w.Header())
		w.Header().Set("Cache-Control", "max-age=300")
		files.ServeHTTP(w, r)
	})
}

// Text is a text of the pages in a language; the key itself if there is none.
func Text(lang, key string) string {
	both, ok := texts[key]
	if !ok {
		return key
	}
	if known(lang) == "en" {
		return both[1]
	}
	return both[0]
}

func known(lang string) string {
	for _, l := range Languages {
		if l == lang {
			return l
		}
	}
	return Languages[0]
}

// Known says whether the pages speak a language.
func Known(lang string) bool { return known(lang) == lang }
