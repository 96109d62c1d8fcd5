package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/dureledger/dure/api/web"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
)

// recentRows is how many transactions a page lists.
const recentRows = 20

// pages adds the pages people see to mux.
func (s *Server) pages(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.page("status", func(r *http.Request) (string, any, error) {
		v := s.statusView()
		v.Feeds = s.feedLinks(r.Context(), index.FeedFilter{})
		return "", v, nil
	}))
	mux.HandleFunc("GET /tx/{id}", s.page("transaction", s.transactionPage))
	mux.HandleFunc("GET /tx/{id}/receipt", s.receiptFile)
	mux.HandleFunc("GET /block/{height}", s.page("block", s.blockPage))
	mux.HandleFunc("GET /account/{address}", s.page("account", s.accountPage))
	mux.HandleFunc("GET /devices/{maker}/{model}", s.page("model", s.modelPage))
	mux.HandleFunc("GET /feed/{feed}", s.page("feed", s.feedPage))
	mux.HandleFunc("GET /record/{digest}", s.page("records", s.recordsPage))
	mux.HandleFunc("GET /search", s.searchPage)
	mux.HandleFunc("GET /events", s.events)
	appPages(mux)
	mux.HandleFunc("/", s.page("failure", func(*http.Request) (string, any, error) {
		return "", nil, fault.New("page.unknown", "there is no page at this address")
	}))
}

// appPages adds what is the same for everybody: styles, and the wallet, which reads what it shows by the API.
func appPages(mux *http.ServeMux) {
	mux.Handle("GET /static/", http.StripPrefix("/static/", web.Static()))
	mux.Handle("GET /wallet/", http.StripPrefix("/wallet/", web.App("wallet")))
	mux.Handle("GET /wallet", http.RedirectHandler("/wallet/", http.StatusMovedPermanently))
}

// page is a handler that draws the view which view makes; an empty title is the page's own.
func (s *Server) page(name string, view func(*http.Request) (title string, v any, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lang := web.Language(w, r)
		title, v, err := view(r)
		if err != nil {
			s.failurePage(w, r, lang, err)
			return
		}
		if title == "" {
			title = web.Text(lang, name)
		}
		s.draw(w, r, name, http.StatusOK, lang, title, v)
	}
}

func (s *Server) draw(w http.ResponseWriter, r *http.Request, name string, status int, lang, title string, view any) {
	p := web.Page{
		Lang: lang, Title: title, Network: s.ledger.Genesis().NetworkID, Version: s.ledger.Status().Version,
		Path: r.URL.Path, Query: printableText(r.URL.Query().Get("q")), Private: s.gate != nil, View: view,
	}
	if err := s.site.Draw(w, name, status, p); err != nil {
		s.log.Error("a page could not be drawn", "page", name, "error", err)
	}
}

func (s *Server) failurePage(w http.ResponseWriter, r *http.Request, lang string, err error) {
	refusal := refusalOf(err)
	if refusal.Code == "internal" {
		s.log.Error("a page failed inside", "path", r.URL.Path, "error", err)
	}
	s.draw(w, r, "failure", httpStatus(refusal.Code), lang, web.Text(lang, "failure"),
		web.Failure{Status: httpStatus(refusal.Code), Code: refusal.Code, Message: refusal.Message})
}

// httpStatus is the status of a page or file that is refused.
func httpStatus(code string) int {
	_, what, _ := strings.Cut(code, ".")
	switch {
	case code == "internal":
		return http.StatusInternalServerError
	case what == "unknown", what == "pruned":
		return http.StatusNotFound
	case what == "not_yet", what == "catching_up", what == "stopping", what == "too_slow":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

func (s *Server) transactionPage(r *http.Request) (string, any, error) {
	id, err := parseHash("id", r.PathValue("id"))
	if err != nil {
		return "", nil, err
	}
	e, err := s.find(id)
	if err != nil {
		return "", nil, err
	}
	return "", s.transactionView(e), nil
}

// receiptFile answers with the receipt of a transaction from genesis, as a file.
func (s *Server) receiptFile(w http.ResponseWriter, r *http.Request) {
	id, err := parseHash("id", r.PathValue("id"))
	var receipt []byte
	if err == nil {
		receipt, err = s.ledger.Receipt(r.Context(), id, 0)
	}
	if err != nil {
		s.failurePage(w, r, web.Language(w, r), err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="`+hex.EncodeToString(id[:8])+`.dure"`)
	_, _ = w.Write(receipt)
}

func (s *Server) blockPage(r *http.Request) (string, any, error) {
	height, err := strconv.ParseInt(r.PathValue("height"), 10, 64)
	if err != nil || height < 0 {
		return "", nil, fault.New("request.malformed", "a block is named by its height, a whole number", "field", "height")
	}
	b, err := s.ledger.Block(r.Context(), height)
	if err != nil {
		return "", nil, err
	}
	return "", s.blockView(b), nil
}

func (s *Server) accountPage(r *http.Request) (string, any, error) {
	a, err := parseAddress("address", r.PathValue("address"))
	if err != nil {
		return "", nil, err
	}
	v, err := s.accountView(r.Context(), a, r.URL.Query().Get("page"))
	return "", v, err
}

func (s *Server) recordsPage(r *http.Request) (string, any, error) {
	digest, err := parseHash("digest", r.PathValue("digest"))
	if err != nil {
		return "", nil, err
	}
	return "", s.recordsView(digest, s.recordsOf(digest)), nil
}

// searchPage goes straight to what an id, digest, address or height names, and searches texts for anything else.
func (s *Server) searchPage(w http.ResponseWriter, r *http.Request) {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	if to := s.target(q); to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	s.page("search", func(r *http.Request) (string, any, error) {
		v, err := s.search(r.Context(), q, r.URL.Query().Get("page"))
		return "", v, err
	})(w, r)
}

// target is the page that a search names exactly, empty if none.
func (s *Server) target(q string) string {
	if len(q) <= 18 && q != "" && strings.Trim(q, "0123456789,") == "" {
		height, err := strconv.ParseInt(strings.ReplaceAll(q, ",", ""), 10, 64)
		if err == nil && height <= s.ledger.Status().Height {
			return "/block/" + strconv.FormatInt(height, 10)
		}
	}
	if a, err := parseAddress("address", q); err == nil {
		return "/account/" + a.String()
	}
	id, err := parseHash("id", q)
	if err != nil {
		st, _ := s.ledger.State()
		if _, ok := index.ReadFeed(st, q); ok {
			return "/feed/" + q
		}
		return ""
	}
	if _, ok, err := s.ledger.Find(id); ok && err == nil {
		return "/tx/" + hex.EncodeToString(id[:])
	}
	return "/record/" + hex.EncodeToString(id[:])
}

func (s *Server) search(ctx context.Context, q, token string) (web.Search, error) {
	v := web.Search{Query: printableText(q)}
	if err := bounded("q", q); err != nil || q == "" {
		return v, err
	}
	entries, next, err := s.list(ctx, index.Filter{Text: q}, index.Page{Size: recentRows, Token: token})
	v.Recent, v.Next = s.rows(entries), next
	return v, err
}

// printableText is text as searched for, without control characters and no longer than is searched for.
func printableText(s string) string {
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s[:min(len(s), maxText)]), "")
}
