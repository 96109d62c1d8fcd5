package openid4vp

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
)

// maxBody is the most bytes that a wallet may post: four credentials of the largest that are read, as a form.
const maxBody = 256 << 10

// maxPresented is the most credentials that a wallet may present for one query.
const maxPresented = 8

// ServeHTTP answers wallets: request/NUMBER gives the signed request, response takes the answer.
func (v *Verifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// Wallets in browsers ask from pages of their own. They get what any program gets that has the link: no cookie counts here.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	rest, ok := strings.CutPrefix(r.URL.Path, v.path)
	link, isRequest := strings.CutPrefix(rest, "request/")
	switch {
	case ok && isRequest && v.cfg.Key != nil && (r.Method == http.MethodGet || r.Method == http.MethodPost):
		v.serveRequest(w, r, link)
	case ok && rest == "response" && r.Method == http.MethodPost:
		v.serveResponse(w, r)
	default:
		refuse(w, http.StatusNotFound, fault.New("presentation.bad_request", "There is nothing here."))
	}
}

func (v *Verifier) serveRequest(w http.ResponseWriter, r *http.Request, link string) {
	form, err := readForm(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	nonce := form.Get("wallet_nonce")
	if nonce != "" && !safePattern.MatchString(nonce) {
		refuse(w, http.StatusBadRequest, badRequest("wallet_nonce has other characters than are allowed"))
		return
	}
	v.open.mu.Lock()
	s, err := v.open.find("link", link, v.cfg.Now())
	v.open.mu.Unlock()
	if err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	object, err := v.object(s, nonce)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", mediaRequest)
	_, _ = w.Write([]byte(object))
}

// readForm reads a form of bounded size; a GET has none.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return url.Values{}, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != mediaForm {
		return nil, badResponse("it is not sent as a form")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return nil, fault.New("presentation.too_large", "The answer has too many bytes. It is not read.")
		}
		return nil, badResponse("the form cannot be read")
	}
	for _, given := range r.PostForm {
		if len(given) != 1 {
			return nil, badResponse("a parameter is there twice")
		}
	}
	return r.PostForm, nil
}

func badResponse(what string) error {
	return fault.New("presentation.bad_response", "This is no answer as OpenID4VP says: "+what+".")
}

// posted is what a wallet answered, opened.
type posted struct {
	state, refusal string
	token          map[string]any
}

func (v *Verifier) serveResponse(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	s, err := v.accept(r.Context(), form)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	reply := map[string]string{}
	if s.back != "" {
		u, err := url.Parse(s.back)
		if err == nil {
			q := u.Query()
			q.Set("response_code", s.code)
			u.RawQuery = q.Encode()
			reply["redirect_uri"] = u.String()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}

// accept verifies an answer and keeps its result.
func (v *Verifier) accept(ctx context.Context, form url.Values) (*session, error) {
	a, s, err := v.read(form)
	if err != nil {
		return nil, err
	}
	result := (*Result)(nil)
	defer func() { v.open.end(s, result) }()
	if a == nil {
		if a, err = readSealed(s, form.Get("response")); err != nil {
			return nil, err
		}
	}
	if a.refusal != "" {
		result = &Result{Refused: true}
		return s, nil
	}
	presented, err := v.verify(ctx, s, a.token)
	if err != nil {
		return nil, err
	}
	result = &Result{Presented: presented}
	return s, nil
}

// read finds the session of an answer, and reads it unless it is encrypted: that is for the key of one session.
func (v *Verifier) read(form url.Values) (*posted, *session, error) {
	if form.Get("response") == "" {
		a, err := readPlain(form.Get("state"), form.Get("error"), form.Get("vp_token"))
		if err != nil {
			return nil, nil, err
		}
		s, err := v.open.begin("state", a.state, v.cfg.Now())
		if err == nil && s.key != nil {
			v.open.end(s, nil)
			err = badResponse("it is not encrypted, as was asked for")
		}
		return a, s, err
	}
	header, err := sealedHeader(form.Get("response"))
	if err != nil {
		return nil, nil, err
	}
	kid, _ := header["kid"].(string)
	s, err := v.open.begin("key", kid, v.cfg.Now())
	return nil, s, err
}

func readPlain(state, refusal, token string) (*posted, error) {
	a := &posted{state: state, refusal: refusal}
	if refusal != "" {
		return a, nil
	}
	var err error
	if a.token, err = sdjwt.DecodeObject([]byte(token)); err != nil {
		return nil, badResponse("vp_token is no JSON object")
	}
	return a, nil
}

// readSealed opens an encrypted answer to a session. The state within must be the session's.
func readSealed(s *session, sealed string) (*posted, error) {
	if s.key == nil {
		return nil, badResponse("it is encrypted, and no key was given for that")
	}
	b, err := open(s.key, sealed)
	if err != nil {
		return nil, err
	}
	claims, err := sdjwt.DecodeObject(b)
	if err != nil {
		return nil, badResponse("what is encrypted is no JSON object")
	}
	if claims["state"] != s.state {
		return nil, badResponse("the state within is another")
	}
	a := &posted{state: s.state}
	if a.refusal, _ = claims["error"].(string); a.refusal != "" {
		return a, nil
	}
	a.token, _ = claims["vp_token"].(map[string]any)
	if a.token == nil {
		return nil, badResponse("vp_token is no JSON object")
	}
	return a, nil
}

// verify checks each presentation, and that together they are what was asked for.
func (v *Verifier) verify(ctx context.Context, s *session, token map[string]any) (map[string][]*credential.Verified, error) {
	out := map[string][]*credential.Verified{}
	for id, given := range token {
		at := slices.IndexFunc(s.query.Credentials, func(c CredentialQuery) bool { return c.ID == id })
		if at < 0 {
			return nil, badResponse("it answers a query that nobody made")
		}
		list, _ := given.([]any)
		if len(list) == 0 || len(list) > maxPresented || len(list) > 1 && !s.query.Credentials[at].Multiple {
			return nil, badResponse("a query is answered by no credential, or by more than were asked for")
		}
		for _, p := range list {
			text, ok := p.(string)
			if !ok {
				return nil, badResponse("a presentation is no text")
			}
			found, err := v.verifyOne(ctx, s, s.query.Credentials[at], text)
			if err != nil {
				return nil, err
			}
			out[id] = append(out[id], found)
		}
	}
	if _, err := s.query.choice(func(id string) bool { return len(out[id]) > 0 }); err != nil {
		return nil, fault.New("presentation.incomplete", "A credential that was asked for is not in the answer.")
	}
	return out, nil
}

func (v *Verifier) verifyOne(ctx context.Context, s *session, query CredentialQuery, text string) (*credential.Verified, error) {
	check := v.cfg.Check
	check.Audience, check.Nonce, check.Now = v.clientID, s.nonce, v.cfg.Now()
	found, err := credential.Verify(ctx, v.cfg.Ledger, text, check)
	if err != nil {
		return nil, err
	}
	if _, err := query.shown().satisfied(found.Credential); err != nil {
		return nil, fault.New("presentation.incomplete", "A presented credential is of another type than was asked for, or lacks a claim or value that was.")
	}
	return found, nil
}

func refuse(w http.ResponseWriter, status int, err error) {
	f := fault.As(err)
	if f.Code == "internal" {
		f.Message = "The site cannot verify the answer now. Try again later."
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_request", "error_description": f.Error()})
}
