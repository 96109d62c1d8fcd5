package main

import (
	"crypto"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/openid4vp"
	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

func newCredential(a *app) *cobra.Command {
	return parent("credential", "Credentials: what an organisation says of its holder, kept by the holder", `A credential is a file that an organisation signs, such as a certificate of residence, and that its holder keeps. The holder shows the fields that are
needed, and no others, to whoever asks. Whoever verifies it asks the ledger, or a file of proofs, and never the issuer. Nothing of what it says is on the ledger.`,
		credentialIssue(a), credentialShow(a), credentialPresent(a), credentialVerify(a), credentialProve(a), credentialRevoke(a), credentialAsk(a), credentialStatus(a))
}

// readCredential reads the file of a credential or a presentation.
func readCredential(path string) (*credential.Credential, string, error) {
	b, err := readSmall(path, sdjwt.MaxText+64)
	if err != nil {
		return nil, "", err
	}
	text := strings.TrimSpace(string(b))
	c, err := credential.Read(text)
	if err != nil {
		return nil, "", notVerified(fmt.Errorf("%s: %w", path, err), "Ask who gave it to you for another copy.")
	}
	return c, text, nil
}

// holderSigner opens the private key of a credential's holder.
func (a *app) holderSigner(holder crypto.PublicKey) (crypto.Signer, error) {
	key, err := tx.KeyOf(holder)
	if err != nil {
		return nil, err
	}
	k := a.named(key.Address())
	if k.name == "" {
		return nil, failed("The credential is bound to the key "+key.Address().String()+", which is not in the keystore.", "Bring the key here (dure key import).")
	}
	return unlockWith(a, k.name, a.openDeviceKey)
}

// standardKey is a key in the standard library's form: Ed25519 and P-256 keys have one.
func standardKey(key tx.Key) (crypto.PublicKey, error) {
	public, err := credential.StandardKey(key)
	if err != nil {
		return nil, usage(fault.As(err).Message)
	}
	return public, nil
}

func credentialShow(a *app) *cobra.Command {
	var picture string
	cmd := &cobra.Command{
		Use: "show FILE", Short: "Show what a credential says, and which fields can be withheld", Args: cobra.ExactArgs(1),
		Long: `Shows what a credential says and which of its fields its holder may withhold when showing it. It opens the file only and verifies nothing: dure credential
verify does. It prints personal data, so mind who sees the screen. --png draws the credential itself as a QR code, for the holder's phone to take into its wallet.`,
		Example: "  dure credential show resident.cred\n  dure credential show --json resident.cred\n  dure credential show resident.cred --png resident.png",
		RunE: func(_ *cobra.Command, args []string) error {
			c, _, err := readCredential(args[0])
			if err != nil {
				return err
			}
			if picture != "" {
				if err := drawCredential(picture, c.String()); err != nil {
					return err
				}
			}
			return a.print(viewCredential(c), func(w io.Writer) {
				printFacts(w, a.credentialFacts(c))
				fmt.Fprintln(w)
				printFields(w, c)
			})
		},
	}
	cmd.Flags().StringVar(&picture, "png", "", "also write it as a QR code to this picture, readable by you alone; it must not exist")
	return cmd
}

// drawCredential writes a credential as a QR code.
func drawCredential(path, text string) error {
	code, err := openid4vp.QR(text)
	if err != nil {
		return failed(fmt.Sprintf("The credential has %d bytes, more than a QR code holds.", len(text)), "Give its holder the file.")
	}
	picture, err := code.PNG(6)
	if err != nil {
		return err
	}
	return writeNew(path, picture, 0o600)
}

// shownCredential is a credential as printed.
type shownCredential struct {
	Issuer    string             `json:"issuer"`
	Schema    string             `json:"schema"`
	SignedBy  string             `json:"signed_by"`
	Holder    string             `json:"holder,omitempty"`
	Issued    string             `json:"issued"`
	NotBefore string             `json:"not_before,omitempty"`
	Expires   string             `json:"expires,omitempty"`
	List      uint32             `json:"status_list,omitempty"`
	Index     uint32             `json:"status_index"`
	Presented bool               `json:"presented"`
	Fields    []credential.Field `json:"fields"`
}

func viewCredential(c *credential.Credential) shownCredential {
	out := shownCredential{Issuer: c.Issuer.Account.String(), Schema: c.Schema, SignedBy: c.Signer.Address().String(), Issued: clockTime(c.Issued), List: c.List, Index: c.Index,
		Presented: c.Binding != nil, Fields: c.Fields(), Holder: holderAddress(c)}
	if !c.NotBefore.IsZero() {
		out.NotBefore = clockTime(c.NotBefore)
	}
	if !c.Expires.IsZero() {
		out.Expires = clockTime(c.Expires)
	}
	return out
}

func holderAddress(c *credential.Credential) string {
	if c.Holder == nil {
		return ""
	}
	key, err := tx.KeyOf(c.Holder)
	if err != nil {
		return ""
	}
	return key.Address().String()
}

func (a *app) credentialFacts(c *credential.Credential) []fact {
	v := viewCredential(c)
	status := "none: it cannot be revoked"
	if c.List > 0 {
		status = fmt.Sprintf("entry %d of the issuer's list %d", c.Index, c.List)
	}
	holder := "nobody: anyone with a copy can show it"
	if v.Holder != "" {
		holder = "key " + a.short(v.Holder)
	}
	until := v.Expires
	if until == "" {
		until = "no end"
	}
	return []fact{{"credential", clean(v.Schema)}, {"issuer", a.short(v.Issuer)}, {"ledger", c.Issuer.Network}, {"bound to", holder}, {"issued", v.Issued}, {"valid from", v.NotBefore},
		{"valid until", until}, {"status", status}}
}

// printFields lists what it says of its holder.
func printFields(w io.Writer, c *credential.Credential) {
	var facts []fact
	for _, f := range c.Fields() {
		value, err := toJSON(f.Value)
		if err != nil {
			value = nil
		}
		text := clean(strings.Trim(string(value), `"`))
		if f.Hidden && c.Binding == nil {
			text += "  (may be withheld)"
		}
		facts = append(facts, fact{clean(f.Path), text})
	}
	if len(facts) == 0 {
		fmt.Fprintln(w, "It says nothing of its holder.")
		return
	}
	printFacts(w, facts)
}

// refusal makes exit code 3 of what speaks against a credential; other faults stay as they are.
func refusal(err error, advice string) error {
	if code := fault.Code(err); strings.HasPrefix(code, "credential.") || strings.HasPrefix(code, "presentation.") || strings.HasPrefix(code, "proof.") || strings.HasPrefix(code, "checkpoint.") {
		return notVerified(err, advice)
	}
	return err
}

// moment reads a time that a person types: a day, RFC 3339, or a span from now such as 90d or 36h.
func (a *app) moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); err == nil && n == 1 && text == fmt.Sprintf("%dd", days) && days > 0 && days < 100_000 {
		return a.now().AddDate(0, 0, days).Truncate(time.Second), nil
	}
	if span, err := time.ParseDuration(text); err == nil && span > 0 {
		return a.now().Add(span).Truncate(time.Second), nil
	}
	return time.Time{}, usagef("--%s %q: want a day (2027-03-31), a time (2027-03-31T15:00:00Z) or a span from now (365d, 36h)", flag, text)
}

// writePrivate writes a file for its owner alone; it must not exist.
func writePrivate(path, text string) error { return writeNew(path, []byte(text+"\n"), 0o600) }

// stdinFile is the name that stands for the standard input or output.
const stdinFile = "-"

// writeOut writes a presentation to a file for its owner alone, or prints it.
func (a *app) writeOut(path, text string) error {
	if path == "" || path == stdinFile {
		_, err := fmt.Fprintln(a.out, text)
		return err
	}
	if err := writePrivate(path, text); err != nil {
		return err
	}
	return a.print(map[string]any{"file": path, "bytes": len(text)}, func(w io.Writer) { fmt.Fprintf(w, "Wrote %s, readable by you alone.\n", path) })
}
