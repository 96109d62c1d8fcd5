package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func orgService(a *app) *cobra.Command {
	return parent("service", "Services at which people sign in", `An organisation sets its service on the ledger: its name, the addresses at which people come back, the key by which it shows who it is, and what it may ask people for. People then sign
in at it by the provider of any member, also of one that joins later. Its client id is the organisation's account. docs/integrate-sign-in.md says how to write one.`,
		orgServiceSet(a), orgServiceShow(a), orgServiceList(a), orgServiceRemove(a))
}

func orgServiceSet(a *app) *cobra.Command {
	var by string
	var keys []string
	var app bool
	s := &identityv1.Service{}
	var f writeFlags
	cmd := &cobra.Command{
		Use: "set", Short: "Set the service of your organisation", Args: cobra.NoArgs,
		Long: `Sets the service of your organisation as a whole, in place of an earlier one. Everything of it is public.

--secret is a PEM file with the service's own key of P-256, by which it shows who it is (private_key_jwt). It is made if it is not there; only its public half goes to the ledger. Give
two to change from one to the other without a break. An app that can keep no secret has --app instead, and PKCE alone.

A provider sends people back to exactly the addresses given with --redirect, and nowhere else: https, or http at localhost while trying out.`,
		Example: "  dure org service set --by clinic --name-ko '두레 의원' --name-en 'Dure Clinic' --redirect https://clinic.example/callback --secret clinic.pem --ask phone --pairwise",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if app == (len(keys) > 0) {
				return usage("want --secret for a service that keeps one, or --app for an app that cannot")
			}
			for _, file := range keys {
				public, err := serviceKey(file)
				if err != nil {
					return err
				}
				s.Keys = append(s.Keys, public)
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.SetService(w.actor.address, s)
			w.done = "People may sign in at " + s.GetNameEn() + " by every member's provider"
			w.after = func(out io.Writer, _ *apiv1.Outcome) {
				printFacts(out, []fact{{"client id  ", w.actor.address.String()}})
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the organisation")
	cmd.Flags().StringVar(&s.NameKo, "name-ko", "", "its name for people in Korean, 1 to 64 bytes (required)")
	cmd.Flags().StringVar(&s.NameEn, "name-en", "", "its name for people in English, 1 to 64 bytes (required)")
	cmd.Flags().StringArrayVar(&s.RedirectUris, "redirect", nil, "address to which people come back (required); may be repeated")
	cmd.Flags().StringArrayVar(&s.PostLogoutRedirectUris, "after-logout", nil, "address to which people go after signing out; may be repeated")
	cmd.Flags().StringVar(&s.BackchannelLogoutUri, "backchannel-logout", "", "address that is told when a person signed out elsewhere")
	cmd.Flags().StringArrayVar(&s.MayAsk, "ask", nil, "item it may ask for: profile, phone, bank_account or account; may be repeated")
	cmd.Flags().BoolVar(&s.Pairwise, "pairwise", false, "it knows people by numbers that only it has, not by their accounts")
	cmd.Flags().StringArrayVar(&keys, "secret", nil, "PEM file of the service's key, made if it is not there; at most two")
	cmd.Flags().BoolVar(&app, "app", false, "it is an app that can keep no secret")
	for _, name := range []string{"name-ko", "name-en", "redirect"} {
		must(cmd.MarkFlagRequired(name))
	}
	f.register(a, cmd)
	return cmd
}

// serviceKey is the public half of the key in a PEM file, which is made if it is not there.
func serviceKey(path string) ([]byte, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := makeServiceKey(path); err != nil {
			return nil, failed("The key cannot be written to "+path+": "+err.Error()+".", "Choose another file.")
		}
	}
	raw, err := readSmall(path, 16<<10)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, usagef("--secret %s: want a PEM file with a key of P-256, or one that is not there yet", path)
	}
	var public any
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if own, ok := parsed.(*ecdsa.PrivateKey); err == nil && ok {
			public = &own.PublicKey
		}
	case "PUBLIC KEY":
		public, _ = x509.ParsePKIXPublicKey(block.Bytes)
	}
	key, err := tx.KeyOf(public)
	if _, ok := public.(*ecdsa.PublicKey); err != nil || !ok {
		return nil, usagef("--secret %s: want a PRIVATE KEY (PKCS #8) or a PUBLIC KEY of P-256", path)
	}
	return key.Public, nil
}

func makeServiceKey(path string) error {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(pem.Encode(out, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), out.Sync(), out.Close())
}

func orgServiceShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ORGANISATION", Short: "Show the service of an organisation", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys, Example: "  dure org service show clinic",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			s, err := c.Service(cmd.Context(), p.address)
			if err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) {
				knows := "by their accounts"
				if s.GetPairwise() {
					knows = "by numbers that only it has"
				}
				shows := "nothing: it is an app that can keep no secret"
				if n := len(s.GetKeys()); n > 0 {
					shows = plural(n, "key") + " of P-256"
				}
				printFacts(w, []fact{{"service", clean(s.GetNameKo()) + " · " + clean(s.GetNameEn())}, {"client id", s.GetAccount()}, {"organisation", clean(s.GetOrganisation())},
					{"people come back to", strings.Join(s.GetRedirectUris(), "\n")}, {"and after signing out", strings.Join(s.GetPostLogoutRedirectUris(), "\n")},
					{"is told of sign-outs", s.GetBackchannelLogoutUri()}, {"may ask for", strings.Join(s.GetMayAsk(), ", ")}, {"knows people", knows}, {"shows who it is by", shows},
					{"set", s.GetSetAt()}, {"transaction", s.GetTransaction()}})
			})
		},
	}
}

func orgServiceList(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List the services at which people sign in", Args: cobra.NoArgs, Example: "  dure org service list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			return list[*apiv1.Service]{
				heading: []string{"SERVICE", "ORGANISATION", "CLIENT ID", "MAY ASK FOR", "SET"}, none: "No services.", limit: limit,
				row: func(s *apiv1.Service) []string {
					return []string{fmt.Sprintf("%s · %s", clean(s.GetNameKo()), clean(s.GetNameEn())), clean(s.GetOrganisation()), s.GetAccount(), strings.Join(s.GetMayAsk(), ", "), s.GetSetAt()}
				},
			}.show(a, c.Services(cmd.Context()))
		},
	}
	limitFlag(cmd, &limit)
	return cmd
}

func orgServiceRemove(a *app) *cobra.Command {
	var by, reason string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "remove ORGANISATION", Short: "Take a service away", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long: `For the organisation, or the member that admitted it. Every member's provider refuses the service from the block that has this. Who dismisses the organisation (dure org dismiss) takes its
service away as well.`,
		Example: "  dure org service remove clinic --reason ended --by clinic",
		RunE: func(cmd *cobra.Command, args []string) error {
			why, err := readReason(reason)
			if err != nil {
				return err
			}
			account, err := a.party(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.RemoveService(w.actor.address, account.address, why)
			w.done = "Nobody signs in at the service of " + account.String() + " any more"
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who takes it away")
	whyFlag(cmd, &reason)
	f.register(a, cmd)
	return cmd
}
