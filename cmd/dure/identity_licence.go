package main

import (
	"fmt"
	"io"
	"iter"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
)

func idLicence(a *app) *cobra.Command {
	return parent("licence", "Who may issue what", `The right to issue a schema is given by the members' vote, with an end. Who has it may pass it on to other organisations as often as the members allowed. When a giver loses it,
those below lose it too, and what they attested.`,
		licenceGive(a), licenceRevoke(a), licenceList(a))
}

func licenceGive(a *app) *cobra.Command {
	var by, until string
	var depth uint32
	var vote bool
	var f writeFlags
	cmd := &cobra.Command{
		Use: "give SCHEMA ORGANISATION", Short: "Give the right to issue a schema", Args: cobra.ExactArgs(2),
		Long: `Passes your own right on, for no longer and to be passed on less often than yours; with --vote a member proposes that the members give it. Given again it gets another end
and depth.`,
		Example: "  dure id licence give resident gimpo --until 365d --depth 1 --by bank --vote\n  dure network vote 7 --by insurer\n  dure id licence give resident gimpo-office --until 90d --by gimpo",
		RunE: func(cmd *cobra.Command, args []string) error {
			holder, err := a.party(args[1])
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
			if vote {
				a.decide(w, &identityv1.Decision{Kind: &identityv1.Decision_Give{Give: &identityv1.Give{
					Schema: args[0], Holder: holder.address[:], EndsAt: ends.UnixMilli(), Depth: depth}}}, "let "+holder.String()+" issue "+args[0])
			} else {
				w.draft.DelegateRight(w.actor.address, args[0], holder.address, ends, depth)
				w.done = holder.String() + " may issue " + args[0] + " until " + clockTime(ends)
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who gives it, or the member that proposes it")
	untilFlag(cmd, &until)
	cmd.Flags().Uint32Var(&depth, "depth", 0, "how many further times it may be passed on")
	voteFlag(cmd, &vote)
	f.register(a, cmd)
	return cmd
}

func licenceRevoke(a *app) *cobra.Command {
	var by, reason string
	var vote bool
	var f writeFlags
	cmd := &cobra.Command{
		Use: "revoke SCHEMA ORGANISATION", Short: "Take the right to issue a schema back", Args: cobra.ExactArgs(2),
		Long:    "For who gave it or has it; with --vote for the members, whoever gave it. What the organisation attested ends with it and does not come back.",
		Example: "  dure id licence revoke resident gimpo-office --reason compromised --by gimpo\n  dure id licence revoke resident gimpo --reason breach --by bank --vote",
		RunE: func(cmd *cobra.Command, args []string) error {
			why, err := readReason(reason)
			if err != nil {
				return err
			}
			holder, err := a.party(args[1])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			if vote {
				a.decide(w, &identityv1.Decision{Kind: &identityv1.Decision_Revoke{Revoke: &identityv1.Revoke{
					Schema: args[0], Holder: holder.address[:], Reason: why}}}, "take the right to issue "+args[0]+" back from "+holder.String())
			} else {
				w.draft.RevokeRight(w.actor.address, args[0], holder.address, why)
				w.done = holder.String() + " may not issue " + args[0] + " any more"
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who takes it back, or the member that proposes it")
	whyFlag(cmd, &reason)
	voteFlag(cmd, &vote)
	f.register(a, cmd)
	return cmd
}

func licenceList(a *app) *cobra.Command {
	var schema, holder string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List who may issue a schema, or what an organisation may issue", Args: cobra.NoArgs,
		Example: "  dure id licence list --schema resident\n  dure id licence list --of gimpo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			var items iter.Seq2[*apiv1.Right, error]
			if schema != "" {
				items = c.RightsTo(cmd.Context(), schema)
			} else {
				p, err := a.party(holder)
				if err != nil {
					return err
				}
				items = c.RightsOf(cmd.Context(), p.address)
			}
			return list[*apiv1.Right]{
				heading: []string{"SCHEMA", "ORGANISATION", "SINCE", "RIGHT"}, none: "Nobody may.", limit: limit,
				row: func(r *apiv1.Right) []string {
					return []string{clean(r.GetSchema()), a.short(r.GetHolder()), r.GetSince(), a.rightText(r)}
				},
			}.show(a, items)
		},
	}
	cmd.Flags().StringVar(&schema, "schema", "", "who may issue this schema")
	cmd.Flags().StringVar(&holder, "of", "", "what this organisation may issue: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("of", a.completeKeys))
	cmd.MarkFlagsOneRequired("schema", "of")
	cmd.MarkFlagsMutuallyExclusive("schema", "of")
	limitFlag(cmd, &limit)
	return cmd
}

// printProposal shows the number by which the members vote.
func (a *app) printProposal(out io.Writer, o *apiv1.Outcome) {
	if id, ok := proposalOf(o); ok {
		printFacts(out, []fact{{"proposal   ", fmt.Sprint(id)}, {"next       ", "dure network vote " + fmt.Sprint(id)}})
	}
}
