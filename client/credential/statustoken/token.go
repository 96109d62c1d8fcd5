// Package statustoken signs and verifies Status List Tokens (draft-ietf-oauth-status-list, section 5): an issuer's status list as a JWT, for those who know the
// issuer's key and no ledger. Who knows the ledger reads the list there, and needs no token.
//
// Refusals: credential.bad_status_list (no list, or not the one that was asked for), credential.status_expired, and those of package sdjwt for signatures.
package statustoken

import (
	"crypto"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/statuslist"
)

// Type is the typ of a Status List Token (section 5.1).
const Type = "statuslist+jwt"

// MaxEntries is the most bytes of entries that are unpacked: 8 million credentials of one bit.
const MaxEntries = 1 << 20

// Token is a status list as an issuer signs it.
type Token struct {
	// Subject is the URI of the list, which credentials name.
	Subject string
	Issued  time.Time
	// Expires is when it must not be relied on any more; zero: it does not say.
	Expires time.Time
	// TTL is how long a copy may be kept; 0: it does not say.
	TTL  time.Duration
	List statuslist.List
}

// Sign makes the token. The header may say whose key it is; typ and alg are set here.
func Sign(key crypto.Signer, header map[string]any, t Token) (string, error) {
	lst, err := t.List.Text()
	if err != nil {
		return "", err
	}
	claims := map[string]any{"sub": t.Subject, "iat": t.Issued.Unix(), "status_list": map[string]any{"bits": t.List.Bits, "lst": lst}}
	if !t.Expires.IsZero() {
		claims["exp"] = t.Expires.Unix()
	}
	if t.TTL > 0 {
		claims["ttl"] = int64(t.TTL / time.Second)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("statuslist: %w", err)
	}
	full := map[string]any{"typ": Type}
	for name, v := range header {
		full[name] = v
	}
	return sdjwt.Sign(key, full, payload)
}

// Verify checks a token (section 8.3): signed by the key, of the list that a credential names, and in its time.
// Code credential.bad_status_list, credential.status_expired and those of [sdjwt.JWS.Verify].
func Verify(text string, issuer crypto.PublicKey, subject string, now time.Time) (Token, error) {
	j, err := sdjwt.ParseJWS(text)
	if err != nil {
		return Token{}, err
	}
	if err := j.Verify(issuer, Type); err != nil {
		return Token{}, err
	}
	t := Token{}
	if t.Subject, _ = j.Payload["sub"].(string); t.Subject != subject || subject == "" {
		return Token{}, bad("it is of another list than the credential names")
	}
	var ok bool
	if t.Issued, ok = sdjwt.Seconds(j.Payload["iat"]); !ok || t.Issued.After(now.Add(sdjwt.Skew)) {
		return Token{}, bad("it does not say when it was made, or a time to come")
	}
	if exp, says := j.Payload["exp"]; says {
		if t.Expires, ok = sdjwt.Seconds(exp); !ok {
			return Token{}, bad("its exp is no time")
		}
	}
	if ttl, says := j.Payload["ttl"]; says {
		n, isNumber := ttl.(json.Number)
		seconds, err := n.Int64()
		if !isNumber || err != nil || seconds <= 0 || seconds > int64(100*365*24*time.Hour/time.Second) {
			return Token{}, bad("its ttl is no positive number of seconds")
		}
		t.TTL = time.Duration(seconds) * time.Second
	}
	if over := !t.Expires.IsZero() && !now.Before(t.Expires) || t.TTL > 0 && now.After(t.Issued.Add(t.TTL)); over {
		return Token{}, fault.New("credential.status_expired", "The status list is too old: it may lack what was revoked since. Fetch it anew.", "issued", t.Issued.Unix())
	}
	list, _ := j.Payload["status_list"].(map[string]any)
	bits, _ := list["bits"].(json.Number)
	n, err := bits.Int64()
	lst, isText := list["lst"].(string)
	if err != nil || n < 0 || n > 8 || !isText {
		return Token{}, bad("it has no bits and lst")
	}
	if t.List, err = statuslist.ReadText(uint32(n), lst, MaxEntries); err != nil {
		return Token{}, bad(err.Error())
	}
	return t, nil
}

func bad(what string) error {
	return fault.New("credential.bad_status_list", "This is no status list that can be relied on: "+what+".")
}
