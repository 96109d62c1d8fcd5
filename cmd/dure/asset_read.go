package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func balanceText(b *apiv1.Balance) string {
	text := client.FormatUnits(b.GetAmount(), b.GetDecimals()) + " " + b.GetAsset()
	if held := b.GetHeld(); held != "" && held != "0" {
		text += " (and " + client.FormatUnits(held, b.GetDecimals()) + " set aside in holds)"
	}
	return text
}

func assetBalance(a *app) *cobra.Command {
	var height int64
	cmd := &cobra.Command{
		Use: "balance ASSET ACCOUNT", Short: "Show a balance, now or at an earlier height", Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeAssetAccount,
		Example: "  dure asset balance krw alice\n  dure asset balance krw alice --height 1200",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.party(args[1])
			if err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			balance, at, err := c.Balance(cmd.Context(), args[0], p.address, height)
			if err != nil {
				return err
			}
			if a.json {
				return a.print(&apiv1.GetBalanceResponse{Balance: balance, Height: at}, nil)
			}
			printFacts(a.out, []fact{{"account", p.String()}, {"balance", balanceText(balance)}, {"height", strconv.FormatInt(at, 10)}})
			return nil
		},
	}
	cmd.Flags().Int64Var(&height, "height", 0, "of this height, as long as the node keeps it; 0: now")
	return cmd
}

func assetList(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List assets", Args: cobra.NoArgs, Example: "  dure asset list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			return list[*apiv1.Asset]{
				heading: []string{"ASSET", "NAME", "OUTSTANDING", "ISSUER", "STATE"}, none: "No assets.", limit: limit,
				row: func(x *apiv1.Asset) []string {
					state := "moving"
					if x.GetPaused() {
						state = "paused"
					}
					return []string{x.GetAsset(), clean(x.GetName()), client.FormatUnits(x.GetSupply(), x.GetDecimals()), a.short(x.GetIssuer()), state}
				},
			}.show(a, c.Assets(cmd.Context()))
		},
	}
	limitFlag(cmd, &limit)
	return cmd
}

func assetShow(a *app) *cobra.Command {
	var holders bool
	var limit int
	cmd := &cobra.Command{
		Use: "show ASSET", Short: "Show an asset, or its holders", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeAssetArg,
		Example: "  dure asset show krw\n  dure asset show krw --holders",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			if holders {
				return list[*apiv1.Balance]{
					heading: []string{"ACCOUNT", "BALANCE"}, none: "Nobody holds it.", limit: limit,
					row: func(b *apiv1.Balance) []string { return []string{a.short(b.GetAccount()), balanceText(b)} },
				}.show(a, c.Balances(cmd.Context(), args[0], tx.Address{}))
			}
			x, err := a.asset(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.print(x, nil)
			}
			limit, state := "none", "moving"
			if x.GetCap() != "" {
				limit = client.FormatUnits(x.GetCap(), x.GetDecimals())
			}
			if x.GetPaused() {
				state = "paused by its issuer"
			}
			printFacts(a.out, []fact{{"asset", x.GetAsset()}, {"name", clean(x.GetName())}, {"issuer", x.GetIssuer()},
				{"decimals", fmt.Sprint(x.GetDecimals())}, {"outstanding", client.FormatUnits(x.GetSupply(), x.GetDecimals())}, {"cap", limit},
				{"state", state}, {"created", x.GetCreatedAt()}})
			return nil
		},
	}
	cmd.Flags().BoolVar(&holders, "holders", false, "list who holds it")
	limitFlag(cmd, &limit)
	return cmd
}

func assetHistory(a *app) *cobra.Command {
	var account, since, until, text, status string
	var limit int
	cmd := &cobra.Command{
		Use: "history ASSET", Short: "List transactions of an asset, newest first", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeAssetArg,
		Example: "  dure asset history krw --account alice --since 2026-11-01\n  dure asset history krw --text rent --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			query := &apiv1.ListTransactionsRequest{Asset: args[0], Text: text, Status: status}
			var err error
			if query.Account, err = a.addressOf(account); err != nil {
				return err
			}
			if query.Since, err = dayOrTime(since); err != nil {
				return err
			}
			if query.Until, err = dayOrTime(until); err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			return a.transactionList(cmd, limit).show(a, c.Transactions(cmd.Context(), query))
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "only those that touch this account: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("account", a.completeKeys))
	cmd.Flags().StringVar(&since, "since", "", "from this day or RFC 3339 time on")
	cmd.Flags().StringVar(&until, "until", "", "before this day or RFC 3339 time")
	cmd.Flags().StringVar(&text, "text", "", "with these words in memo or reference")
	cmd.Flags().StringVar(&status, "status", "", "ok or failed")
	must(cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions([]string{"ok", "failed"}, cobra.ShellCompDirectiveNoFileComp)))
	limitFlag(cmd, &limit)
	return cmd
}

// transactionList shows transactions, one line each.
func (a *app) transactionList(cmd *cobra.Command, limit int) list[*apiv1.Transaction] {
	return list[*apiv1.Transaction]{
		heading: []string{"TIME", "STATUS", "WHAT", "TRANSACTION"}, none: "No transactions.", limit: limit,
		row: func(t *apiv1.Transaction) []string {
			what := make([]string, 0, 2)
			for _, action := range t.GetActions() {
				if len(what) == 2 {
					what = append(what, fmt.Sprintf("and %d more", len(t.GetActions())-2))
					break
				}
				what = append(what, a.actionText(cmd.Context(), action))
			}
			return []string{t.GetOutcome().GetTime(), t.GetOutcome().GetStatus(), strings.Join(what, "; "), t.GetId()}
		},
	}
}
