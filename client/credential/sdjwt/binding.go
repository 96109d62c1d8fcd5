package sdjwt

import (
	"crypto"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dureledger/dure/ledger/fault"
)

// TypeBinding is the typ of a key binding JWT (RFC 9901, section 4.3).
const TypeBinding = "kb+jwt"

// Skew is how far two clocks may differ.
const Skew = 60 * time.Second

// Bind presents the token: the holder's key signs for whom it is (aud), what it answers (nonce), when, and the hash of what is disclosed.
// Code key.malformed.
func (t *Token) Bind(holder crypto.Signer, audience, nonce string, at time.Time) (*Token, error) {
	payload, err := encode(map[string]any{"iat": at.Unix(), "aud": audience, "nonce": nonce, "sd_hash": digestOf(t.unbound())})
	if err != nil {
		return nil, err
	}
	text, err := Sign(holder, map[string]any{"typ": TypeBinding}, payload)
	if err != nil {
		return nil, err
	}
	out := *t
	out.Binding, err = ParseJWS(text)
	return &out, err
}

// Expect is what a verifier expects of a presentation.
type Expect struct {
	// Holder is the key that the issuer bound the credential to.
	Holder crypto.PublicKey
	// Audience and Nonce are those of the verifier's request.
	Audience, Nonce string
	// Now is the verifier's time, and MaxAge how old a presentation may be.
	Now    time.Time
	MaxAge time.Duration
}

// VerifyBinding checks that the holder made this presentation, for this verifier and request, of just what is disclosed, and lately.
// Code credential.not_bound, credential.wrong_holder, credential.wrong_audience, credential.wrong_nonce, credential.altered, credential.stale and, for typ
// and alg, those of [JWS.Verify].
func (t *Token) VerifyBinding(e Expect) error {
	if t.Binding == nil {
		return fault.New("credential.not_bound", "The holder has not signed the presentation, so whoever has a copy could show it. Ask for one with key binding.")
	}
	if err := t.Binding.Verify(e.Holder, TypeBinding); err != nil {
		if fault.Code(err) == "credential.bad_signature" {
			return fault.New("credential.wrong_holder", "The presentation is not signed by the key that the issuer bound the credential to: who shows it is not its holder.")
		}
		return err
	}
	claims := t.Binding.Payload
	if !same(claims["aud"], e.Audience) {
		return fault.New("credential.wrong_audience", "The presentation was made for another verifier. It is refused, as it may have been passed on.", "want", e.Audience)
	}
	if !same(claims["nonce"], e.Nonce) {
		return fault.New("credential.wrong_nonce", "The presentation answers another request. It is refused, as it may be a replay.")
	}
	if !same(claims["sd_hash"], digestOf(t.unbound())) {
		return fault.New("credential.altered", "What is disclosed is not what the holder signed: something was added or left out since.")
	}
	at, ok := Seconds(claims["iat"])
	if !ok {
		return malformed("the key binding has no time")
	}
	if at.After(e.Now.Add(Skew)) || at.Before(e.Now.Add(-e.MaxAge-Skew)) {
		return fault.New("credential.stale", fmt.Sprintf("The holder signed the presentation at %s, which is not within %s before now, %s. Ask for a new one, and check the clocks.",
			at.UTC().Format(time.RFC3339), e.MaxAge, e.Now.UTC().Format(time.RFC3339)), "signed", at.Unix())
	}
	return nil
}

// same compares a text claim with what is expected, which may be secret.
func same(claim any, want string) bool {
	text, ok := claim.(string)
	return ok && subtle.ConstantTimeCompare([]byte(text), []byte(want)) == 1
}

// latest is the last time that a claim may name: the end of the year 9999.
const latest = 253402300799

// Seconds reads a NumericDate (RFC 7519, section 2) of whole seconds.
func Seconds(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	s, err := n.Int64()
	if err != nil || s < 0 || s > latest {
		return time.Time{}, false
	}
	return time.Unix(s, 0), true
}
