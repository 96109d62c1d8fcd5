package id

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/refusal"
	"github.com/dureledger/dure/services/id/vault"
)

// shownLog is how many lines of the log a page has, newestLog how many of them it shows at once.
const (
	shownLog  = 200
	newestLog = 20
)

// me is a person's own page; erase: it asks whether everything is to be erased.
func (s *Server) me(w http.ResponseWriter, r *http.Request, who session, erase bool) {
	ctx := r.Context()
	profile, err := s.profile(ctx, who.account)
	consents, err2 := s.vault.Consents(ctx, who.account)
	log, err3 := s.vault.Log(ctx, who.account)
	account, err4 := s.ledger.Account(ctx, who.account)
	keys, err5 := s.keysOf(ctx, who, account)
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		s.broken(w, r, err)
		return
	}
	view := page.Me{Account: who.shown, Keys: keys, Wallet: s.wallet, Erase: erase, Held: profile != vault.Profile{}, Name: profile.Name, Phone: shownPhone(profile.Phone),
		BankName: bankName(profile.Bank) + " " + profile.BankAccount}
	if q := account.Recovery; q != nil {
		view.Recovery, view.ReadyAt, view.Ready = true, q.ReadyAt, q.ReadyAt != 0 && s.now().UnixMilli() >= q.ReadyAt
	}
	for _, c := range consents {
		one := page.Service{ID: c.Service, Name: c.Name, Agreed: c.Agreed, At: c.At, Receipt: s.receipt(ctx, who.account, c)}
		for _, item := range c.Asked {
			if !slices.Contains(c.Agreed, item) {
				one.Refused = append(one.Refused, item)
			}
		}
		view.Services = append(view.Services, one)
	}
	for _, e := range log[:min(len(log), shownLog)] {
		view.Log = append(view.Log, page.Line{What: e.What, Service: e.Service, Items: e.Items, At: e.At})
	}
	newest := min(len(view.Log), newestLog)
	view.Log, view.Earlier = view.Log[:newest], view.Log[newest:]
	s.draw(w, r, "me", http.StatusOK, page.Page{Path: r.URL.Path, View: view})
}

// keysOf are the keys of an account, with when they were used here.
func (s *Server) keysOf(ctx context.Context, who session, account Account) (out []page.Key, err error) {
	for _, k := range account.Keys {
		used, err := s.vault.Used(ctx, who.account, k.Address)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Key{Kind: k.Kind, Address: k.Address, Here: strings.EqualFold(k.Address, who.key), UsedAt: used})
	}
	return out, nil
}

// withdraw takes a consent back: the service may read nothing more, and is told that the person signed out.
func (s *Server) withdraw(w http.ResponseWriter, r *http.Request) {
	who, ok, err := s.current(r)
	if !ok {
		s.ownSignIn(w, r, err)
		return
	}
	ctx, service := r.Context(), r.PostFormValue("service")
	consent, err := s.vault.Consent(ctx, who.account, service)
	if err == nil {
		err = s.vault.Withdraw(ctx, who.account, service)
	}
	if err != nil && !errors.Is(err, vault.ErrUnknown) {
		s.broken(w, r, err)
		return
	}
	if err == nil {
		s.flows.revoke(s.now(), func(g *goidc.Grant) bool { return g.Subject == who.shown && g.ClientID == service })
		for _, o := range s.sessions.byAccount(who.account) {
			if slices.Contains(o.parties, service) {
				s.tell(o, service)
			}
		}
		s.note(ctx, who.account, vault.Entry{What: "withdrawn", Service: consent.Name, Items: consent.Agreed})
		s.owe()
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// mayErase is who may erase: a person who signed in a moment ago.
func (s *Server) mayErase(w http.ResponseWriter, r *http.Request) (session, bool) {
	who, ok, err := s.current(r)
	if err == nil && (!ok || s.now().Sub(who.at) >= freshLifetime) {
		err = refusal.New("signin.not_fresh", "Sign in again to erase your data.")
	}
	if err != nil {
		s.ownSignIn(w, r, err)
		return who, false
	}
	return who, true
}

func (s *Server) erasePage(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.mayErase(w, r); ok {
		s.me(w, r, who, true)
	}
}

// erase deletes the person's key in the vault and signs them out everywhere.
func (s *Server) erase(w http.ResponseWriter, r *http.Request) {
	who, ok := s.mayErase(w, r)
	if !ok {
		return
	}
	if r.PostFormValue("sure") != "yes" {
		http.Redirect(w, r, "/erase", http.StatusSeeOther)
		return
	}
	if err := s.vault.Erase(r.Context(), who.account); err != nil {
		s.broken(w, r, err)
		return
	}
	s.owe()
	s.endAll(func(o session) bool { return o.account == who.account })
	s.flows.revoke(s.now(), func(g *goidc.Grant) bool { return g.Subject == who.shown })
	s.draw(w, r, "message", http.StatusOK, page.Page{Title: "erased", View: page.Message{Text: "erased.note"}})
}
