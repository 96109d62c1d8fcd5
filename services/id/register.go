package id

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"regexp"
	"slices"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/refusal"
	"github.com/dureledger/dure/services/id/vault"
)

// flowID is the number of a sign-in, as the library gives it.
var flowID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (s *Server) registerPage(w http.ResponseWriter, r *http.Request) {
	browser := s.browser(w, r)
	e := s.enrolment(browser)
	e.mu.Lock()
	defer e.mu.Unlock()
	if then := r.URL.Query().Get("then"); flowID.MatchString(then) {
		e.then = then
	}
	s.enrolPage(w, r, e, browser, nil)
}

func (s *Server) enrolPage(w http.ResponseWriter, r *http.Request, e *enrolment, browser string, err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusBadRequest
	}
	many := len(steps)
	if _, ok := s.signedIn(r); ok {
		many-- // they have a passkey
	}
	view := page.Register{
		Action: "/register", Step: e.step, Number: slices.Index(steps, e.step) + 1, Steps: many, Name: e.name, Phone: shownPhone(e.phone), Bank: e.bank, BankAccount: e.number,
		Banks: banks, Member: s.settings.Name,
	}
	switch e.step {
	case stepBankCode:
		view.Bank = bankName(e.bank)
	case stepPasskey:
		if e.userID == "" {
			handle := make([]byte, 32)
			rand.Read(handle)
			e.userID = passkey.Text(handle)
		}
		view.Challenge, view.RPID, view.UserID = s.passkeys.Begin(browser), s.passkeys.RPID(), e.userID
	}
	s.draw(w, r, "register", status, page.Page{Path: "/register", Refusal: s.told(r, err), View: view})
}

// register takes a step. A step that is done leads to a page of its own, so that it can be loaded again.
func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	browser := s.browser(w, r)
	e := s.enrolment(browser)
	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	switch do := r.PostFormValue("do"); {
	case do == "again":
		s.enrolments.Remove(browser)
	case do == stepPasskey && e.step == stepPasskey:
		if err = s.open(w, r, e, browser); err == nil {
			return
		}
	default:
		err = s.prove(r.Context(), e, s.address(r), r.PostFormValue)
		if who, ok := s.signedIn(r); ok && err == nil && e.step == stepPasskey { // their account is there
			if err = s.keep(r.Context(), who.account, e); err == nil {
				s.leave(w, r, e, browser)
				return
			}
		}
	}
	if err != nil {
		s.enrolPage(w, r, e, browser, err)
		return
	}
	http.Redirect(w, r, "/register", http.StatusSeeOther)
}

// open makes the account: the person proved phone and bank account and made a passkey, so the member vouches for its key on the ledger.
func (s *Server) open(w http.ResponseWriter, r *http.Request, e *enrolment, browser string) error {
	ctx := r.Context()
	made, err := s.passkeys.Create([]byte(r.PostFormValue("answer")), browser)
	if err != nil {
		return err
	}
	if err := s.ledger.Open(ctx, made.Public); err != nil {
		if errors.Is(err, ErrOpen) {
			return refusal.New("signin.has_account", "This passkey has an account already. Sign in with it.")
		}
		return err
	}
	address := made.Public.Address()
	found, err := s.ledger.Account(ctx, address)
	if err != nil {
		return err
	}
	if made.Count > 0 {
		if err := s.vault.SaveCount(ctx, address, passkey.Name(made.CredentialID), made.Count, s.now().UnixMilli()); err != nil {
			return err
		}
	}
	s.note(ctx, address, vault.Entry{What: "registered"})
	if err := s.keep(ctx, address, e); err != nil {
		return err
	}
	s.begin(w, r, address, found, shown(address))
	s.leave(w, r, e, browser)
	return nil
}

// keep keeps what was proved.
func (s *Server) keep(ctx context.Context, account [20]byte, e *enrolment) error {
	if err := s.vault.SaveProfile(ctx, account, vault.Profile{
		Name: e.name, Phone: e.phone, PhoneAt: e.phoneAt, Bank: e.bank, BankAccount: e.number, BankAt: e.bankAt,
	}, s.now().UnixMilli()); err != nil {
		return err
	}
	s.note(ctx, account, vault.Entry{What: "proved"})
	return nil
}

// leave ends an enrolment and goes on to where the person wanted to go.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, e *enrolment, browser string) {
	s.enrolments.Remove(browser)
	next := "/"
	if e.then != "" {
		next = "/authorize/" + e.then
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}
