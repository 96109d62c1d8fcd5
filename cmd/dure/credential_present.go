package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/openid4vp"
)

// presentFlags are those of credential present.
type presentFlags struct {
	disclose             []string
	audience, nonce, out string
	request              string
	yes                  bool
}

func credentialPresent(a *app) *cobra.Command {
	var f presentFlags
	cmd := &cobra.Command{
		Use: "present FILE...", Short: "Show fields of a credential to whoever asks for them", Args: cobra.MinimumNArgs(1),
		Long: `Makes a presentation of a credential: the fields named with --disclose, signed by the holder's key for one verifier (--aud) and one request (--nonce). Fields that cannot be withheld are
shown too; no others are. It is printed, or written to a file.

With --request it answers a site: the link of an OpenID4VP request, as the site's page or QR code has it. It says who asks for what, and what would be shown of which of the files, and
goes on when you type yes. If you do not, the site is told that you refuse, and nothing else.`,
		Example: `  dure credential present alice.cred --disclose district --aud https://shop.example --nonce 8f14e45f
  dure credential present alice.cred diploma.cred --request 'openid4vp://?client_id=…&request_uri=…'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.request != "" {
				return a.answerRequest(cmd.Context(), args, f)
			}
			if f.audience == "" || f.nonce == "" {
				return usage("say whom it is for and what it answers: --aud and --nonce, or --request")
			}
			if len(args) != 1 {
				return usage("one credential is presented at a time, unless it is to a --request")
			}
			return a.presentCredential(args[0], f)
		},
	}
	cmd.Flags().StringSliceVar(&f.disclose, "disclose", nil, "fields to show, as dure credential show names them, separated by commas")
	cmd.Flags().StringVar(&f.audience, "aud", "", "whom it is for, as the verifier says")
	cmd.Flags().StringVar(&f.nonce, "nonce", "", "the verifier's random text")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "file to write, readable by you alone (default: print it)")
	cmd.Flags().StringVar(&f.request, "request", "", "link of a site's request")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "with --request: agree without being asked, for scripts")
	cmd.MarkFlagsMutuallyExclusive("request", "disclose")
	cmd.MarkFlagsMutuallyExclusive("request", "aud")
	cmd.MarkFlagsMutuallyExclusive("request", "nonce")
	cmd.MarkFlagsMutuallyExclusive("request", "out")
	return cmd
}

func (a *app) presentCredential(path string, f presentFlags) error {
	c, _, err := readCredential(path)
	if err != nil {
		return err
	}
	if c.Holder == nil {
		return failed("The credential is bound to no key, so nobody can show that it is his.", "Ask the issuer for one that is.")
	}
	key, err := a.holderSigner(c.Holder)
	if err != nil {
		return err
	}
	shown, err := c.Present(key, f.disclose, f.audience, f.nonce, a.now())
	if err != nil {
		return err
	}
	return a.writeOut(f.out, shown)
}

// answerRequest is the wallet's side of OpenID4VP.
func (a *app) answerRequest(ctx context.Context, paths []string, f presentFlags) error {
	var held []*credential.Credential
	names := map[*credential.Credential]string{}
	for _, path := range paths {
		c, _, err := readCredential(path)
		if err != nil {
			return err
		}
		held, names[c] = append(held, c), path
	}
	c, err := a.ledger()
	if err != nil {
		return err
	}
	wallet := openid4vp.Wallet{Ledger: credential.Online(c), HTTP: openid4vp.HTTPClient()}
	request, err := wallet.Fetch(ctx, f.request, a.now())
	if err != nil {
		return refusal(err, "Nothing was shown.")
	}
	chosen, err := request.Query.Choose(held)
	if err != nil {
		return err
	}
	if !f.yes {
		a.printRequest(request, chosen, names)
		if err := a.confirm("Show this? Type yes: "); err != nil {
			if _, err := wallet.Refuse(ctx, request); err != nil {
				return err
			}
			return failed("Nothing was shown; the site was told that you do not agree.", "")
		}
	}
	next, err := wallet.Answer(ctx, request, chosen, a.holderSigner, a.now())
	if err != nil {
		return refusal(err, "Ask the site for a new request.")
	}
	return a.print(map[string]any{"site": request.Site(), "verifier": request.ClientID, "next": next}, func(w io.Writer) {
		fmt.Fprintf(w, "Shown to %s, which has taken it.\n", clean(request.Site()))
		printFacts(w, []fact{{"go on at", clean(next)}})
	})
}

func (a *app) printRequest(r *openid4vp.Request, chosen []openid4vp.Answer, names map[*credential.Credential]string) {
	who := "nobody has signed the request: known is only where the answer goes"
	if r.Verifier != nil {
		who = "account " + a.short(r.Verifier.Account.String()) + ", by its signature"
	}
	printFacts(a.err, []fact{{"site", clean(r.Site())}, {"asked by", who}})
	for _, answer := range chosen {
		printFacts(a.err, []fact{{"from", names[answer.Credential] + " (" + clean(answer.Credential.Schema) + " by " + a.short(answer.Credential.Issuer.Account.String()) + ")"},
			{"would show", clean(strings.Join(answer.Shown, ", "))}})
	}
}
