package id

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/vault"
)

// What a sign-in that is under way keeps.
const (
	keepBrowser = "browser" // the mark of the browser that began it
	keepSince   = "since"   // when it began, unix milliseconds
	keepAsked   = "asked"   // the log has that it asked
	keepSID     = "sid"
	keepAt      = "at" // auth_time, unix seconds
	keepSession = "session"
)

// errConsent is what a service is told that wanted no page shown (OpenID Connect Core 1.0, section 3.1.2.6).
var (
	errConsent = goidc.NewError("consent_required", "the person has to be asked; send them without prompt=none")
	errSignIn  = goidc.NewError(goidc.ErrorCodeLoginRequired, "nobody is signed in here; send the person without prompt=none")
	errRefused = goidc.NewError(goidc.ErrorCodeAccessDenied, "the person refused")
)

// flow is one request of a sign-in at a service.
type flow struct {
	*Server
	w       http.ResponseWriter
	r       *http.Request
	as      *goidc.AuthnSession
	party   Party
	browser string
	// posted is what a form of ours asks for: assert, agree, refuse, or nothing.
	posted string
}

// authenticate carries a sign-in on by one step: the passkey, then what the service may know, then back to the service.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request, as *goidc.AuthnSession, c *goidc.Client) (goidc.Status, error) {
	party, err := s.party(r.Context(), c.ID)
	if err != nil {
		return goidc.StatusFailure, err
	}
	f := &flow{Server: s, w: w, r: r, as: as, party: party, browser: s.browser(w, r)}
	owner, begun := as.Store[keepBrowser].(string)
	switch {
	case !slices.Contains(party.RedirectURIs, as.RedirectURI): // the library compares what it parsed, which may have been written in another way
		s.fail(w, r, http.StatusBadRequest, "signin.bad_request")
		return goidc.StatusPending, nil
	case !begun:
		as.Store = map[string]any{keepBrowser: f.browser, keepSince: s.now().UnixMilli()}
	case owner != f.browser:
		s.fail(w, r, http.StatusForbidden, "signin.other_browser")
		return goidc.StatusPending, nil
	case r.Method == http.MethodPost:
		f.posted = r.PostFormValue("do")
	}
	return f.step()
}

func (f *flow) step() (goidc.Status, error) {
	if f.posted == "refuse" {
		if who, ok := f.signedIn(f.r); ok {
			f.note(f.r.Context(), who.account, vault.Entry{What: "refused", Service: f.party.Name, Items: f.asked()})
		}
		return goidc.StatusFailure, errRefused
	}
	who, found, err := f.who()
	if err != nil || !found {
		if err == nil && f.prompt("none") {
			return goidc.StatusFailure, errSignIn
		}
		f.signInPage(err)
		return goidc.StatusPending, nil
	}
	agreed, answered, err := f.consent(who)
	if err != nil {
		f.broken(f.w, f.r, err)
		return goidc.StatusPending, nil
	}
	if !answered {
		if f.prompt("none") {
			return goidc.StatusFailure, errConsent
		}
		f.ask(who)
		return goidc.StatusPending, nil
	}
	f.as.Subject, f.as.GrantedScopes = who.shown, strings.Join(append([]string{"openid"}, agreed...), " ")
	f.as.Store[keepSID], f.as.Store[keepAt], f.as.Store[keepSession] = who.sid(f.party.ID), who.at.Unix(), who.id
	f.sessions.visit(who.mark, f.party.ID)
	f.note(f.r.Context(), who.account, vault.Entry{What: "signed_in", Service: f.party.Name})
	return goidc.StatusSuccess, nil
}

// who is the person: by the passkey that this request brings, or as signed in before, if that is recent enough for the service.
func (f *flow) who() (who session, found bool, err error) {
	if f.posted == "assert" {
		who, err = f.assert(f.w, f.r, f.browser)
		return who, err == nil, err
	}
	who, found = f.signedIn(f.r)
	if !found {
		return who, false, nil
	}
	since, _ := f.as.Store[keepSince].(int64)
	if thisTime := who.at.UnixMilli() >= since; !thisTime {
		age := f.as.MaxAuthnAgeSecs
		if f.prompt("login") || f.prompt("select_account") || age != nil && f.now().Sub(who.at).Seconds() > float64(*age) {
			return who, false, nil
		}
	}
	return f.current(f.r)
}

func (f *flow) prompt(word string) bool {
	return slices.Contains(strings.Fields(string(f.as.Prompt)), word)
}

func (f *flow) action() string { return "/authorize/" + f.as.ID }

// asked are the items that the service asks for, in their order.
func (f *flow) asked() (out []string) {
	scopes := strings.Fields(f.as.Scopes)
	for _, item := range Items {
		if slices.Contains(scopes, item) && slices.Contains(f.party.MayAsk, item) {
			out = append(out, item)
		}
	}
	return out
}

func (f *flow) signInPage(err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusForbidden
	}
	f.draw(f.w, f.r, "signin", status, page.Page{Path: f.action(), Refusal: f.told(f.r, err), FormsTo: f.formsTo(), View: page.SignIn{
		Service: f.party.Name, Action: f.action(), Register: "/register?then=" + f.as.ID, Recover: "/recover", Challenge: f.passkeys.Begin(f.browser), RPID: f.passkeys.RPID(), Refuse: true,
	}})
}

// formsTo is where an answer to a form may lead: back to the service. Browsers hold redirects after a form to the page's policy.
func (f *flow) formsTo() []string { return []string{origin(f.as.RedirectURI)} }

// consent is what the person agreed to of what is asked now, and whether they answered all of it.
func (f *flow) consent(who session) (agreed []string, answered bool, err error) {
	ctx, asked := f.r.Context(), f.asked()
	before, err := f.vault.Consent(ctx, who.account, f.party.ID)
	none := errors.Is(err, vault.ErrUnknown)
	if err != nil && !none {
		return nil, false, err
	}
	profile, err := f.profile(ctx, who.account)
	if err != nil {
		return nil, false, err
	}
	// What this member does not know cannot be given, so it is asked for only when it is known.
	known := slices.DeleteFunc(slices.Clone(asked), func(item string) bool { return !held(item, profile) })
	if f.posted == "agree" && f.r.PostFormValue("account") == who.shown {
		if before, err = f.agree(ctx, who, before, known); err != nil {
			return nil, false, err
		}
	} else if none || !before.Covers(known) || f.prompt("consent") {
		return nil, false, nil
	}
	for _, item := range asked {
		if slices.Contains(before.Agreed, item) {
			agreed = append(agreed, item)
		}
	}
	return agreed, true, nil
}

// agree keeps the person's answer. What was answered before and is not asked now stays as it was.
func (f *flow) agree(ctx context.Context, who session, before vault.Consent, asked []string) (vault.Consent, error) {
	c := vault.Consent{Service: f.party.ID, Name: f.party.Name, At: f.now().UnixMilli(), Salt: make([]byte, 16)}
	rand.Read(c.Salt)
	var now, no []string
	for _, item := range Items {
		ticked := slices.Contains(f.r.PostForm["item"], item)
		switch {
		case slices.Contains(asked, item) && ticked:
			now = append(now, item)
			c.Agreed = append(c.Agreed, item)
		case slices.Contains(asked, item):
			no = append(no, item)
		case slices.Contains(before.Agreed, item):
			c.Agreed = append(c.Agreed, item)
		}
		if slices.Contains(asked, item) || slices.Contains(before.Asked, item) {
			c.Asked = append(c.Asked, item)
		}
	}
	if err := f.vault.SaveConsent(ctx, who.account, c); err != nil {
		return before, err
	}
	f.note(ctx, who.account, vault.Entry{What: "agreed", Service: f.party.Name, Items: now})
	if len(no) > 0 {
		f.note(ctx, who.account, vault.Entry{What: "refused", Service: f.party.Name, Items: no})
	}
	f.owe()
	return c, nil
}

// ask shows what the service wants to know. After a passkey's form it comes by a page of its own, so that it can be loaded again.
func (f *flow) ask(who session) {
	if f.posted == "assert" {
		http.Redirect(f.w, f.r, f.action(), http.StatusSeeOther)
		return
	}
	ctx, asked := f.r.Context(), f.asked()
	if f.as.Store[keepAsked] == nil {
		f.as.Store[keepAsked] = true
		f.note(ctx, who.account, vault.Entry{What: "asked", Service: f.party.Name, Items: asked})
	}
	profile, err := f.profile(ctx, who.account)
	if err != nil {
		f.broken(f.w, f.r, err)
		return
	}
	view := page.Consent{Service: f.party.Name, Action: f.action(), Account: who.shown, Public: f.party.Subject != "pairwise", Organisation: f.party.Organisation, Host: origin(f.as.RedirectURI), Prove: "/register?then=" + f.as.ID}
	for _, item := range asked {
		view.Missing = view.Missing || !held(item, profile)
		view.Items = append(view.Items, page.Item{ID: item, Value: value(item, who.shown, profile), Held: held(item, profile)})
	}
	f.draw(f.w, f.r, "consent", http.StatusOK, page.Page{Path: f.action(), FormsTo: f.formsTo(), View: view})
}
