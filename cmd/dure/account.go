package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func newAccount(a *app) *cobra.Command {
	return parent("account", "Accounts: open, show, freeze, keys and rules, proposals, recovery", `An account is opened by a member, its sponsor, for a key. The sponsor vouches for it and can freeze it on a legal ground. In the
place of one key a rule over several may act for it. When the key is lost, guardians or the sponsor bring a new one.`,
		accountOpen(a), accountShow(a), accountList(a), accountHistory(a), accountWatch(a), accountRotate(a), accountRule(a),
		accountPropose(a), accountProposals(a), accountApprove(a), accountWithdraw(a), accountExecute(a), accountLock(a), accountUnlock(a),
		accountRecovery(a), accountRecover(a), accountFreeze(a), accountUnfreeze(a), accountAppeal(a), accountAnswer(a), accountSponsor(a))
}

func accountOpen(a *app) *cobra.Command {
	var sponsor string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "open KEY", Short: "Open the account of a key", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long:    "Opens the account of a key: the name of a key here, or KIND:HEX as dure key export --public prints it elsewhere. The sponsor, a member, signs.",
		Example: "  dure account open alice --sponsor bank\n  dure account open ed25519:3b6a…e29 --sponsor bank",
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := a.publicKey(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), sponsor)
			if err != nil {
				return err
			}
			w.draft.OpenAccount(w.actor.address, key)
			w.done = fmt.Sprintf("Opened account %s, sponsored by %s", key.Address(), w.actor)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.accountFlag(cmd, &sponsor, "sponsor", "the member that vouches for the account")
	f.register(a, cmd)
	return cmd
}

// publicKey reads the name of a key of the keystore, or KIND:HEX.
func (a *app) publicKey(text string) (tx.Key, error) {
	if k, err := a.keyNamed(text); err == nil {
		return k.Key, nil
	}
	key, err := parsePublic(text)
	if err != nil {
		return key, usagef("%q is neither a key of the keystore nor KIND:HEX", text)
	}
	return key, nil
}

func printAccount(w io.Writer, x *apiv1.Account) {
	state := "open"
	if x.GetFrozen() {
		state = "frozen until " + x.GetFrozenUntil()
		if x.GetFreezeReason() != "" {
			state += ": " + clean(x.GetFreezeReason())
		}
	}
	if x.GetLockedAt() != "" {
		state = "locked since " + x.GetLockedAt() + ": " + clean(x.GetLockReason())
	}
	key := x.GetKey()
	switch {
	case x.GetRule() != nil:
		key = "a rule over " + plural(len(x.GetRule().GetKeys()), "key")
	case key == x.GetAddress():
		key = "its own"
	}
	printFacts(w, []fact{{"account", x.GetAddress()}, {"state", state}, {"sponsor", x.GetSponsor()}, {"acts by key", key},
		{"kind of key", x.GetKeyKind()}, {"opened", x.GetOpenedAt()}})
}

func accountShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ACCOUNT", Short: "Show an account and its balances", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: "  dure account show alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			x, err := c.AccountDetails(cmd.Context(), p.address)
			if err != nil {
				return err
			}
			if a.json {
				return a.print(x.GetAccount(), nil)
			}
			account := x.GetAccount()
			printAccount(a.out, account)
			if account.GetRule() != nil {
				printFacts(a.out, a.ruleFacts(cmd.Context(), account.GetRule()))
			}
			for b, err := range c.Balances(cmd.Context(), "", p.address) {
				if err != nil {
					return err
				}
				printFacts(a.out, []fact{{"balance    ", balanceText(b)}})
			}
			a.printFreezes(a.out, x.GetFreezes())
			return nil
		},
	}
}

// kindText is the kind of the key that acts for an account, or that a rule does.
func kindText(x *apiv1.Account) string {
	if x.GetRule() != nil {
		return "rule"
	}
	return x.GetKeyKind()
}

func accountList(a *app) *cobra.Command {
	var sponsor string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List accounts", Args: cobra.NoArgs, Example: "  dure account list --sponsor bank",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var by party
			var err error
			if sponsor != "" {
				if by, err = a.party(sponsor); err != nil {
					return err
				}
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			return list[*apiv1.Account]{
				heading: []string{"ACCOUNT", "SPONSOR", "KEY", "STATE", "OPENED"}, none: "No accounts.", limit: limit,
				row: func(x *apiv1.Account) []string {
					state := "open"
					if x.GetFrozen() {
						state = "frozen"
					}
					if x.GetLockedAt() != "" {
						state = "locked"
					}
					return []string{x.GetAddress(), x.GetSponsor(), kindText(x), state, x.GetOpenedAt()}
				},
			}.show(a, c.Accounts(cmd.Context(), by.address))
		},
	}
	cmd.Flags().StringVar(&sponsor, "sponsor", "", "only those of this sponsor")
	must(cmd.RegisterFlagCompletionFunc("sponsor", a.completeKeys))
	limitFlag(cmd, &limit)
	return cmd
}

func limitFlag(cmd *cobra.Command, limit *int) {
	cmd.Flags().IntVar(limit, "limit", 50, "show at most so many; 0 shows all")
}

func accountRotate(a *app) *cobra.Command {
	var to string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "rotate-key ACCOUNT", Short: "Replace the key that acts for an account", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Aliases: []string{"rotate"},
		Long: `Replaces the key that acts for an account. The address stays. Both keys sign, so both must be in the keystore. From then on
give the account's address; the new key is found by itself. The new key may be of another kind: so an account goes to a post-quantum key.`,
		Example: "  dure key new alice-2\n  dure account rotate-key alice --to alice-2\n" +
			"  dure key new alice-pq --kind mldsa65\n  dure account rotate-key alice --to alice-pq",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			w, err := a.begin(ctx, args[0])
			if err != nil {
				return err
			}
			next, err := a.unlock(to)
			if err != nil {
				return err
			}
			w.draft.RotateKey(w.actor.address, next.Key())
			w.signers = append(w.signers, next)
			w.done = fmt.Sprintf("Account %s now acts by the key %s", w.actor.address, to)
			return a.finish(ctx, &f, w)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "name of the new key in the keystore (required)")
	must(cmd.MarkFlagRequired("to"))
	must(cmd.RegisterFlagCompletionFunc("to", a.completeKeys))
	f.register(a, cmd)
	return cmd
}
