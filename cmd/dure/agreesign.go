package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

func agreeSign(a *app) *cobra.Command {
	var as, key string
	var yes bool
	cmd := &cobra.Command{
		Use: "sign FILE", Short: "Sign an agreement, after showing it", Args: cobra.ExactArgs(1),
		Long:    "Shows what is being signed, as the body says it, asks, and writes the file anew with the signature added.",
		Example: "  dure agree sign sale.agree --as seller",
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := readAgreement(args[0])
			if err != nil {
				return err
			}
			return a.signAgreement(cmd.Context(), args[0], g, as, key, yes)
		},
	}
	a.actorFlag(cmd, &as, "as", "the account to sign for")
	cmd.Flags().StringVar(&key, "key", "", "name of the key to sign with, when it is not the account's own")
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) signAgreement(ctx context.Context, path string, g *agreement, as, key string, yes bool) error {
	p, err := a.self(as)
	if err != nil {
		return err
	}
	acts := false
	for _, actor := range g.actors() {
		acts = acts || actor == p.address
	}
	if !acts && key == "" {
		return failed(p.String()+" is no party to this agreement.", "Name the account with --as; dure agree show lists the parties.")
	}
	if a.now().After(g.validUntil()) {
		return failed("The agreement expired "+clockTime(g.validUntil())+".", "Make a new one.")
	}
	if a.network != "" && a.network != g.network {
		return notVerified(errors.New("the agreement is for network "+g.network+", not for "+a.network), "")
	}
	if !yes {
		quiet := *a
		quiet.json, quiet.out = false, a.err // what is asked about is for the person, not for the program that reads JSON
		if err := quiet.showAgreement(ctx, g, "You are about to sign, as "+p.String()+":"); err != nil {
			return err
		}
		if err := a.confirm("Sign this? Type yes: "); err != nil {
			return err
		}
	}
	signer, err := a.agreementSigner(ctx, g, p, key)
	if errors.As(err, new(*client.Unreachable)) && p.name != "" {
		signer, err = a.unlock(p.name)
	}
	if err != nil {
		return err
	}
	if g.signedBy(signer.Key().Address()) {
		return a.showAgreement(ctx, g, "The file has this signature already:")
	}
	raw, err := tx.AddWitness(g.network, g.tx.Raw, signer)
	if err != nil {
		return err
	}
	if g, err = g.with(raw); err != nil {
		return err
	}
	if err := a.rewriteAgreement(ctx, path, g); err != nil {
		return err
	}
	return a.showAgreement(ctx, g, "Signed. "+path+" has the signature:")
}

// agreementSigner unlocks the key to sign with for a party: of a rule one that has not signed yet, if there is one.
func (a *app) agreementSigner(ctx context.Context, g *agreement, p party, key string) (tx.Signer, error) {
	if c, err := a.ledger(); err == nil && key == "" {
		if account, err := c.Account(ctx, p.address); err == nil && account.GetRule() != nil {
			for _, k := range a.ruleKeys(account.GetRule()) {
				if address, err := tx.ParseAddress(k.GetKey()); err == nil && !g.signedBy(address) {
					return a.unlock(k.name)
				}
			}
		}
	}
	return a.signerFor(ctx, p, key)
}

// rewriteAgreement replaces the file.
func (a *app) rewriteAgreement(ctx context.Context, path string, g *agreement) error {
	g.stored = a.summary(ctx, g)
	content, err := g.encode(g.stored)
	if err != nil {
		return err
	}
	return replaceFile(path, content)
}

// confirm asks a person and wants the word yes.
func (a *app) confirm(question string) error {
	fmt.Fprint(a.err, question)
	line, err := a.lines.ReadString('\n')
	if err != nil && (line == "" || !errors.Is(err, io.EOF)) {
		return usage("nobody is there to answer; use --yes to go on without asking")
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "yes" && answer != "y" {
		return failed("Not done.", "")
	}
	return nil
}
