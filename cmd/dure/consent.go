package main

import (
	"encoding/hex"
	"io"
	"iter"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func newConsent(a *app) *cobra.Command {
	return parent("consent", "What people agreed to", `A consent says on the ledger that an account agrees to what a document says, towards a recipient, until a time. Only the document's digest is on the ledger. Put a random
number of 16 bytes or more into the document, so that nobody finds out what it says by trying. Who agreed may withdraw at any time; everybody sees it in the next block.`,
		consentGive(a), consentWithdraw(a), consentList(a))
}

func consentGive(a *app) *cobra.Command {
	var by, to, until string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "give DOCUMENT", Short: "Agree to a document", Args: cobra.ExactArgs(1),
		Long:    "DOCUMENT is a file, which is read here and stays where it is, or its SHA-256 in 64 hex digits. Given again it gets another end.",
		Example: "  dure consent give terms.json --to bank --until 365d --by alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			digest, err := a.documentArg(ctx, args[0])
			if err != nil {
				return err
			}
			recipient, err := a.party(to)
			if err != nil {
				return err
			}
			ends, err := parseUntil(until, a.now())
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			w.draft.GiveConsent(w.actor.address, recipient.address, digest, ends)
			w.done = w.actor.String() + " agreed towards " + recipient.String()
			w.after = func(out io.Writer, _ *apiv1.Outcome) {
				printFacts(out, []fact{{"digest     ", hex.EncodeToString(digest[:])}, {"until      ", clockTime(ends)}})
			}
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who agrees")
	a.accountFlag(cmd, &to, "to", "the recipient")
	untilFlag(cmd, &until)
	f.register(a, cmd)
	return cmd
}

func consentWithdraw(a *app) *cobra.Command {
	var by, to string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "withdraw DOCUMENT", Short: "Withdraw a consent", Args: cobra.ExactArgs(1),
		Long:    "Ends what you agreed to. DOCUMENT is a file or its SHA-256, which dure consent list shows.",
		Example: "  dure consent withdraw terms.json --to bank --by alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			digest, err := a.documentArg(ctx, args[0])
			if err != nil {
				return err
			}
			recipient, err := a.party(to)
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			w.draft.WithdrawConsent(w.actor.address, recipient.address, digest)
			w.done = w.actor.String() + " withdrew the consent towards " + recipient.String()
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who agreed")
	a.accountFlag(cmd, &to, "to", "the recipient")
	f.register(a, cmd)
	return cmd
}

func consentList(a *app) *cobra.Command {
	var of, to string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List consents of a person, or towards a recipient", Args: cobra.NoArgs,
		Long:    "Lists what somebody agreed to, by default you, or with --to what was agreed towards a recipient; also what is withdrawn or has ended.",
		Example: "  dure consent list --of alice\n  dure consent list --to bank",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if of != "" && to != "" {
				return usage("want one of --of and --to")
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			var items iter.Seq2[*apiv1.Consent, error]
			if to != "" {
				recipient, err := a.party(to)
				if err != nil {
					return err
				}
				items = c.ConsentsTo(cmd.Context(), recipient.address)
			} else {
				person, err := a.self(of)
				if err != nil {
					return err
				}
				items = c.ConsentsOf(cmd.Context(), person.address)
			}
			return list[*apiv1.Consent]{
				heading: []string{"STATE", "PERSON", "RECIPIENT", "GIVEN", "UNTIL", "WITHDRAWN", "DIGEST"}, none: "No consents.", limit: limit,
				row: func(t *apiv1.Consent) []string {
					return []string{t.GetState(), a.short(t.GetPerson()), a.short(t.GetRecipient()), t.GetGivenAt(), t.GetEndsAt(), t.GetWithdrawnAt(), t.GetDigest()}
				},
			}.show(a, items)
		},
	}
	a.actorFlag(cmd, &of, "of", "who agreed")
	cmd.Flags().StringVar(&to, "to", "", "what was agreed towards this account: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("to", a.completeKeys))
	limitFlag(cmd, &limit)
	return cmd
}
