package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/ledger/tx"
)

// verifyFlags are those of credential verify.
type verifyFlags struct {
	audience, nonce, evidence string
	schemas, issuers          []string
	currentKey, revocable     bool
	fresh                     time.Duration
	from                      anchorFlags
}

func credentialVerify(a *app) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify a credential or a presentation, without asking its issuer", Args: cobra.ExactArgs(1),
		Long: `Verifies that a credential is whole and in its time, that the key that acted for its issuer signed it, that the issuer had the right to issue it, and that it was not revoked.
With --aud and --nonce it verifies a presentation: that the holder made it for you, in answer to your request, lately. Without them nothing says who shows it.

It asks a node, whose word is taken for it. With --evidence it asks nobody: the file of dure credential prove has proofs, which are verified from the genesis file or a checkpoint, and
says how old they are. Exit code 3 when it does not hold.`,
		Example: `  dure credential verify shown.cred --aud https://shop.example --nonce 8f14e45f --schema resident
  dure credential verify alice.cred --evidence alice.proof --genesis genesis.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.verifyCredential(cmd, args[0], f) },
	}
	cmd.Flags().StringVar(&f.audience, "aud", "", "your name, which the presentation must be for")
	cmd.Flags().StringVar(&f.nonce, "nonce", "", "the random text that you asked it to answer")
	cmd.Flags().StringSliceVar(&f.schemas, "schema", nil, "what it must be: names of schemas, separated by commas (default any)")
	cmd.Flags().StringSliceVar(&f.issuers, "issuer", nil, "by whom it must be: addresses or names of keys (default anyone with the right)")
	cmd.Flags().BoolVar(&f.currentKey, "current-key", false, "refuse it if the issuer has changed its key since")
	cmd.Flags().BoolVar(&f.revocable, "revocable", false, "refuse it if it could not be revoked")
	cmd.Flags().StringVar(&f.evidence, "evidence", "", "file of proofs by dure credential prove: verify offline")
	cmd.Flags().DurationVar(&f.fresh, "fresh", 24*time.Hour, "with --evidence: how old the proofs may be")
	f.from.register(cmd)
	cmd.MarkFlagsRequiredTogether("aud", "nonce")
	return cmd
}

func (a *app) verifyCredential(cmd *cobra.Command, path string, f verifyFlags) error {
	_, text, err := readCredential(path)
	if err != nil {
		return err
	}
	check := credential.Check{Audience: f.audience, Nonce: f.nonce, Now: a.now(), Schemas: f.schemas, CurrentKey: f.currentKey, Revocable: f.revocable}
	for _, name := range f.issuers {
		p, err := a.party(name)
		if err != nil {
			return err
		}
		check.Issuers = append(check.Issuers, p.address)
	}
	ledger, err := a.credentialLedger(f)
	if err != nil {
		return err
	}
	v, err := credential.Verify(cmd.Context(), ledger, text, check)
	if err != nil {
		return refusal(err, "Do not rely on "+path+".")
	}
	return a.printVerified(filepath.Base(path), v)
}

// credentialLedger is what a credential is verified by: a node, or proofs in a file.
func (a *app) credentialLedger(f verifyFlags) (credential.Ledger, error) {
	if f.evidence == "" {
		c, err := a.ledger()
		if err != nil {
			return nil, err
		}
		return credential.Online(c), nil
	}
	anchor, err := a.anchor(f.from)
	if err != nil {
		return nil, err
	}
	file, err := readSmall(f.evidence, credential.MaxEvidence)
	if err != nil {
		return nil, err
	}
	evidence, err := credential.ReadEvidence(file, anchor, a.now().Add(-f.fresh))
	if err != nil {
		return nil, refusal(err, "Make it anew: dure credential prove.")
	}
	return evidence, nil
}

// verifiedCredential is the answer of credential verify.
type verifiedCredential struct {
	shownCredential
	Verified    bool   `json:"verified"`
	HolderShown bool   `json:"shown_by_holder"`
	KeyReplaced string `json:"issuer_key_replaced,omitempty"`
	RightOver   string `json:"right_over,omitempty"`
	RestsOn     string `json:"rests_on"`
}

func (a *app) printVerified(name string, v *credential.Verified) error {
	out := verifiedCredential{shownCredential: viewCredential(v.Credential), Verified: true, HolderShown: v.Presented, RightOver: v.Right.Over, RestsOn: v.Grounds}
	key := "acts for the issuer today"
	if !v.Key.Replaced.IsZero() {
		out.KeyReplaced = clockTime(v.Key.Replaced)
		key = "acted for the issuer when it was issued, and was replaced at " + out.KeyReplaced
	}
	return a.print(out, func(w io.Writer) {
		shown := "Its holder shows it to you, in answer to your request."
		if !v.Presented {
			shown = "Nothing says who shows it: ask for a presentation (--aud, --nonce)."
		}
		fmt.Fprintf(w, "VERIFIED: %s holds. %s\n", name, shown)
		right := "by vote of the members"
		if v.Right.Giver != (tx.Address{}) {
			right = "from " + a.short(v.Right.Giver.String())
		}
		right += ", until " + clockTime(v.Right.Ends)
		if v.Right.Over != "" {
			right += "; over since: " + v.Right.Over
		}
		printFacts(w, append(a.credentialFacts(v.Credential), fact{"issuer's key", key}, fact{"issuer's right", right}, fact{"rests on", v.Grounds}))
		fmt.Fprintln(w)
		printFields(w, v.Credential)
	})
}
