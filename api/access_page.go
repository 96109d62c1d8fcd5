package api

import (
	"net/http"

	"github.com/dureledger/dure/api/web"
	accessformat "github.com/dureledger/dure/ledger/access"
)

// privatePages are those of a node that answers by account: the front page without transactions and feeds, and for every other
// address how to read. Browsers send no proofs with pages, so pages show nobody's business; the wallet
// signs in by itself.
func (s *Server) privatePages(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.page("status", func(*http.Request) (string, any, error) { return "", s.statusView(), nil }))
	mux.HandleFunc("GET /events", s.events)
	appPages(mux)
	mux.HandleFunc("/", s.accessPage)
}

// accessPage says that this node is read by account, and how.
func (s *Server) accessPage(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	lang := web.Language(w, r)
	s.draw(w, r, "access", http.StatusForbidden, lang, web.Text(lang, "access"), web.Access{Node: accessformat.Origin(scheme, r.Host)})
}
