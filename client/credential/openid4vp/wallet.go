package openid4vp

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
)

// maxReply is the most bytes of a site's reply to an answer.
const maxReply = 16 << 10

// Wallet reads requests and answers them.
type Wallet struct {
	// Ledger says who signed a request.
	Ledger credential.Ledger
	HTTP   *http.Client
}

// HTTPClient is for wallets: it follows no redirects, as whom a request comes from and an answer goes to is what the owner was told.
func HTTPClient() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Fetch reads a link, fetches the request that it stands for and verifies it. Codes: see the package, and those of packages credential and sdjwt.
func (w Wallet) Fetch(ctx context.Context, link string, now time.Time) (*Request, error) {
	l, err := ParseLink(link)
	if err != nil {
		return nil, err
	}
	if l.Parameters != nil {
		return readUnsigned(l)
	}
	if l.RequestURI == "" {
		return readSigned(ctx, w.Ledger, l.ClientID, l.Object, "", now)
	}
	var nonce string
	body, method := io.Reader(nil), http.MethodGet
	if l.Post {
		nonce = random()
		method, body = http.MethodPost, strings.NewReader(url.Values{"wallet_nonce": {nonce}}.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, l.RequestURI, body)
	if err != nil {
		return nil, badRequest("request_uri cannot be asked")
	}
	req.Header.Set("Accept", mediaRequest)
	if l.Post {
		req.Header.Set("Content-Type", mediaForm)
	}
	object, err := w.do(req, MaxRequest)
	if err != nil {
		return nil, err
	}
	return readSigned(ctx, w.Ledger, l.ClientID, strings.TrimSpace(string(object)), nonce, now)
}

// do sends a request and reads the reply. Code presentation.unreachable, presentation.rejected, presentation.too_large.
func (w Wallet) do(req *http.Request, most int64) ([]byte, error) {
	res, err := w.HTTP.Do(req)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return nil, fault.New("presentation.unreachable", "The site "+req.URL.Host+" does not answer: "+err.Error()+".", "site", req.URL.Host)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return nil, fault.New("presentation.unreachable", "The site "+req.URL.Host+" broke off while it answered.", "site", req.URL.Host)
	}
	if int64(len(b)) > most {
		return nil, fault.New("presentation.too_large", fmt.Sprintf("The site sent more than %d bytes.", most))
	}
	if res.StatusCode != http.StatusOK {
		return nil, rejected(req.URL.Host, res.StatusCode, b)
	}
	return b, nil
}

func rejected(site string, status int, body []byte) error {
	var said struct {
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &said) != nil || said.Description == "" {
		said.Description = "it answered with HTTP status " + fmt.Sprint(status)
	}
	return fault.New("presentation.rejected", fmt.Sprintf("The site %s refuses: %.300s", site, said.Description), "site", site, "status", status)
}

// Signer finds the private key of a credential's holder.
type Signer func(holder crypto.PublicKey) (crypto.Signer, error)

// Answer presents what was chosen, to the site that asked. It returns where the owner's browser goes on, "" if nowhere.
// Code presentation.unreachable, presentation.rejected and those of [credential.Credential.Present].
func (w Wallet) Answer(ctx context.Context, r *Request, chosen []Answer, sign Signer, now time.Time) (next string, err error) {
	token := map[string][]string{}
	for _, a := range chosen {
		if a.Credential.Holder == nil {
			return "", fault.New("credential.not_bound", "The credential is bound to no key, so nobody can show that it is his.")
		}
		key, err := sign(a.Credential.Holder)
		if err != nil {
			return "", err
		}
		shown, err := a.Credential.Present(key, a.Disclose, r.ClientID, r.Nonce, now)
		if err != nil {
			return "", err
		}
		token[a.Query] = append(token[a.Query], shown)
	}
	return w.send(ctx, r, map[string]any{"vp_token": token})
}

// Refuse tells the site that the owner does not agree.
func (w Wallet) Refuse(ctx context.Context, r *Request) (next string, err error) {
	return w.send(ctx, r, map[string]any{"error": "access_denied", "error_description": "the owner of the wallet does not agree"})
}

// send posts an answer (sections 8.2 and 8.3).
func (w Wallet) send(ctx context.Context, r *Request, answer map[string]any) (next string, err error) {
	if r.State != "" {
		answer["state"] = r.State
	}
	form := url.Values{}
	if r.encrypt != nil {
		payload, err := json.Marshal(answer)
		if err != nil {
			return "", fmt.Errorf("openid4vp: %w", err)
		}
		sealed, err := r.encrypt.seal(payload)
		if err != nil {
			return "", err
		}
		form.Set("response", sealed)
	} else {
		for name, v := range answer {
			text, isText := v.(string)
			if !isText {
				b, err := json.Marshal(v)
				if err != nil {
					return "", fmt.Errorf("openid4vp: %w", err)
				}
				text = string(b)
			}
			form.Set(name, text)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.ResponseURI, strings.NewReader(form.Encode()))
	if err != nil {
		return "", badRequest("response_uri cannot be asked")
	}
	req.Header.Set("Content-Type", mediaForm)
	b, err := w.do(req, maxReply)
	if err != nil {
		return "", err
	}
	return nextAddress(b), nil
}

// nextAddress is where a site's reply sends the owner's browser; "" if nowhere, or to no place to send a browser to. The answer was taken in any case.
func nextAddress(reply []byte) string {
	said, err := sdjwt.DecodeObject(reply)
	next, _ := said["redirect_uri"].(string)
	if err != nil || checkAddress(withoutFragment(next)) != nil {
		return ""
	}
	return next
}

func withoutFragment(address string) string {
	before, _, _ := strings.Cut(address, "#")
	return before
}

// random is a number of 128 bits that nobody guesses, as text.
func random() string { return rand.Text() }
