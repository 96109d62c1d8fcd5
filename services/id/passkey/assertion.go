package passkey

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/dureledger/dure/services/id/refusal"
)

// MaxAnswer bounds what a browser may send of a passkey, in bytes.
const MaxAnswer = 16 << 10

// Assertion is a passkey's answer whose challenge was used up and whose page, relying party and user verification are right. Only
// Verify says that a key made it.
type Assertion struct {
	// Candidates are the keys that can have made it.
	Candidates []Public
	// UserHandle is what the passkey was made for: random bytes, or the 20 bytes of an account for a passkey that was added to it.
	UserHandle []byte
	// CredentialID names the passkey.
	CredentialID []byte
	// Count is the passkey's counter, 0 if it has none.
	Count uint32

	parsed    *protocol.ParsedCredentialAssertionData
	rules     *Ceremonies
	challenge string
}

// Assert reads a passkey's answer, the JSON of an AuthenticationResponseJSON (Web Authentication Level 3, section 5.1.9).
func (c *Ceremonies) Assert(raw []byte, browser string) (*Assertion, error) {
	if len(raw) > MaxAnswer {
		return nil, malformed()
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(raw)
	if err != nil {
		return nil, malformed()
	}
	if err := c.check(parsed.Response.CollectedClientData, protocol.AssertCeremony, parsed.Response.AuthenticatorData, browser); err != nil {
		return nil, err
	}
	client := sha256.Sum256(parsed.Raw.AssertionResponse.ClientDataJSON)
	message := append(bytes.Clone(parsed.Raw.AssertionResponse.AuthenticatorData), client[:]...)
	return &Assertion{
		Candidates: candidates(parsed.Response.Signature, message), UserHandle: parsed.Response.UserHandle, CredentialID: parsed.RawID,
		Count: parsed.Response.AuthenticatorData.Counter, parsed: parsed, rules: c, challenge: parsed.Response.CollectedClientData.Challenge,
	}, nil
}

// Verify runs the whole of section 7.2 again with the key that was found.
func (a *Assertion) Verify(p Public) error {
	key, ok := cose(p)
	if !ok {
		return badSignature()
	}
	c := a.rules
	err := a.parsed.Verify(a.challenge, c.rpID, "", []string{c.origin}, nil, protocol.TopOriginDefaultVerificationMode, false, true, true, key)
	if err != nil {
		return badSignature()
	}
	return nil
}

// check is what both ceremonies have in common, in the order in which a person can do something about it.
func (c *Ceremonies) check(client protocol.CollectedClientData, kind protocol.CeremonyType, data protocol.AuthenticatorData, browser string) error {
	if client.Type != kind {
		return refusal.New("signin.wrong_ceremony", "A passkey was made where one should be used, or the reverse. Go back and try again.")
	}
	if client.Origin != c.origin || client.CrossOrigin || client.TopOrigin != "" {
		return refusal.New("signin.wrong_origin", "The passkey was used at another page than "+c.origin+". Open that page and try again.")
	}
	if want := sha256.Sum256([]byte(c.rpID)); !bytes.Equal(data.RPIDHash, want[:]) {
		return refusal.New("signin.wrong_rp", "The passkey belongs to another site than "+c.rpID+". Choose the one that was made here.")
	}
	if !data.Flags.UserPresent() || !data.Flags.UserVerified() {
		return refusal.New("signin.not_verified", "The passkey did not check who you are. Use one with fingerprint, face or PIN.")
	}
	return c.take(client.Challenge, browser)
}

// cose is the COSE form of a key (RFC 9053, section 2.1), which the verification wants.
func cose(p Public) ([]byte, bool) {
	point, ok := p.uncompressed()
	if !ok {
		return nil, false
	}
	raw, err := cbor.Marshal(map[int]any{1: int(webauthncose.EllipticKey), 3: int(webauthncose.AlgES256), -1: int(webauthncose.P256), -2: point[1:33], -3: point[33:]})
	return raw, err == nil
}

func malformed() error {
	return refusal.New("signin.malformed", "The browser did not send a passkey's answer. Try again, or use another browser.")
}

func badSignature() error {
	return refusal.New("signin.bad_signature", "The passkey's signature is not by the key of this account. Choose another passkey.")
}

// Text is bytes as pages and cookies carry them: base64url without padding.
func Text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
