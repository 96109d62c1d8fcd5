package tx

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// Flags of authenticator data (Web Authentication Level 3, section 6.1).
const (
	flagUserPresent    = 1 << 0
	flagUserVerified   = 1 << 2
	flagBackupEligible = 1 << 3
	flagBackupState    = 1 << 4
	flagAttested       = 1 << 6
	flagExtensions     = 1 << 7
)

// Rules are what a network asks of WebAuthn assertions beyond a good signature.
type Rules struct {
	// RPID is the relying party id, a domain name. Empty: no passkey counts.
	RPID string
	// Origins are the exact origins pages may have, such as https://bank.example.
	Origins []string
}

// CheckPolicy checks that every WebAuthn witness was made for the relying party, at an allowed origin and not in a
// page embedded in another site. The rules are state, so this happens at execution. Code account.not_authorised.
// Witnesses of other kinds pass.
func (t *Tx) CheckPolicy(r Rules) error {
	for i, w := range t.Witnesses {
		if w.Kind != accountv1.KeyKind_KEY_KIND_WEBAUTHN {
			continue
		}
		if err := r.check(i, w); err != nil {
			return err
		}
	}
	return nil
}

func (r Rules) check(i int, w *txv1.Witness) error {
	refuse := func(why string, kv ...any) error {
		return fault.New("account.not_authorised", fmt.Sprintf("The passkey signature %d does not count: %s.", i, why),
			append([]any{"witness", i}, kv...)...)
	}
	if r.RPID == "" {
		return refuse("this network takes no passkeys. Sign with another kind of key")
	}
	if len(w.AuthenticatorData) < MinAuthenticatorData {
		return refuse("its authenticator data is too short")
	}
	if sha256.Sum256([]byte(r.RPID)) != [32]byte(w.AuthenticatorData[:32]) {
		return refuse("it was made for another relying party than "+r.RPID+". Use a passkey registered there", "rp_id", r.RPID)
	}
	c, err := parseClientData(w.ClientDataJson)
	if err != nil {
		return refuse(err.Error())
	}
	if c.crossOrigin {
		return refuse("it was made in a page embedded in another site. Sign in a page of its own", "origin", c.origin)
	}
	for _, o := range r.Origins {
		if o == c.origin {
			return nil
		}
	}
	return refuse("it was made at an origin this network does not trust. Sign at one of the network's own pages",
		"origin", c.origin)
}

// verifyWebAuthn checks an assertion as Web Authentication section 7.2 does, save for the parts that need state, which
// are CheckPolicy's. It says what is wrong, or nothing. The counter is ignored: replay is excluded by the challenge.
func verifyWebAuthn(w *txv1.Witness, digest [32]byte) (why string) {
	c, err := parseClientData(w.ClientDataJson)
	if err != nil {
		return "has client data that cannot be read: " + err.Error()
	}
	if c.typ != "webauthn.get" {
		return "is no passkey assertion: its client data is not of type webauthn.get"
	}
	if c.challenge != base64.RawURLEncoding.EncodeToString(digest[:]) {
		return "answers the challenge of another transaction"
	}
	if why := checkAuthenticatorData(w.AuthenticatorData); why != "" {
		return why
	}
	client := sha256.Sum256(w.ClientDataJson)
	signed := make([]byte, 0, 256)
	signed = append(append(signed, w.AuthenticatorData...), client[:]...)
	if !verifyP256(w.PublicKey, sha256.Sum256(signed), w.Signature) {
		return "is not by this key over this transaction"
	}
	return ""
}

// checkAuthenticatorData checks length and flags. Data of an assertion is 37 bytes unless a flag says that more follows;
// what follows is signed but means nothing here.
func checkAuthenticatorData(d []byte) (why string) {
	if len(d) < MinAuthenticatorData {
		return "has authenticator data that is too short"
	}
	flags := d[32]
	switch {
	case flags&flagUserPresent == 0:
		return "was made without the user touching the passkey"
	case flags&flagUserVerified == 0:
		return "was made without the user proving who they are (fingerprint, face or PIN)"
	case flags&flagBackupState != 0 && flags&flagBackupEligible == 0:
		return "has authenticator data that contradicts itself about backup"
	case flags&(flagAttested|flagExtensions) == 0 && len(d) != MinAuthenticatorData:
		return "has authenticator data with bytes that no flag announces"
	}
	return ""
}
