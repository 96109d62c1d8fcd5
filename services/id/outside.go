package id

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/dureledger/dure/services/id/refusal"
)

// Operator reaches phones. A real one is put in by serving POST /messages as services/id/sandbox does, or by another type.
type Operator interface {
	// SendCode sends a text with a code to a phone, E.164. A number that is refused is a *refusal.Refusal.
	SendCode(ctx context.Context, phone, text string) error
}

// Bank sends one won to an account, so that whoever sees the account can read the memo.
type Bank interface {
	// SendWon sends it. An account that is not there or not the holder's is a *refusal.Refusal.
	SendWon(ctx context.Context, to BankAccount, memo string) error
}

// BankAccount is an account at a bank: the bank's code of three digits, the digits of the account, and whose it is.
type BankAccount struct{ Bank, Number, Holder string }

// Service is how another service is reached over HTTP.
type Service struct {
	URL string `json:"url"`
	// Token is sent as a bearer token if it is not empty.
	Token string `json:"token,omitempty"`
}

const (
	outsideTimeout = 10 * time.Second
	maxOutside     = 16 << 10
)

type httpOperator struct{ Service }

func (o httpOperator) SendCode(ctx context.Context, phone, text string) error {
	return o.post(ctx, "/messages", map[string]string{"to": phone, "text": text},
		refusal.New("signin.phone_refused", "The operator does not know this phone number. Check it."))
}

type httpBank struct{ Service }

func (b httpBank) SendWon(ctx context.Context, to BankAccount, memo string) error {
	return b.post(ctx, "/transfers", map[string]string{"bank": to.Bank, "account": to.Number, "holder": to.Holder, "amount": "1", "memo": memo},
		refusal.New("signin.bank_refused", "The bank does not know this account, or it belongs to somebody else. Check the number and the name."))
}

// post sends JSON. What the service refuses with a 4xx is no; anything else it does is trouble.
func (s Service) post(ctx context.Context, path string, body any, no *refusal.Refusal) error {
	ctx, cancel := context.WithTimeout(ctx, outsideTimeout)
	defer cancel()
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("id: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(s.URL, "/")+path, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("id: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	resp, err := quiet.Do(req)
	if err != nil {
		return fmt.Errorf("id: %s did not answer: %w", s.URL, errors.Unwrap(err)) // the outer error has the address alone
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxOutside)) // for the connection's sake
	switch {
	case resp.StatusCode < 300:
		return nil
	case resp.StatusCode < 500 && resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusTooManyRequests:
		return no
	}
	return fmt.Errorf("id: %s answered %s", s.URL, resp.Status)
}

// quiet follows no redirect: what it sends is for one receiver.
var quiet = &http.Client{Timeout: outsideTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// outward is quiet, and reaches only addresses that are not of this machine or the networks around it. It looks at the address that is dialled, whatever name led
// to it, and takes no proxy, behind which it could not look.
var outward = &http.Client{Timeout: outsideTimeout, CheckRedirect: quiet.CheckRedirect, Transport: &http.Transport{
	DialContext: (&net.Dialer{Timeout: outsideTimeout, Control: onlyOutward}).DialContext, TLSHandshakeTimeout: outsideTimeout, DisableKeepAlives: true,
}}

var errInward = errors.New("id: the address is of this machine or of a network around it")

func onlyOutward(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return errInward
	}
	if a := to.Addr().Unmap(); !a.IsGlobalUnicast() || a.IsPrivate() || shared.Contains(a) {
		return errInward
	}
	return nil
}

// shared is the address space of carriers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")
