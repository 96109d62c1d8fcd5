package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func accountRule(a *app) *cobra.Command {
	return parent("rule", "Rules over keys: several signers, limits, waiting times", `An account may act by a rule in the place of a single key: keys with weights, how much weight it takes to spend, to manage the rule, and for
anything else, limits of what is spent, who may receive, and what has to wait. docs/accounts.md is a guide.`,
		ruleShow(a), ruleSet(a), ruleLimit(a), ruleAllow(a))
}

func ruleShow(a *app) *cobra.Command {
	var asFile bool
	cmd := &cobra.Command{
		Use: "show ACCOUNT", Short: "Show the rule of an account and what is left of its limits", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: "  dure account rule show org\n  dure account rule show org --file > rule.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, rule, err := a.ruleOf(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asFile {
				f, err := a.ruleFileOf(cmd.Context(), rule)
				if err != nil {
					return err
				}
				return writeRuleFile(a.out, f)
			}
			return a.print(rule, func(out io.Writer) {
				fmt.Fprintf(out, "The rule of %s:\n", p)
				printFacts(out, a.ruleFacts(cmd.Context(), rule))
			})
		},
	}
	cmd.Flags().BoolVar(&asFile, "file", false, "print it as a file for dure account rule set")
	return cmd
}

func writeRuleFile(out io.Writer, f *ruleFile) error {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(f); err != nil {
		return err
	}
	_, err := out.Write(b.Bytes())
	return err
}

// ruleOf is the account and its rule, or a refusal if it has none.
func (a *app) ruleOf(ctx context.Context, account string) (party, *apiv1.AccountRule, error) {
	p, c, err := a.askAbout(account)
	if err != nil {
		return p, nil, err
	}
	found, err := c.Account(ctx, p.address)
	if err != nil {
		return p, nil, err
	}
	if found.GetRule() == nil {
		return p, nil, failed("Account "+p.String()+" acts by one key; it has no rule.", "Give it one with dure account rule set.")
	}
	return p, found.GetRule(), nil
}

// ruleFacts says what a rule says.
func (a *app) ruleFacts(ctx context.Context, rule *apiv1.AccountRule) []fact {
	var facts []fact
	for _, k := range rule.GetKeys() {
		facts = append(facts, fact{"key", fmt.Sprintf("%s, %s, weight %d", a.short(k.GetKey()), k.GetKind(), k.GetWeight())})
	}
	facts = append(facts, fact{"weight needed", fmt.Sprintf("%d to spend, %d to manage, %d for anything else", rule.GetSpend(), rule.GetManage(), rule.GetOther())})
	for _, l := range rule.GetLimits() {
		facts = append(facts, fact{"limit", a.limitText(ctx, l)})
	}
	for _, r := range rule.GetReceivers() {
		facts = append(facts, fact{"may receive", a.short(r)})
	}
	if rule.GetWaitMs() > 0 {
		what := "payments over the bounds above"
		if rule.GetManageWaits() {
			what += " and changes of the rule"
		}
		facts = append(facts, fact{"waiting time", spanText(rule.GetWaitMs()) + " for " + what})
	}
	return facts
}

func (a *app) limitText(ctx context.Context, l *apiv1.AccountLimit) string {
	var parts []string
	if l.GetPerTransaction() != "" {
		parts = append(parts, a.money(ctx, l.GetAsset(), l.GetPerTransaction())+" in a transaction")
	}
	if l.GetPerWindow() != "" {
		parts = append(parts, a.money(ctx, l.GetAsset(), l.GetPerWindow())+" in "+spanText(l.GetWindowMs())+", of which "+a.money(ctx, l.GetAsset(), l.GetLeft())+" are left")
	}
	if l.GetWaitOver() != "" {
		parts = append(parts, "over "+a.money(ctx, l.GetAsset(), l.GetWaitOver())+" waits")
	}
	return strings.Join(parts, "; ")
}

func ruleSet(a *app) *cobra.Command {
	var f writeFlags
	cmd := &cobra.Command{
		Use: "set ACCOUNT FILE", Short: "Let a rule over keys act for an account", Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeKeyArg,
		Long: `Puts the rule of a file, YAML or JSON, in the place of what acts for the account now, which signs. Every key that is new signs too: those of
the keystore do at once; for keys on other machines use --agree. Keys are names here, addresses of keys, or KIND:HEX as dure key export
--public prints them:

  keys:
    chair: 2
    cfo: 1
    clerk: 1
  spend: 2          # the chair, or the other two
  manage: 3         # the chair and one more
  other: 1          # anything else: anyone
  limits:
    krw: {per-transaction: 3000000, per-day: 10000000, wait-over: 1000000}
    gold: {per-window: 2.5, window: 7d}
  receivers: [landlord, payroll]
  wait: 24h         # after enough keys have approved
  manage-waits: true

To go back to one key, use dure account rotate-key.`,
		Example: "  dure account rule set org rule.yaml\n  dure account rule set org rule.yaml --propose \"The clerk has left\"\n  dure account rule set org rule.yaml --agree rule.agree",
		RunE: func(cmd *cobra.Command, args []string) error {
			content, err := readSmall(args[1], maxRuleFile)
			if err != nil {
				return err
			}
			file, err := readRuleFile(content)
			if err != nil {
				return usage(args[1] + ": " + err.Error())
			}
			return a.setRule(cmd.Context(), &f, args[0], file, "now acts by the rule of "+args[1])
		},
	}
	f.register(a, cmd)
	return cmd
}

// setRule gives an account a rule, signed by what acts for it now and by the new keys that are here.
func (a *app) setRule(ctx context.Context, f *writeFlags, account string, file *ruleFile, done string) error {
	w, err := a.begin(ctx, account)
	if err != nil {
		return err
	}
	rule, err := a.rule(ctx, file)
	if err != nil {
		return err
	}
	c, err := a.ledger()
	if err != nil {
		return err
	}
	present, err := c.Account(ctx, w.actor.address)
	if err != nil {
		return err
	}
	acts := map[string]bool{present.GetKey(): true}
	for _, k := range present.GetRule().GetKeys() {
		acts[k.GetKey()] = true
	}
	for _, k := range rule.GetKeys() {
		key := tx.Address(k.GetKey())
		if p := a.named(key); p.name != "" && !acts[key.String()] {
			signer, err := a.unlock(p.name)
			if err != nil {
				return err
			}
			w.signers = append(w.signers, signer)
		}
	}
	w.draft.SetRule(w.actor.address, rule)
	w.done = "Account " + w.actor.String() + " " + done
	return a.finish(ctx, f, w)
}

// changeRule gives an account its rule again, changed.
func (a *app) changeRule(ctx context.Context, f *writeFlags, account, done string, change func(*ruleFile) error) error {
	_, rule, err := a.ruleOf(ctx, account)
	if err != nil {
		return err
	}
	file, err := a.ruleFileOf(ctx, rule)
	if err != nil {
		return err
	}
	if err := change(file); err != nil {
		return err
	}
	return a.setRule(ctx, f, account, file, done)
}

func ruleLimit(a *app) *cobra.Command {
	var f writeFlags
	var limit limitFile
	var none bool
	var wait string
	cmd := &cobra.Command{
		Use: "limit ACCOUNT ASSET", Short: "Limit what an account with a rule spends of an asset", Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeKeyArg,
		Long: `Changes the limit of one asset in the rule of an account; the rest of the rule stays. What was spent in the window before counts on. What is
not given is no limit.`,
		Example: `  dure account rule limit org krw --per-day 10000000 --per-transaction 3000000
  dure account rule limit org krw --per-day 10000000 --wait-over 1000000 --wait 24h
  dure account rule limit org gold --per-window 2.5 --window 7d
  dure account rule limit org krw --none`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeRule(cmd.Context(), &f, args[0], "has another limit of "+args[1], func(file *ruleFile) error {
				if wait != "" {
					file.Wait = wait
				}
				if none {
					delete(file.Limits, args[1])
					return nil
				}
				if limit == (limitFile{}) {
					return usage("give an amount, or --none for no limit")
				}
				if file.Limits == nil {
					file.Limits = map[string]limitFile{}
				}
				file.Limits[args[1]] = limit
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&limit.PerTransaction, "per-transaction", "", "the most in one transaction")
	cmd.Flags().StringVar(&limit.PerDay, "per-day", "", "the most in any 24 hours")
	cmd.Flags().StringVar(&limit.PerWindow, "per-window", "", "the most in any span of --window")
	cmd.Flags().StringVar(&limit.Window, "window", "", "a span such as 1h or 7d")
	cmd.Flags().StringVar(&limit.WaitOver, "wait-over", "", "more than this in one transaction has to be proposed and to wait")
	cmd.Flags().StringVar(&wait, "wait", "", "how long that waits, for all assets: 90m, 24h, 3d (default as before)")
	cmd.Flags().BoolVar(&none, "none", false, "take the limit away")
	f.register(a, cmd)
	return cmd
}

func ruleAllow(a *app) *cobra.Command {
	var f writeFlags
	var anyone bool
	cmd := &cobra.Command{
		Use: "allow ACCOUNT [RECEIVER…]", Short: "Say who may receive from an account with a rule", Args: cobra.MinimumNArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Replaces the list of receivers in the rule of an account; the rest of the rule stays. For units that are redeemed the receiver is the
issuer, for a hold its payee, for a feed's funds its operator.`,
		Example: "  dure account rule allow org landlord payroll\n  dure account rule allow org --anyone",
		RunE: func(cmd *cobra.Command, args []string) error {
			if anyone == (len(args) > 1) {
				return usage("name the receivers, or give --anyone")
			}
			return a.changeRule(cmd.Context(), &f, args[0], "has another list of receivers", func(file *ruleFile) error {
				file.Receivers = args[1:]
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&anyone, "anyone", false, "take the list away")
	f.register(a, cmd)
	return cmd
}
