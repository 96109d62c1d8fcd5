package id

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/refusal"
	"github.com/dureledger/dure/services/id/vault"
)

// assert signs in the person whose passkey answers in this request. The error is *waiting if the passkey is to be an account's by a recovery
// that still waits; one whose time has come is finished here.
func (s *Server) assert(w http.ResponseWriter, r *http.Request, browser string) (session, error) {
	ctx := r.Context()
	a, err := s.passkeys.Assert([]byte(r.PostFormValue("answer")), browser)
	if err != nil {
		return session{}, err
	}
	address, found, key, err := s.owner(ctx, a)
	if err != nil {
		return session{}, err
	}
	if err := a.Verify(key); err != nil {
		return session{}, err
	}
	own := shownKey(key)
	if _, acts := found.key(own); !acts {
		if found, err = s.finish(ctx, address, found, key); err != nil {
			return session{}, err
		}
	}
	if err := found.signsIn(own); err != nil {
		return session{}, err
	}
	if err := s.count(ctx, address, a); err != nil {
		return session{}, err
	}
	return s.begin(w, r, address, found, own), nil
}

// owner finds the account that one of the keys acts for, alone or by its rule, or is to act for by a recovery: the key's own, or the one that
// the passkey was made for when it was added to an account. The ledger says which keys act now.
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
			if _, acts := account.key(shownKey(p)); acts || account.awaits(shownKey(p)) {
				return place, account, p, nil
			}
		}
	}
	return address, found, key, errNoKey
}

// shownKey is the address of a passkey's key.
func shownKey(p passkey.Public) string { return shown(p.Address()) }

func shown(address [20]byte) string { return "0x" + hex.EncodeToString(address[:]) }

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
		Action: action, Register: "/register", Recover: "/recover", Challenge: s.passkeys.Begin(s.browser(w, r)), RPID: s.passkeys.RPID(),
	}})
}

// again is what a person gets who loads the answer to a form anew.
func (s *Server) again(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	who, err := s.assert(w, r, s.browser(w, r))
	var wait *waiting
	if errors.As(err, &wait) {
		s.waitPage(w, r, wait.account)
		return
	}
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
