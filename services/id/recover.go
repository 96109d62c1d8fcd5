package id

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/refusal"
	"github.com/dureledger/dure/services/id/vault"
)

// stepSign is the step of a recovery after those of an enrolment: the new passkey signs that it wants to be the account's.
const stepSign = "sign"

var recoverySteps = append(slices.Clone(steps), stepSign)

var (
	errNobody  = refusal.New("signin.not_known", "This member knows nobody of this name, phone number and bank account. If one of them is new, go to the member in person.")
	errNotOurs = refusal.New("signin.not_sponsor", "This member may not recover the account: it is not its sponsor, or the account lets others do it. Ask those.")
	errRuns    = refusal.New("signin.recovery_runs", "The account is being recovered already. Wait for its end.")
	errOften   = refusal.New("signin.too_many_recoveries", "The account was to be recovered too often. Try again in an hour.")
	errNoPage  = refusal.New("signin.no_origin", "The network has no page at which a passkey signs. Go to the member in person.")
)

// recovery is a person who has lost every key, on the way to a new one, in one browser.
type recovery struct {
	enrolment
	// found are the accounts of whoever proved what this person did.
	found [][20]byte
	// account is to have the key of the passkey credential.
	account    [20]byte
	key        passkey.Public
	credential []byte
	// begun: the ledger had it.
	begun bool
}

// waiting refuses a passkey whose time has not come.
type waiting struct{ account Account }

func (*waiting) Error() string { return errWaiting.Error() }
func (*waiting) Unwrap() error { return errWaiting }

// recovery is that of a browser, a new one if it has none or took too long.
func (s *Server) recovery(browser string) *recovery {
	if v, ok := s.recoveries.Get(browser); ok && s.now().Before(v.until) {
		return v
	}
	v := &recovery{enrolment: enrolment{step: stepPhone, until: s.now().Add(enrolmentLifetime)}}
	s.recoveries.Add(browser, v)
	return v
}

func (s *Server) recoverPage(w http.ResponseWriter, r *http.Request) {
	browser := s.browser(w, r)
	v := s.recovery(browser)
	v.mu.Lock()
	defer v.mu.Unlock()
	s.drawRecovery(w, r, v, browser, nil)
}

// recoverPost takes a step. A step that is done leads to a page of its own, so that it can be loaded again.
func (s *Server) recoverPost(w http.ResponseWriter, r *http.Request) {
	browser := s.browser(w, r)
	v := s.recovery(browser)
	v.mu.Lock()
	defer v.mu.Unlock()
	var err error
	switch do := r.PostFormValue("do"); {
	case do == "again":
		s.recoveries.Remove(browser)
	case do == stepPasskey && v.step == stepPasskey:
		err = s.bring(r, v, browser)
	default:
		err = s.prove(r.Context(), &v.enrolment, s.address(r), r.PostFormValue)
		if err == nil && do == stepBankCode && v.step == stepPasskey {
			v.found, err = s.vault.Proved(r.Context(), vault.Profile{Name: v.name, Phone: v.phone, Bank: v.bank, BankAccount: v.number})
		}
	}
	if err != nil {
		s.drawRecovery(w, r, v, browser, err)
		return
	}
	http.Redirect(w, r, "/recover", http.StatusSeeOther)
}

// bring takes the new passkey for one of the accounts that the person proved to be theirs.
func (s *Server) bring(r *http.Request, v *recovery, browser string) error {
	ctx := r.Context()
	i := slices.IndexFunc(v.found, func(a [20]byte) bool { return strings.EqualFold(shown(a), r.PostFormValue("account")) })
	if i < 0 {
		return errNobody
	}
	made, err := s.passkeys.Create([]byte(r.PostFormValue("answer")), browser)
	if err != nil {
		return err
	}
	found, err := s.ledger.Account(ctx, v.found[i])
	if err == nil {
		err = s.mayRecover(found)
	}
	if err != nil {
		return err
	}
	if !s.recoveriesOf.allow(found.Address, s.now()) {
		return errOften
	}
	v.account, v.key, v.credential, v.step = v.found[i], made.Public, made.CredentialID, stepSign
	s.note(ctx, v.account, vault.Entry{What: "recovering"})
	return nil
}

// mayRecover says no where this member cannot recover an account, before the person makes a passkey for nothing.
func (s *Server) mayRecover(a Account) error {
	switch {
	case s.wallet == "":
		return errNoPage
	case a.Recovery != nil:
		return errRuns
	case !a.Ours:
		return errNotOurs
	}
	return nil
}

func (s *Server) drawRecovery(w http.ResponseWriter, r *http.Request, v *recovery, browser string, err error) {
	view := page.Recover{Register: page.Register{
		Action: "/recover", Step: v.step, Number: slices.Index(recoverySteps, v.step) + 1, Steps: len(recoverySteps), Name: v.name, Phone: shownPhone(v.phone),
		Bank: v.bank, BankAccount: v.number, Banks: banks, Member: s.settings.Name,
	}}
	switch v.step {
	case stepBankCode:
		view.Bank = bankName(v.bank)
	case stepPasskey:
		choices, failed := s.choices(r.Context(), v.found)
		if failed != nil {
			s.broken(w, r, failed)
			return
		}
		if len(choices) == 0 && err == nil {
			err = errNobody
		}
		view.Choices, view.Challenge, view.RPID = choices, s.passkeys.Begin(browser), s.passkeys.RPID()
	case stepSign:
		found, failed := s.ledger.Account(r.Context(), v.account)
		if failed != nil {
			s.broken(w, r, failed)
			return
		}
		own := shownKey(v.key)
		if _, acts := found.key(own); acts || found.awaits(own) {
			v.begun = true
			s.waitPage(w, r, found)
			return
		}
		if v.begun {
			s.recoveries.Remove(browser)
			s.fail(w, r, http.StatusConflict, "signin.recovery_ended")
			return
		}
		view.Account = found.Address
		if err = errors.Join(err, s.mayRecover(found)); err == nil {
			view.Sign, err = s.signAt(r.Context(), v)
		}
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusBadRequest
	}
	s.draw(w, r, "recover", status, page.Page{Path: "/recover", Refusal: s.told(r, err), View: view})
}

// choices are the accounts of a person as the page shows them.
func (s *Server) choices(ctx context.Context, found [][20]byte) (out []page.Choice, err error) {
	for _, address := range found {
		a, err := s.ledger.Account(ctx, address)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Choice{Account: a.Address, UserID: passkey.Text(address[:]), Hours: hours(a.Wait), Refusal: refusal.Code(s.mayRecover(a))})
	}
	return out, nil
}

func hours(d time.Duration) int { return int((d + time.Hour - 1) / time.Hour) }

// signAt is the address of the page at one of the network's origins at which the new passkey signs its recovery. It is another each time, as
// a transaction happens once.
func (s *Server) signAt(ctx context.Context, v *recovery) (string, error) {
	signed, err := s.ledger.Recover(ctx, v.account, v.key)
	return fmt.Sprintf("%s#sponsored/%s/%s", s.wallet, passkey.Text(signed), passkey.Text(v.credential)), err
}

// waitPage shows a recovery that has been begun: until when the account may object, and that its new passkey signs in then.
func (s *Server) waitPage(w http.ResponseWriter, r *http.Request, a Account) {
	view := page.Recover{Register: page.Register{Step: "wait", Challenge: s.passkeys.Begin(s.browser(w, r)), RPID: s.passkeys.RPID()}, Account: a.Address, Ready: true}
	if a.Recovery != nil {
		view.ReadyAt, view.LapsesAt = a.Recovery.ReadyAt, a.Recovery.LapsesAt
		view.Ready = view.ReadyAt != 0 && s.now().UnixMilli() >= view.ReadyAt
	}
	s.draw(w, r, "recover", http.StatusOK, page.Page{Path: "/recover", View: view})
}

// finish makes a passkey that a recovery brings the account's, once the account may not object any more. The sessions of the keys before it end.
func (s *Server) finish(ctx context.Context, address [20]byte, found Account, key passkey.Public) (Account, error) {
	if at := found.Recovery.ReadyAt; at == 0 || s.now().UnixMilli() < at {
		return found, &waiting{found}
	}
	switch err := s.ledger.Finish(ctx, address, key.Address()); {
	case errors.Is(err, ErrTooEarly): // its clock is behind ours
		return found, &waiting{found}
	case errors.Is(err, ErrAppealed):
		return found, errFrozen
	case err != nil:
		return found, err
	}
	after, err := s.ledger.Account(ctx, address)
	if err != nil {
		return after, err
	}
	s.note(ctx, address, vault.Entry{What: "recovered"})
	s.endOthers(address, after)
	return after, nil
}
