package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
)

func accountHistory(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "history ACCOUNT", Short: "List what was done to an account, newest first", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long:    "Lists what was done to an account itself: its keys, sponsor, freezes, appeals and recoveries. Payments are not among it: dure tx list.",
		Example: "  dure account history alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			return list[*apiv1.AccountEvent]{
				heading: []string{"TIME", "WHAT", "TRANSACTION"}, none: "Nothing was done to it.", limit: limit,
				row: func(e *apiv1.AccountEvent) []string {
					return []string{e.GetTime(), a.accountEventText(e.GetEvent()), e.GetTransaction()}
				},
			}.show(a, c.AccountEvents(cmd.Context(), p.address))
		},
	}
	limitFlag(cmd, &limit)
	return cmd
}

func accountWatch(a *app) *cobra.Command {
	var cursor string
	cmd := &cobra.Command{
		Use: "watch [ACCOUNT]", Short: "Tell what is done to your account as it happens", Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Prints what is done to an account itself as it is committed, until Ctrl-C: that a recovery was begun, which its key may object to, that
it was frozen, that its key or sponsor changed. When a node is lost it goes on at another. With --json each line has the cursor to go on
from, so that a program that passes these on (by mail, by message) misses none.`,
		Example: "  dure account watch alice\n  dure account watch alice --json --cursor 1840",
		RunE: func(cmd *cobra.Command, args []string) error {
			given := ""
			if len(args) == 1 {
				given = args[0]
			}
			p, err := a.self(given)
			if err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			query := &apiv1.WatchTransactionsRequest{Account: p.address.String(), Cursor: cursor, Events: accountEvents()}
			for got, err := range c.Watch(cmd.Context(), query) {
				if err != nil {
					if cmd.Context().Err() != nil {
						return nil // Ctrl-C is how a watch ends
					}
					return err
				}
				if err := a.printAccountEvents(got, p.address.String()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&cursor, "cursor", "", "go on after this cursor of an earlier watch; 0 is the beginning (default now)")
	return cmd
}

// accountEvents are the names of the events about accounts themselves.
func accountEvents() (names []string) {
	kinds := (&ledgerv1.Event{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
	for i := range kinds.Len() {
		if what, ok := strings.CutPrefix(string(kinds.Get(i).Name()), "account_"); ok {
			names = append(names, "account."+what)
		}
	}
	return names
}

// printAccountEvents prints the events of a transaction that are about an account.
func (a *app) printAccountEvents(got *apiv1.WatchTransactionsResponse, account string) error {
	o := got.GetTransaction().GetOutcome()
	for _, e := range o.GetEvents() {
		if !strings.HasPrefix(e.GetName(), "account.") || e.GetFields().GetFields()["account"].GetStringValue() != account {
			continue
		}
		line := struct {
			Cursor      string         `json:"cursor"`
			Transaction string         `json:"transaction"`
			Time        string         `json:"time"`
			Event       string         `json:"event"`
			Fields      map[string]any `json:"fields"`
		}{got.GetCursor(), o.GetId(), o.GetTime(), e.GetName(), e.GetFields().AsMap()}
		if err := a.print(line, func(w io.Writer) { fmt.Fprintf(w, "%s  %s\n", o.GetTime(), a.accountEventText(e)) }); err != nil {
			return err
		}
	}
	return nil
}

// accountEventText says in words what an event of an account is.
func (a *app) accountEventText(e *apiv1.Event) string {
	d := described{app: a, fields: e.GetFields().GetFields()}
	switch e.GetName() {
	case "account.opened":
		return "opened, sponsored by " + d.account("sponsor")
	case "account.key_rotated":
		return "acts by the key " + d.text("key")
	case "account.frozen":
		what := "frozen by "
		if d.fields["renewal"].GetBoolValue() {
			what = "freeze renewed by "
		}
		return what + d.account("actor") + " until " + d.text("ends_at") + " on the ground of " + groundText(d.text("basis")) + suffix(": ", d.text("reason"))
	case "account.unfrozen":
		return "unfrozen"
	case "account.appealed":
		return "appealed: " + d.text("text")
	case "account.appeal_answered":
		return "appeal answered: " + d.text("text")
	case "account.recovery_set":
		return "who may recover it changes at " + d.text("effective_at")
	case "account.recovery_begun":
		if d.text("ready_at") == "" {
			return "RECOVERY to the key " + d.text("key") + " asked for by " + d.account("actor") + "; " + d.text("agreed") + " of the " + d.text("threshold") + " guardians it needs agree"
		}
		return "RECOVERY to the key " + d.text("key") + " by " + d.account("actor") + " can be finished from " + d.text("ready_at") +
			"; if the key is not lost, object: dure account recover object ACCOUNT"
	case "account.recovery_ended":
		return "recovery to the key " + d.text("key") + " ended by " + d.account("actor")
	case "account.recovered":
		return "recovered to the key " + d.text("key") + ", begun by " + d.account("begun_by")
	case "account.sponsor_changed":
		return "sponsored by " + d.account("sponsor") + " in place of " + d.account("former")
	}
	return e.GetName() + a.argumentText(e.GetFields())
}

// suffix is text after a separator, or nothing.
func suffix(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}
