package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how a node and its network are doing", Args: cobra.NoArgs, Example: "  dure status\n  dure status --node https://node.example --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			s, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) { printStatus(w, s, a.now()) })
		},
	}
}

func printStatus(w io.Writer, s *apiv1.GetStatusResponse, now time.Time) {
	state := "up to date"
	if s.GetCatchingUp() {
		state = "catching up with the others"
	}
	last := s.GetTime()
	if at, err := time.Parse(time.RFC3339Nano, last); err == nil && now.After(at) {
		last += " (" + now.Sub(at).Round(time.Second).String() + " ago)"
	}
	index := "up to date"
	if lag := s.GetHeight() - s.GetIndexHeight(); lag > 0 {
		index = plural(int(lag), "block") + " behind"
	}
	ready := ""
	if len(s.GetChecks()) > 0 {
		ready = "yes"
	}
	for _, c := range s.GetChecks() {
		if !c.GetOk() {
			ready = "no: see below"
		}
	}
	witnessed := "no checkpoint yet"
	if at := s.GetWitnessed(); at.GetHeight() > 0 {
		witnessed = fmt.Sprintf("height %d, by %d, of whom the network knows %d", at.GetHeight(), at.GetCosignatures(), at.GetKnown())
	}
	printFacts(w, []fact{
		{"network", s.GetNetwork()}, {"member", clean(s.GetMember())}, {"state", state}, {"height", strconv.FormatInt(s.GetHeight(), 10)}, {"last block", last},
		{"transactions", strconv.FormatUint(s.GetTransactions(), 10)},
		{"last minute", fmt.Sprintf("%.1f transactions/s, final after %.0f ms", s.GetTransactionsPerSecond(), s.GetFinalityMs())},
		{"peers", strconv.Itoa(int(s.GetPeers()))}, {"waiting", fmt.Sprintf("%d of %d", s.GetPoolTransactions(), s.GetPoolCapacity())}, {"index", index}, {"ready", ready}, {"witnessed", witnessed}, {"readings", keeps(s.GetReadingsKeepMs())},
		{"state root", s.GetStateRoot()}, {"history root", s.GetHistoryRoot()}, {"version", clean(s.GetVersion())},
	})
	for _, c := range s.GetChecks() {
		mark := "ok  "
		if !c.GetOk() {
			mark = "FAIL"
		}
		fmt.Fprintf(w, "check  %s  %-9s  %s\n", mark, clean(c.GetName()), clean(c.GetReason()))
	}
}

// keeps says for how long a node keeps what devices signed.
func keeps(ms int64) string {
	if ms == 0 {
		return "kept for ever"
	}
	return "erased " + spanText(ms) + " after they were anchored; outcomes and receipts stay"
}

func newTx(a *app) *cobra.Command {
	return parent("tx", "Transactions: show one, list or watch them", "", txShow(a), txList(a), txWatch(a))
}

func txShow(a *app) *cobra.Command {
	var wait bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show a transaction and its outcome", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Example: "  dure tx show 5f1c…\n  dure tx show 5f1c… --wait",
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := parseDigest(args[0], "transaction id"); err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			if wait {
				ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
				defer cancel()
				if _, err := c.Wait(ctx, args[0]); err != nil {
					if cmd.Context().Err() == nil && errors.Is(err, context.DeadlineExceeded) {
						return failed("Not committed within "+timeout.String()+".", "It may still be. Once a block later than its not_after is committed, it never will.")
					}
					return err
				}
			}
			t, err := c.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(t, func(w io.Writer) { a.printTransaction(cmd.Context(), w, t) })
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it is committed")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait")
	return cmd
}

// parseDigest reads 32 bytes in hex.
func parseDigest(text, what string) ([32]byte, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 32 {
		return [32]byte{}, usagef("%s %q: want 64 hex digits", what, text)
	}
	return [32]byte(raw), nil
}

func (a *app) printTransaction(ctx context.Context, w io.Writer, t *apiv1.Transaction) {
	o := t.GetOutcome()
	facts := []fact{{"transaction", t.GetId()}, {"status", o.GetStatus()}, {"height", fmt.Sprintf("%d, position %d", o.GetHeight(), o.GetPosition())},
		{"time", o.GetTime()}, {"valid until", t.GetNotAfter()}, {"once", t.GetOnce()}}
	if o.GetCode() != "" {
		facts = append(facts, fact{"refused", withCode(clean(o.GetMessage()), o.GetCode())}, fact{"at action", strconv.Itoa(int(o.GetAction()) + 1)})
	}
	if t.GetErased() {
		facts = append(facts, fact{"erased", withCode("The readings it carried, and its signatures, were erased on this node when the time for keeping readings was over (readings.keep). "+
			"Its outcome and its receipt are as they were.", "tx.erased")})
	}
	for i, action := range t.GetActions() {
		facts = append(facts, fact{fmt.Sprintf("action %d", i+1), a.actionText(ctx, action)})
	}
	for _, witness := range t.GetWitnesses() {
		facts = append(facts, fact{"signed by", a.short(witness.GetKey()) + ", " + witness.GetKind()})
	}
	printFacts(w, facts)
}

func txList(a *app) *cobra.Command {
	var account, digest, text, status string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List transactions, newest first", Args: cobra.NoArgs, Example: "  dure tx list --account alice\n  dure tx list --status failed --limit 10",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := &apiv1.ListTransactionsRequest{Digest: digest, Text: text, Status: status}
			var err error
			if query.Account, err = a.addressOf(account); err != nil {
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
	cmd.Flags().StringVar(&digest, "digest", "", "only those that name this document's digest")
	cmd.Flags().StringVar(&text, "text", "", "with these words in memo, reference or title")
	cmd.Flags().StringVar(&status, "status", "", "ok or failed")
	must(cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions([]string{"ok", "failed"}, cobra.ShellCompDirectiveNoFileComp)))
	limitFlag(cmd, &limit)
	return cmd
}

func txWatch(a *app) *cobra.Command {
	var account, asset, cursor string
	var count int
	cmd := &cobra.Command{
		Use: "watch", Short: "Print transactions as they are committed", Args: cobra.NoArgs,
		Long: `Prints transactions in order as they are committed, until Ctrl-C. When a node is lost it goes on at another: none is missed
and none comes twice. With --json each line has the cursor to go on from later.`,
		Example: "  dure tx watch\n  dure tx watch --account alice --json --cursor 0",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := &apiv1.WatchTransactionsRequest{Cursor: cursor, Asset: asset}
			var err error
			if query.Account, err = a.addressOf(account); err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			for event, err := range c.Watch(cmd.Context(), query) {
				if err != nil {
					if cmd.Context().Err() != nil {
						return nil // Ctrl-C is how a watch ends
					}
					return err
				}
				if err := a.printWatched(cmd.Context(), event); err != nil {
					return err
				}
				if count--; count == 0 {
					return nil
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "only those that touch this account: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("account", a.completeKeys))
	cmd.Flags().StringVar(&asset, "asset", "", "only those of this asset")
	must(cmd.RegisterFlagCompletionFunc("asset", a.completeAssets))
	cmd.Flags().StringVar(&cursor, "cursor", "", "where to go on; 0: from the beginning (default from now)")
	cmd.Flags().IntVar(&count, "count", 0, "stop after so many; 0: never")
	return cmd
}

func (a *app) printWatched(ctx context.Context, event *apiv1.WatchTransactionsResponse) error {
	return a.print(event, func(w io.Writer) {
		t := event.GetTransaction()
		for i, action := range t.GetActions() {
			if i == 0 {
				fmt.Fprintf(w, "%s  %-6s  %s  %s\n", t.GetOutcome().GetTime(), t.GetOutcome().GetStatus(), t.GetId(), a.actionText(ctx, action))
				continue
			}
			fmt.Fprintf(w, "%24s  %6s  %64s  %s\n", "", "", "", a.actionText(ctx, action))
		}
	})
}

func newBlock(a *app) *cobra.Command {
	show := &cobra.Command{
		Use: "show [HEIGHT]", Short: "Show a block, the newest by default", Args: cobra.MaximumNArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Example: "  dure block show\n  dure block show 1200",
		RunE: func(cmd *cobra.Command, args []string) error {
			height := int64(0)
			if len(args) == 1 {
				var err error
				if height, err = strconv.ParseInt(args[0], 10, 64); err != nil || height < 1 {
					return usagef("height %q: want a number from 1", args[0])
				}
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			b, err := c.Block(cmd.Context(), height)
			if err != nil {
				return err
			}
			return a.print(b, func(w io.Writer) {
				printFacts(w, []fact{{"height", strconv.FormatInt(b.GetHeight(), 10)}, {"time", b.GetTime()}, {"hash", b.GetHash()},
					{"proposer", clean(b.GetProposer())}, {"app hash", b.GetAppHash()}, {"batches", strconv.Itoa(int(b.GetBatches()))},
					{"transactions", strconv.Itoa(len(b.GetTransactions()))}})
				for _, id := range b.GetTransactions() {
					fmt.Fprintln(w, "  "+id)
				}
			})
		},
	}
	return parent("block", "Blocks", "", show)
}
