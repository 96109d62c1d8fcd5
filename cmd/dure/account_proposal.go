package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func accountPropose(a *app) *cobra.Command {
	var transfers []string
	var actions string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "propose ACCOUNT --propose REASON", Short: "Propose payments or other actions of an account with a rule", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Proposes what the account shall do, for the keys of its rule to approve; a key of the rule here signs and approves it at once. All of it happens
together or not at all, when the approvals are enough and whatever has to wait has waited. Every command that writes proposes a single
action with --propose.`,
		Example: `  dure account propose org --propose "Wages of May" --transfer "alice 3000000 krw May" --transfer "bob 2800000 krw May"
  dure account propose org --propose "New feed" --actions feed.json --propose-until 3d`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if f.propose == "" {
				return usage("say what it is for with --propose")
			}
			w, err := a.begin(ctx, args[0])
			if err != nil {
				return err
			}
			for _, text := range transfers {
				if err := a.addTransfer(ctx, w.draft, w.actor.address.String()+" "+text); err != nil {
					return err
				}
			}
			if actions != "" {
				content, err := readSmall(actions, maxAgreement)
				if err != nil {
					return err
				}
				list, err := a.parseActions(content)
				if err != nil {
					return usage(actions + ": " + err.Error())
				}
				w.draft.Append(list...)
			}
			return a.finish(ctx, &f, w)
		},
	}
	cmd.Flags().StringArrayVar(&transfers, "transfer", nil, `a payment: "TO AMOUNT ASSET [MEMO]"; may be repeated`)
	cmd.Flags().StringVar(&actions, "actions", "", "JSON file with a list of actions, as for dure agree new")
	cmd.MarkFlagsOneRequired("transfer", "actions")
	f.register(a, cmd)
	return cmd
}

// proposalOutcome says what became of a proposal.
func (a *app) proposalOutcome(p party) func(io.Writer, *apiv1.Outcome) {
	return func(out io.Writer, o *apiv1.Outcome) {
		var facts []fact
		for _, e := range o.GetEvents() {
			fields := e.GetFields().GetFields()
			number := strconv.FormatFloat(fields["proposal"].GetNumberValue(), 'f', -1, 64)
			switch e.GetName() {
			case "account.proposed", "account.approved":
				facts = append(facts, fact{"proposal", number}, fact{"approved by", fmt.Sprintf("a weight of %.0f of %.0f",
					fields["weight"].GetNumberValue(), fields["needed"].GetNumberValue())})
				if fields["weight"].GetNumberValue() < fields["needed"].GetNumberValue() {
					facts = append(facts, fact{"next", "dure account approve " + p.address.String() + " " + number})
				}
			case "account.postponed":
				why := "enough keys approve, but it cannot be done yet: " + fields["code"].GetStringValue()
				if ready := fields["ready_at"].GetStringValue(); ready != "" {
					why = "enough keys approve; it has to wait until " + ready
				}
				facts = append(facts, fact{"state", why}, fact{"next", "dure account execute " + p.address.String() + " " + number})
			case "account.proposal_closed":
				if fields["done"].GetBoolValue() {
					facts = append(facts, fact{"state", "done: everything in proposal " + number + " has happened"})
				}
			}
		}
		printFacts(out, facts)
	}
}

func accountProposals(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "proposals ACCOUNT", Short: "List the open proposals of an account", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: "  dure account proposals org",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			list := []*apiv1.AccountProposal{}
			for found, err := range c.AccountProposals(ctx, p.address) {
				if err != nil {
					return err
				}
				list = append(list, found)
			}
			return a.print(list, func(out io.Writer) {
				if len(list) == 0 {
					fmt.Fprintln(out, "No open proposals.")
				}
				for i, found := range list {
					if i > 0 {
						fmt.Fprintln(out)
					}
					printFacts(out, a.proposalFacts(ctx, found))
				}
			})
		},
	}
}

func (a *app) proposalFacts(ctx context.Context, p *apiv1.AccountProposal) []fact {
	state := p.GetState()
	switch {
	case state == "open":
		state = fmt.Sprintf("approved by a weight of %d of %d", p.GetWeight(), p.GetNeeded())
	case state == "approved" && p.GetWaitsUntil() != "":
		state = "approved; what has to wait does so until " + p.GetWaitsUntil()
	}
	var approvals []string
	for _, key := range p.GetApprovals() {
		approvals = append(approvals, a.short(key))
	}
	facts := []fact{{"proposal", strconv.FormatUint(p.GetNumber(), 10)}, {"reason", clean(p.GetReason())}, {"state", state}}
	for _, action := range p.GetActions() {
		facts = append(facts, fact{"action", a.actionText(ctx, action)})
	}
	return append(facts, fact{"proposed by", a.short(p.GetProposer())}, fact{"approved by", strings.Join(approvals, ", ")}, fact{"expires", p.GetExpiresAt()})
}

// openProposal finds an open proposal of an account by its number.
func (a *app) openProposal(ctx context.Context, p party, text string) (*apiv1.AccountProposal, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, usagef("%q is no number of a proposal", text)
	}
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	for found, err := range c.AccountProposals(ctx, p.address) {
		if err != nil {
			return nil, err
		}
		if found.GetNumber() == number {
			return found, nil
		}
	}
	return nil, failed(fmt.Sprintf("Account %s has no open proposal %d.", p, number), "dure account proposals "+p.address.String()+" lists those there are.")
}

func accountApprove(a *app) *cobra.Command {
	var f writeFlags
	var yes bool
	cmd := &cobra.Command{
		Use: "approve ACCOUNT NUMBER", Short: "Approve a proposal, after showing it", Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeKeyArg,
		Long: `Shows the proposal, asks, and approves it with a key of the account's rule that has not yet. When the approvals are enough it happens at once,
unless it has to wait.`,
		Example: "  dure account approve org 3\n  dure account approve org 3 --key cfo --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			w, err := a.begin(ctx, args[0])
			if err != nil {
				return err
			}
			proposal, err := a.openProposal(ctx, w.actor, args[1])
			if err != nil {
				return err
			}
			if !yes {
				fmt.Fprintf(a.err, "You are about to approve, for %s:\n", w.actor)
				printFacts(a.err, a.proposalFacts(ctx, proposal))
				if err := a.confirm("Approve this? Type yes: "); err != nil {
					return err
				}
			}
			if f.key == "" {
				f.key = a.approver(ctx, w.actor, proposal)
			}
			w.draft.ApproveProposal(w.actor.address, proposal.GetNumber())
			w.done, w.alone, w.after = fmt.Sprintf("Approved proposal %d of %s", proposal.GetNumber(), w.actor), true, a.proposalOutcome(w.actor)
			return a.finish(ctx, &f, w)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	f.register(a, cmd)
	return cmd
}

// approver is the name of a key here that may approve a proposal and has not; empty if there is none.
func (a *app) approver(ctx context.Context, p party, proposal *apiv1.AccountProposal) string {
	_, rule, err := a.ruleOf(ctx, p.address.String())
	if err != nil {
		return "" // signing will say why
	}
	for _, k := range a.ruleKeys(rule) {
		approves := false
		for _, key := range proposal.GetApprovals() {
			approves = approves || key == k.GetKey()
		}
		if !approves {
			return k.name
		}
	}
	return ""
}

// onProposal is a command that does something to a proposal by its number.
func (a *app) onProposal(use, short, long, example, done string, add func(w *writing, number uint64)) *cobra.Command {
	var f writeFlags
	cmd := &cobra.Command{
		Use: use + " ACCOUNT NUMBER", Short: short, Long: long, Example: example, Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeKeyArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.ParseUint(args[1], 10, 64)
			if err != nil {
				return usagef("%q is no number of a proposal", args[1])
			}
			w, err := a.begin(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			add(w, number)
			w.done, w.alone, w.after = fmt.Sprintf(done, number, w.actor), true, a.proposalOutcome(w.actor)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	f.register(a, cmd)
	return cmd
}

func accountWithdraw(a *app) *cobra.Command {
	return a.onProposal("withdraw", "Take an approval back, or end a proposal",
		"The key that proposed it ends the proposal, and so does as much weight as managing the account takes; any other key takes its own approval back.",
		"  dure account withdraw org 3 --key cfo", "Withdrew from proposal %d of %s",
		func(w *writing, number uint64) { w.draft.WithdrawProposal(w.actor.address, number) })
}

func accountExecute(a *app) *cobra.Command {
	return a.onProposal("execute", "Do what enough keys have approved",
		"Needed only for a proposal that could not be done with its last approval: because it had to wait, or the balance was short.",
		"  dure account execute org 3", "Did proposal %d of %s",
		func(w *writing, number uint64) { w.draft.ExecuteProposal(w.actor.address, number) })
}

func accountLock(a *app) *cobra.Command {
	var f writeFlags
	var reason string
	cmd := &cobra.Command{
		Use: "lock ACCOUNT", Short: "Stop an account in an emergency, with any one key of its rule", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `From then on the account does nothing but manage its keys, whoever signs, and no proposal that does more is done. dure account unlock, with the
weight that managing takes, lifts it.`,
		Example: "  dure account lock org --reason 'a phone was stolen'",
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.begin(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			w.draft.LockAccount(w.actor.address, reason)
			w.done, w.alone = "Locked "+w.actor.String(), true
			return a.finish(cmd.Context(), &f, w)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, public, at most 256 bytes")
	f.register(a, cmd)
	return cmd
}

func accountUnlock(a *app) *cobra.Command {
	var f writeFlags
	cmd := &cobra.Command{
		Use: "unlock ACCOUNT", Short: "Let a locked account act again", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: "  dure account unlock org\n  dure account unlock org --propose 'the phone was found'",
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.begin(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			w.draft.UnlockAccount(w.actor.address)
			w.done = "Unlocked " + w.actor.String()
			return a.finish(cmd.Context(), &f, w)
		},
	}
	f.register(a, cmd)
	return cmd
}
