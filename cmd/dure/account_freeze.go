package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// grounds are the words for the grounds of a freeze, with what they mean.
var grounds = []struct {
	word, meaning string
	basis         accountv1.Basis
}{
	{"court-order", "an order of a court", accountv1.Basis_BASIS_COURT_ORDER},
	{"supervisory-order", "an order of the supervisor or another authority", accountv1.Basis_BASIS_SUPERVISORY_ORDER},
	{"crime-report", "the report of a suspected crime", accountv1.Basis_BASIS_CRIME_REPORT},
	{"owner-request", "the owner's request", accountv1.Basis_BASIS_OWNER_REQUEST},
	{"sponsor-contract", "the contract between sponsor and owner", accountv1.Basis_BASIS_SPONSOR_CONTRACT},
}

func groundWords() (words []string) {
	for _, g := range grounds {
		words = append(words, g.word)
	}
	return words
}

// groundText is what a ground's name in the API, such as court_order, means.
func groundText(name string) string {
	for _, g := range grounds {
		if g.word == strings.ReplaceAll(name, "_", "-") {
			return g.meaning
		}
	}
	return clean(name)
}

func accountFreeze(a *app) *cobra.Command {
	var by, basis, reason, order, until string
	var renew bool
	var f writeFlags
	cmd := &cobra.Command{
		Use: "freeze ACCOUNT", Short: "Stop an account from acting", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Stops an account from acting, on a legal ground, until a time: then the freeze lifts by itself unless it is renewed. Who froze
it, why and until when is public. The account still receives, and may appeal: dure account appeal. The ground is one of
` + strings.Join(groundWords(), ", ") + `; the first two need the order, of which only the SHA-256 leaves this machine.`,
		Example: `  dure account freeze 0x8ba1…BA72 --by bank --basis owner-request --reason 'key reported lost' --until 7d
  dure account freeze 0x8ba1…BA72 --by bank --basis court-order --order order-2026-118.pdf --until 90d
  dure account freeze 0x8ba1…BA72 --by bank --basis court-order --order order-2026-118.pdf --until 90d --renew`,
		RunE: func(cmd *cobra.Command, args []string) error {
			freezing := client.Freezing{Reason: reason, Renew: renew}
			for _, g := range grounds {
				if g.word == basis {
					freezing.Basis = g.basis
				}
			}
			if freezing.Basis == accountv1.Basis_BASIS_UNSPECIFIED {
				return usagef("--basis %q: want one of %s", basis, strings.Join(groundWords(), ", "))
			}
			var err error
			if freezing.Until, err = parseUntil(until, a.now()); err != nil {
				return err
			}
			if freezing.Digest, err = a.paper(cmd.Context(), order); err != nil {
				return err
			}
			return a.freezing(cmd, &f, by, args[0], func(w *writing, p party) {
				w.draft.Freeze(w.actor.address, p.address, freezing)
				w.done = fmt.Sprintf("Froze %s until %s", p, clockTime(freezing.Until))
			})
		},
	}
	a.actorFlag(cmd, &by, "by", "the account's sponsor")
	cmd.Flags().StringVar(&basis, "basis", "", "legal ground: "+strings.Join(groundWords(), ", ")+" (required)")
	must(cmd.MarkFlagRequired("basis"))
	must(cmd.RegisterFlagCompletionFunc("basis", cobra.FixedCompletions(groundWords(), cobra.ShellCompDirectiveNoFileComp)))
	cmd.Flags().StringVar(&reason, "reason", "", "why, public, at most 256 bytes")
	cmd.Flags().StringVar(&order, "order", "", "the order: a file, or its SHA-256")
	cmd.Flags().StringVar(&until, "until", "30d", "when it lifts by itself: 12h, 30d, or a time in RFC 3339; at most 366 days")
	cmd.Flags().BoolVar(&renew, "renew", false, "take the place of the freeze that is in force")
	f.register(a, cmd)
	return cmd
}

// paper is the SHA-256 of a file, or one that is given; nil for no text.
func (a *app) paper(ctx context.Context, text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	digest, err := a.documentArg(ctx, text)
	return digest[:], err
}

func accountUnfreeze(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "unfreeze ACCOUNT", Short: "Let a frozen account act again", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: "  dure account unfreeze 0x8ba1…BA72 --by bank",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.freezing(cmd, &f, by, args[0], func(w *writing, p party) {
				w.draft.Unfreeze(w.actor.address, p.address)
				w.done = "Unfroze " + p.String()
			})
		},
	}
	a.actorFlag(cmd, &by, "by", "the account's sponsor")
	f.register(a, cmd)
	return cmd
}

// freezing makes a transaction of by about an account.
func (a *app) freezing(cmd *cobra.Command, f *writeFlags, by, account string, add func(*writing, party)) error {
	p, err := a.party(account)
	if err != nil {
		return err
	}
	w, err := a.begin(cmd.Context(), by)
	if err != nil {
		return err
	}
	add(w, p)
	return a.finish(cmd.Context(), f, w)
}

func accountAppeal(a *app) *cobra.Command {
	var text, paper string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "appeal ACCOUNT", Short: "Appeal against the freeze of your account", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Appeals against a freeze: the one thing that an account which is frozen may do, once for each freeze and renewal. The sponsor
cannot renew the freeze before it has answered. The text is public; of a paper only the SHA-256 leaves this machine.`,
		Example: "  dure account appeal alice --text 'I have the phone again' --paper police-report.pdf",
		RunE: func(cmd *cobra.Command, args []string) error {
			digest, err := a.paper(cmd.Context(), paper)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			w.draft.Appeal(w.actor.address, text, digest)
			w.done = fmt.Sprintf("%s appealed against its freeze", w.actor)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	pleaFlags(cmd, &text, &paper)
	f.register(a, cmd)
	return cmd
}

func accountAnswer(a *app) *cobra.Command {
	var by, text, paper string
	var lift bool
	var f writeFlags
	cmd := &cobra.Command{
		Use: "answer ACCOUNT", Short: "Answer the appeal of an account", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: `  dure account answer 0x8ba1…BA72 --by bank --text 'The court upheld its order' --paper decision.pdf
  dure account answer 0x8ba1…BA72 --by bank --text 'You are right' --lift`,
		RunE: func(cmd *cobra.Command, args []string) error {
			digest, err := a.paper(cmd.Context(), paper)
			if err != nil {
				return err
			}
			return a.freezing(cmd, &f, by, args[0], func(w *writing, p party) {
				w.draft.AnswerAppeal(w.actor.address, p.address, text, digest, lift)
				w.done = "Answered the appeal of " + p.String()
				if lift {
					w.done += " and unfroze it"
				}
			})
		},
	}
	a.actorFlag(cmd, &by, "by", "the account's sponsor")
	pleaFlags(cmd, &text, &paper)
	cmd.Flags().BoolVar(&lift, "lift", false, "unfreeze the account too")
	f.register(a, cmd)
	return cmd
}

func pleaFlags(cmd *cobra.Command, text, paper *string) {
	cmd.Flags().StringVar(text, "text", "", "what there is to say, public, at most 1024 bytes (required)")
	must(cmd.MarkFlagRequired("text"))
	cmd.Flags().StringVar(paper, "paper", "", "what shows it: a file, or its SHA-256")
}

// printFreezes says of each freeze who, why, from when and until when, and what came of an appeal.
func (a *app) printFreezes(w io.Writer, list []*apiv1.AccountFreeze) {
	for _, f := range list {
		state, ended := "freeze", f.GetEndedAt()
		if f.GetRenewal() {
			state = "renewal"
		}
		if ended == "" {
			ended = f.GetEndsAt()
		}
		if f.GetInForce() {
			state += " in force"
		}
		fmt.Fprintln(w)
		printFacts(w, []fact{{state, f.GetOrderedAt() + " to " + ended}, {"by", a.short(f.GetBy())}, {"on the ground of", groundText(f.GetBasis())}, {"reason", clean(f.GetReason())},
			{"order", f.GetDigest()}})
		if p := f.GetAppeal(); p != nil {
			answer := "none yet"
			if p.GetAnsweredAt() != "" {
				answer = p.GetAnsweredAt() + "  " + clean(p.GetAnswer())
			}
			printFacts(w, []fact{{"appeal", p.GetFiledAt() + "  " + clean(p.GetText())}, {"with paper", p.GetDigest()}, {"answer", answer}, {"answer's paper", p.GetAnswerDigest()}})
		}
	}
}
