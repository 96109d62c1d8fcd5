package id

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/refusal"
	"github.com/dureledger/dure/services/id/vault"
)

var errFrozen = refusal.New("signin.frozen", "The account is frozen by its sponsor. Ask the sponsor.")

// assert signs in the person whose passkey answers in this request.
func (s *Server) assert(w http.ResponseWriter, r *http.Request, browser string) (session, error) {
	a, err := s.passkeys.Assert([]byte(r.PostFormValue("answer")), browser)
	if err != nil {
		return session{}, err
	}
	address, found, key, err := s.owner(r.Context(), a)
	if err != nil {
		return session{}, err
	}
	if err := a.Verify(key); err != nil {
		return session{}, err
	}
	if found.Frozen {
		return session{}, errFrozen
	}
	if err := s.count(r.Context(), address, a); err != nil {
		return session{}, err
	}
	return s.begin(w, r, address, found), nil
}

// owner finds the account that one of the keys acts for: the key's own, or the one that the passkey was made for when it was added to an
// account. The ledger says which key acts now.
func (s *Server) owner(ctx context.Context, a *passkey.Assertion) (address [20]byte, found Account, key passkey.Public, err error) {
	for _, p := range a.Candidates {
		places := [][20]byte{p.Address()}
		if len(a.UserHandle) == len(address) {
			places = append(places, [20]byte(a.UserHandle))
		}
		for _, place := range places {
			account, err := s.ledger.Account(ctx, place)
			if errors.Is(err, ErrNoAccount) {
				continue
			}
			if err != nil {
				return address, found, key, err
			}
			if own := p.Address(); account.Passkey && strings.EqualFold(account.Key, "0x"+hex.EncodeToString(own[:])) {
				return place, account, p, nil
			}
		}
	}
	return address, found, key, refusal.New("signin.unknown_key", "The ledger has no account of this passkey. Make an account first.")
}

// count refuses a passkey whose counter did not go up since it was last used here. Passkeys without a counter say 0 always.
func (s *Server) count(ctx context.Context, address [20]byte, a *passkey.Assertion) error {
	s.counting.Lock()
	defer s.counting.Unlock()
	name := passkey.Name(a.CredentialID)
	last, err := s.vault.Count(ctx, address, name)
	switch {
	case err != nil:
		return err
	case last == 0 && a.Count == 0:
		return nil
	case a.Count <= last:
		return refusal.New("signin.counter_back", "The passkey's counter went back: it may be a copy. Tell your sponsor.")
	}
	return s.vault.SaveCount(ctx, address, name, a.Count, s.now().UnixMilli())
}

// home is a person's page, or signing in.
func (s *Server) home(w http.ResponseWriter, r *http.Request) {
	who, ok, err := s.current(r)
	if !ok {
		s.ownSignIn(w, r, err)
		return
	}
	s.me(w, r, who, false)
}

// ownSignIn is the page for signing in here, not at a service.
func (s *Server) ownSignIn(w http.ResponseWriter, r *http.Request, err error) {
	status, action := http.StatusOK, "/signin"
	if err != nil {
		status = http.StatusForbidden
	}
	if r.FormValue("then") == "erase" || r.URL.Path == "/erase" {
		action += "?then=erase"
	}
	s.draw(w, r, "signin", status, page.Page{Path: "/", Refusal: s.told(r, err), View: page.SignIn{
		Action: action, Register: "/register", Challenge: s.passkeys.Begin(s.browser(w, r)), RPID: s.passkeys.RPID(),
	}})
}

// again is what a person gets who loads the answer to a form anew.
func (s *Server) again(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	who, err := s.assert(w, r, s.browser(w, r))
	if err != nil {
		s.ownSignIn(w, r, err)
		return
	}
	s.note(r.Context(), who.account, vault.Entry{What: "signed_in"})
	next := "/"
	if r.URL.Query().Get("then") == "erase" {
		next = "/erase"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}
