package main

import (
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func newID(a *app) *cobra.Command {
	return parent("id", "Schemas, who may issue them, and facts about accounts", `An organisation registers a schema of credentials. The members' vote gives the right to issue it, and who has the right may pass it on.
An issuer attests facts about accounts that rules on the ledger need and that are not personal: resident, accredited investor until a day, shop of a kind.`,
		idSchema(a), idLicence(a), idAttest(a), idWithdraw(a), idAttributes(a), idHas(a))
}

// factArgs reads ACCOUNT SCHEMA [VALUE].
func (a *app) factArgs(args []string) (p party, schema, value string, err error) {
	if len(args) == 3 {
		value = args[2]
	}
	p, err = a.party(args[0])
	return p, args[1], value, err
}

// factText is a schema and a value as people read them.
func factText(schema, value string) string {
	if value == "" {
		return clean(schema)
	}
	return clean(schema) + " " + clean(value)
}

func idAttest(a *app) *cobra.Command {
	var by, until string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "attest ACCOUNT SCHEMA [VALUE]", Short: "Attest a fact about an account", Args: cobra.RangeArgs(2, 3), ValidArgsFunction: a.completeKeys,
		Long: `Puts a fact about an account on the ledger, with an end. VALUE is one of the choices that the schema allows as facts; where the schema itself is the fact it is left out.
The fact holds while you have the right to issue the schema. Attested again, it gets another end.`,
		Example: "  dure id attest alice resident --until 365d --by gimpo\n  dure id attest bakery shop food --until 2027-12-31 --by gimpo",
		RunE: func(cmd *cobra.Command, args []string) error {
			account, schema, value, err := a.factArgs(args)
			if err != nil {
				return err
			}
			ends, err := parseUntil(until, a.now())
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.Attest(w.actor.address, account.address, schema, value, ends)
			w.done = "Attested of " + account.String() + ": " + factText(schema, value)
			w.after = func(out io.Writer, _ *apiv1.Outcome) { printFacts(out, []fact{{"until      ", clockTime(ends)}}) }
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the issuer")
	untilFlag(cmd, &until)
	f.register(a, cmd)
	return cmd
}

func untilFlag(cmd *cobra.Command, until *string) {
	cmd.Flags().StringVar(until, "until", "", "when it ends: 72h, 365d, 2027-12-31, or RFC 3339; at most ten years ahead (required)")
	must(cmd.MarkFlagRequired("until"))
}

func idWithdraw(a *app) *cobra.Command {
	var by, reason string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "withdraw ACCOUNT SCHEMA [VALUE]", Short: "Withdraw a fact you attested", Args: cobra.RangeArgs(2, 3), ValidArgsFunction: a.completeKeys,
		Long:    "Ends a fact that you attested. You can do so also when you have lost the right to the schema.",
		Example: "  dure id withdraw bakery shop food --reason ended --by gimpo",
		RunE: func(cmd *cobra.Command, args []string) error {
			why, err := readReason(reason)
			if err != nil {
				return err
			}
			account, schema, value, err := a.factArgs(args)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.WithdrawAttribute(w.actor.address, account.address, schema, value, why)
			w.done = "Withdrew of " + account.String() + ": " + factText(schema, value)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the issuer")
	whyFlag(cmd, &reason)
	f.register(a, cmd)
	return cmd
}

func idAttributes(a *app) *cobra.Command {
	var schema, issuer string
	var limit int
	cmd := &cobra.Command{
		Use: "attributes [ACCOUNT]", Short: "List facts about an account, or of an issuer", Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeKeys,
		Long:    "Lists what is and was attested of an account, or with --issuer by an organisation.",
		Example: "  dure id attributes bakery\n  dure id attributes bakery --schema shop\n  dure id attributes --issuer gimpo",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (issuer != "") || issuer != "" && schema != "" {
				return usage("want an ACCOUNT, alone or with --schema, or --issuer alone")
			}
			p, c, err := a.askAbout(strings.Join(args, "") + issuer)
			if err != nil {
				return err
			}
			var items iter.Seq2[*apiv1.Attribute, error]
			if issuer != "" {
				items = c.AttributesBy(cmd.Context(), p.address)
			} else {
				items = c.Attributes(cmd.Context(), p.address, schema)
			}
			return list[*apiv1.Attribute]{
				heading: []string{"FACT", "ACCOUNT", "ISSUER", "SINCE", "UNTIL", "NOW"}, none: "No facts.", limit: limit,
				row: func(t *apiv1.Attribute) []string {
					state := "holds"
					if !t.GetEffective() {
						state = clean(t.GetWhyNot())
					}
					return []string{factText(t.GetSchema(), t.GetValue()), a.short(t.GetAccount()), a.short(t.GetIssuer()), t.GetSince(), t.GetEndsAt(), state}
				},
			}.show(a, items)
		},
	}
	cmd.Flags().StringVar(&schema, "schema", "", "only those of this schema")
	cmd.Flags().StringVar(&issuer, "issuer", "", "those that this organisation attests: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("issuer", a.completeKeys))
	limitFlag(cmd, &limit)
	return cmd
}

func idHas(a *app) *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "has ACCOUNT SCHEMA [VALUE]", Short: "Ask whether a fact holds", Args: cobra.RangeArgs(2, 3), ValidArgsFunction: a.completeKeys,
		Long: `Says whether somebody entitled attests the fact, as rules on the ledger see it; without VALUE, whether any of the schema. Exit code 3 if not.
What was lost and given anew is not known for times before that.`,
		Example: "  dure id has alice resident\n  dure id has bakery shop food --at 2026-12-01T09:00:00Z",
		RunE: func(cmd *cobra.Command, args []string) error {
			account, schema, value, err := a.factArgs(args)
			if err != nil {
				return err
			}
			var when time.Time
			if at != "" {
				if when, err = time.Parse(time.RFC3339, at); err != nil {
					return usagef("--at %q: want a time such as 2026-11-22T09:30:00Z", at)
				}
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			answer, err := c.HasAttribute(cmd.Context(), account.address, schema, value, when)
			if err != nil {
				return err
			}
			if err := a.print(answer, func(w io.Writer) {
				if !answer.GetHas() {
					fmt.Fprintf(w, "NO: nobody entitled attests %s of %s at %s.\n", factText(schema, value), account, answer.GetAt())
					return
				}
				t := answer.GetAttribute()
				fmt.Fprintf(w, "Yes: %s, of %s at %s.\n", factText(schema, t.GetValue()), account, answer.GetAt())
				printFacts(w, []fact{{"issuer", a.short(t.GetIssuer())}, {"since", t.GetSince()}, {"until", t.GetEndsAt()}, {"transaction", t.GetTransaction()}})
			}); err != nil || answer.GetHas() {
				return err
			}
			return quietExit(exitNotVerified)
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "the time, RFC 3339 (default: now)")
	return cmd
}
