package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func accountRecovery(a *app) *cobra.Command {
	return parent("recovery", "Who may bring a new key to an account", `When a key is lost, guardians whom the account has chosen, or its sponsor if the account lets it, bring a new one. The account
may object while a waiting time passes.`,
		recoverySet(a), recoveryShow(a))
}

func recoverySet(a *app) *cobra.Command {
	var guardians, with []string
	var agree int
	var wait string
	var sponsor bool
	var f writeFlags
	cmd := &cobra.Command{
		Use: "set ACCOUNT", Short: "Set who may recover an account", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Sets guardians, at most 16, and how many of them must agree, how long the account may object, and whether the sponsor may recover
it alone. Without guardians and without --sponsor nobody can: a lost key is then lost. An account that has set nothing is
recovered by its sponsor alone, after 72 hours.

The change takes effect when the waiting time in force has passed, so that who steals the key cannot shake off the guardians;
or at once, if those who may recover the account now sign it too: --with, when their keys are here, else dure agree.`,
		Example: `  dure account recovery set alice --guardians mother,brother,firm --threshold 2 --wait 72h
  dure account recovery set alice --guardians mother,brother --threshold 1 --sponsor --with bank
  dure account recovery set alice --wait 24h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			rules := client.RecoveryRules{Threshold: agree, Sponsor: sponsor}
			var err error
			if rules.Wait, err = parseSpan(wait); err != nil {
				return err
			}
			for _, name := range guardians {
				p, err := a.party(name)
				if err != nil {
					return err
				}
				rules.Guardians = append(rules.Guardians, p.address)
			}
			w, err := a.begin(ctx, args[0])
			if err != nil {
				return err
			}
			w.draft.SetRecovery(w.actor.address, rules)
			if err := a.signWith(ctx, w, with); err != nil {
				return err
			}
			w.done = fmt.Sprintf("Set who may recover %s", w.actor)
			w.after = func(out io.Writer, o *apiv1.Outcome) {
				printFacts(out, []fact{{"takes effect", eventField(o, "account.recovery_set", "effective_at")}})
			}
			return a.finish(ctx, &f, w)
		},
	}
	cmd.Flags().StringSliceVar(&guardians, "guardians", nil, "accounts that may recover it: addresses or names of keys, with commas between")
	cmd.Flags().IntVar(&agree, "threshold", 0, "how many of the guardians must agree")
	cmd.Flags().StringVar(&wait, "wait", "72h", "how long the account may object: 1h to 30d")
	cmd.Flags().BoolVar(&sponsor, "sponsor", false, "let the sponsor recover it alone")
	a.withFlag(cmd, &with)
	must(cmd.RegisterFlagCompletionFunc("guardians", a.completeKeys))
	f.register(a, cmd)
	return cmd
}

// withFlag adds a flag for accounts that sign besides the one that acts.
func (a *app) withFlag(cmd *cobra.Command, with *[]string) {
	cmd.Flags().StringSliceVar(with, "with", nil, "accounts that sign too, with keys that are here")
	must(cmd.RegisterFlagCompletionFunc("with", a.completeKeys))
}

// signWith adds the signatures of accounts.
func (a *app) signWith(ctx context.Context, w *writing, accounts []string) error {
	for _, name := range accounts {
		p, err := a.party(name)
		if err != nil {
			return err
		}
		signer, err := a.signerFor(ctx, p, "")
		if err != nil {
			return err
		}
		w.signers = append(w.signers, signer)
	}
	return nil
}

// parseSpan reads a time such as 72h or 30d.
func parseSpan(text string) (time.Duration, error) {
	if span, ok := readSpan(text); ok && (span <= 366*24*time.Hour || !strings.HasSuffix(text, "d")) {
		return span, nil
	}
	return 0, usagef("%q is no time: want one such as 72h or 30d", text)
}

func recoveryShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ACCOUNT", Short: "Show who may recover an account, and a recovery that waits", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: "  dure account recovery show alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			x, err := c.AccountDetails(cmd.Context(), p.address)
			if err != nil {
				return err
			}
			return a.print(x.GetRecovery(), func(w io.Writer) { a.printRecovery(w, x.GetRecovery()) })
		},
	}
}

func (a *app) printRecovery(w io.Writer, r *apiv1.AccountRecovery) {
	if r == nil {
		fmt.Fprintln(w, "Nobody recovers a member's own account: its members vote it out.")
		return
	}
	printFacts(w, []fact{{"may recover", a.rescuers(r.GetRules())}, {"it may object for", spanText(r.GetRules().GetWaitMs())}})
	if next := r.GetNext(); next != nil {
		printFacts(w, []fact{{"from", r.GetNextAt()}, {"may recover", a.rescuers(next)}, {"it may object for", spanText(next.GetWaitMs())}})
	}
	q := r.GetRequest()
	if q == nil {
		fmt.Fprintln(w, "No recovery waits.")
		return
	}
	by := a.short(q.GetBegunBy())
	if q.GetBySponsor() {
		by += ", the sponsor, alone"
	}
	var agreed []string
	for _, g := range q.GetAgreed() {
		agreed = append(agreed, a.short(g))
	}
	ready := q.GetReadyAt()
	if ready == "" {
		ready = fmt.Sprintf("when %d guardians have agreed and it could object", r.GetRules().GetThreshold())
	}
	fmt.Fprintln(w, "A recovery waits.")
	printFacts(w, []fact{{"to the key", q.GetKey()}, {"begun", q.GetBegunAt()}, {"by", by}, {"agreed", strings.Join(agreed, ", ")}, {"can be finished", ready}, {"lapses", q.GetLapsesAt()}})
}

// rescuers says who may recover an account.
func (a *app) rescuers(r *apiv1.AccountRecoveryRules) string {
	var parts []string
	if n := len(r.GetGuardians()); n > 0 {
		names := make([]string, n)
		for i, g := range r.GetGuardians() {
			names[i] = a.short(g)
		}
		parts = append(parts, fmt.Sprintf("%d of %s", r.GetThreshold(), strings.Join(names, ", ")))
	}
	if r.GetSponsor() {
		parts = append(parts, "the sponsor alone")
	}
	if len(parts) == 0 {
		return "nobody"
	}
	return strings.Join(parts, "; or ")
}

func accountRecover(a *app) *cobra.Command {
	return parent("recover", "Bring a new key to an account whose key is lost", `A recovery is begun by a guardian or the sponsor, agreed to by as many guardians as must, and finished by anybody once the account
could object long enough.`,
		recoverBegin(a), recoverAgree(a), recoverObject(a), recoverFinish(a))
}

func recoverBegin(a *app) *cobra.Command {
	var by, to string
	var with []string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "begin ACCOUNT", Short: "Begin a recovery", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Begins the recovery of an account to a new key, which signs too. Guardians with keys here agree by --with; others do by
dure account recover agree. When the new key is on another machine than the guardian's, both sign by dure agree, with the action
{"actor": "mother", "account_recover": {"account": "0x8ba1…BA72", "kind": "KEY_KIND_ED25519", "public_key": "3b6a…e29"}}.`,
		Example: `  dure account recover begin alice --to alice-2 --by bank
  dure account recover begin 0x8ba1…BA72 --to alice-2 --by mother --with brother`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			p, err := a.party(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			next, err := a.unlock(to)
			if err != nil {
				return err
			}
			w.draft.Recover(w.actor.address, p.address, next.Key())
			w.signers = append(w.signers, next)
			if err := a.signWith(ctx, w, with); err != nil {
				return err
			}
			w.done = fmt.Sprintf("Began to recover %s to the key %s", p, to)
			w.after = func(out io.Writer, o *apiv1.Outcome) {
				printFacts(out, []fact{{"key", next.Key().Address().String()}})
				printProgress(out, o)
			}
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "a guardian of the account, or its sponsor")
	cmd.Flags().StringVar(&to, "to", "", "name of the new key in the keystore (required)")
	must(cmd.MarkFlagRequired("to"))
	must(cmd.RegisterFlagCompletionFunc("to", a.completeKeys))
	a.withFlag(cmd, &with)
	f.register(a, cmd)
	return cmd
}

// printProgress says how far a recovery is after somebody began it or agreed.
func printProgress(out io.Writer, o *apiv1.Outcome) {
	if ready := eventField(o, "account.recovery_begun", "ready_at"); ready != "" {
		printFacts(out, []fact{{"can be finished", ready}})
		return
	}
	printFacts(out, []fact{{"next", "more guardians agree: dure account recover agree"}})
}

func recoverAgree(a *app) *cobra.Command {
	var by, to string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "agree ACCOUNT", Short: "Agree to a recovery, as a guardian", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Agrees to a recovery to the key of this address and no other. Ask the owner, in person or by a voice you know, for the address of
the new key: who can make guardians agree to another takes the account.`,
		Example: "  dure account recover agree 0x8ba1…BA72 --to 0x52908400098527886E0F7030069857D2E4169EE7 --by brother",
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := tx.ParseAddress(to)
			if err != nil {
				return usagef("--to %q: want the address of the new key; dure account recovery show ACCOUNT says which waits", to)
			}
			return a.freezing(cmd, &f, by, args[0], func(w *writing, p party) {
				w.draft.AgreeRecovery(w.actor.address, p.address, key)
				w.done = fmt.Sprintf("%s agreed to recover %s", w.actor, p)
				w.after = printProgress
			})
		},
	}
	a.actorFlag(cmd, &by, "by", "the guardian")
	cmd.Flags().StringVar(&to, "to", "", "address of the new key (required)")
	must(cmd.MarkFlagRequired("to"))
	must(cmd.RegisterFlagCompletionFunc("to", cobra.NoFileCompletions))
	f.register(a, cmd)
	return cmd
}

func recoverObject(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "object ACCOUNT", Short: "End a recovery: object to that of your account, or take back one you have begun", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Ends the recovery that waits. The account's own key shows by it that it is not lost; after three objections within 30 days nobody
can begin another for a while. Whoever began the recovery takes it back with --by.`,
		Example: "  dure account recover object alice\n  dure account recover object 0x8ba1…BA72 --by bank",
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" {
				by = args[0]
			}
			return a.endRecovery(cmd, &f, by, args[0], func(w *writing, p party, key tx.Address) {
				w.draft.ObjectRecovery(w.actor.address, p.address, key)
				w.done = fmt.Sprintf("Ended the recovery of %s to the key %s", p, key)
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who has begun the recovery and takes it back (default: the account itself, which objects)")
	must(cmd.RegisterFlagCompletionFunc("by", a.completeKeys))
	f.register(a, cmd)
	return cmd
}

func recoverFinish(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "finish ACCOUNT", Short: "Let the new key act, after the waiting time", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long:    "Finishes the recovery that waits, once the account could object long enough. Any account may.",
		Example: "  dure account recover finish 0x8ba1…BA72 --by mother",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.endRecovery(cmd, &f, by, args[0], func(w *writing, p party, key tx.Address) {
				w.draft.FinishRecovery(w.actor.address, p.address, key)
				w.done = fmt.Sprintf("%s now acts by the key %s", p, key)
			})
		},
	}
	a.actorFlag(cmd, &by, "by", "any account")
	f.register(a, cmd)
	return cmd
}

// endRecovery makes a transaction of by about the recovery of an account that waits.
func (a *app) endRecovery(cmd *cobra.Command, f *writeFlags, by, account string, add func(*writing, party, tx.Address)) error {
	p, c, err := a.askAbout(account)
	if err != nil {
		return err
	}
	x, err := c.AccountDetails(cmd.Context(), p.address)
	if err != nil {
		return err
	}
	key, err := tx.ParseAddress(x.GetRecovery().GetRequest().GetKey())
	if err != nil {
		return failed("No recovery of "+p.String()+" waits.", "See who may begin one: dure account recovery show "+account+".")
	}
	w, err := a.begin(cmd.Context(), by)
	if err != nil {
		return err
	}
	add(w, p, key)
	return a.finish(cmd.Context(), f, w)
}

func accountSponsor(a *app) *cobra.Command {
	var to string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "sponsor ACCOUNT", Short: "Put an account under another sponsor", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Puts an account under another member. Both sign, here or, when the member's key is elsewhere, by dure agree with the action
{"actor": "alice", "account_set_sponsor": {"sponsor": "jeju"}}. The sponsor before is not asked, and may have left the network.`,
		Example: "  dure account sponsor alice --to jeju",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			sponsor, err := a.party(to)
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, args[0])
			if err != nil {
				return err
			}
			w.draft.SetSponsor(w.actor.address, sponsor.address)
			if err := a.signWith(ctx, w, []string{to}); err != nil {
				return err
			}
			w.done = fmt.Sprintf("%s is now sponsored by %s", w.actor, sponsor)
			return a.finish(ctx, &f, w)
		},
	}
	a.accountFlag(cmd, &to, "to", "the new sponsor, a member")
	f.register(a, cmd)
	return cmd
}
