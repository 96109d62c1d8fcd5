package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func assetHold(a *app) *cobra.Command {
	var from, payee, arbiter, until string
	var f writeFlags
	var n noteFlags
	cmd := &cobra.Command{
		Use: "hold ASSET AMOUNT", Short: "Set units aside for a payee", Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeAssetArg,
		Long: `Sets units aside: the payer cannot spend them, the payee does not have them yet. The arbiter (the payer, unless named)
decides how much the payee gets. From the expiry on the payer may take them back.`,
		Example: "  dure asset hold krw 50,000 --from alice --payee shop --until 72h\n  dure asset hold eur 900.00 --from buyer --payee seller --arbiter notary --until 2026-12-24",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			expires, err := parseUntil(until, a.now())
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, from)
			if err != nil {
				return err
			}
			to, err := a.party(payee)
			if err != nil {
				return err
			}
			var judge party
			if arbiter != "" {
				if judge, err = a.party(arbiter); err != nil {
					return err
				}
			}
			units, err := a.amount(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			w.draft.Hold(w.actor.address, to.address, judge.address, args[0], units, expires, n.notes()...)
			w.done = "Set aside " + a.money(ctx, args[0], units) + " of " + w.actor.String() + " for " + to.String()
			w.after = func(out io.Writer, o *apiv1.Outcome) {
				printFacts(out, []fact{{"hold       ", eventField(o, "asset.held", "hold")}, {"expires    ", clockTime(expires)}})
			}
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &from, "from", "who pays")
	a.accountFlag(cmd, &payee, "payee", "for whom")
	cmd.Flags().StringVar(&arbiter, "arbiter", "", "who decides: address or name of a key (default the payer)")
	must(cmd.RegisterFlagCompletionFunc("arbiter", a.completeKeys))
	cmd.Flags().StringVar(&until, "until", "", "when it expires: 72h, 30d, 2026-12-24, or RFC 3339 (required)")
	must(cmd.MarkFlagRequired("until"))
	n.register(cmd)
	f.register(a, cmd)
	return cmd
}

// parseUntil reads a point in time ahead: a span from now, a day (its end in local time), or RFC 3339.
func parseUntil(text string, now time.Time) (time.Time, error) {
	if span, ok := readSpan(text); ok {
		return now.Add(span), nil
	}
	if day, err := time.ParseInLocation("2006-01-02", text, time.Local); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Millisecond), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	return time.Time{}, usagef("%q is no time: want a span such as 72h or 30d, a day such as 2026-12-24, or RFC 3339", text)
}

func parseHold(text string) (hold [16]byte, err error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(raw) != 16 {
		return hold, usagef("hold %q: want 32 hex digits, as dure asset holds lists them", text)
	}
	return [16]byte(raw), nil
}

func assetRelease(a *app) *cobra.Command {
	var by, pay string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "release HOLD", Short: "End a hold: pay the payee, return the rest", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeHoldArg,
		Long: `Ends a hold. Without --pay everything goes to the payee; with --pay 0 everything goes back. Before it expires the arbiter may
choose any amount and the payee may only give it back; after, the payer may take it back.`,
		Example: "  dure asset release 3f2a…91 --by notary --pay 450.00",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			id, err := parseHold(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			hold, err := c.HoldInfo(ctx, id)
			if err != nil {
				return err
			}
			units := hold.GetAmount()
			if pay != "" {
				if units, err = a.amount(ctx, hold.GetAsset(), pay); err != nil {
					return err
				}
			}
			w.draft.Release(w.actor.address, id, units)
			w.done = a.releaseText(ctx, hold, units)
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who decides: the arbiter, or the payer once expired")
	cmd.Flags().StringVar(&pay, "pay", "", "how much the payee gets (default everything)")
	f.register(a, cmd)
	return cmd
}

func (a *app) releaseText(ctx context.Context, hold *apiv1.Hold, pay string) string {
	return fmt.Sprintf("Ended the hold of %s: %s goes to %s, the rest back to %s", a.money(ctx, hold.GetAsset(), hold.GetAmount()),
		a.money(ctx, hold.GetAsset(), pay), hold.GetPayee(), hold.GetPayer())
}

func assetHolds(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "holds ACCOUNT", Short: "List open holds of an account, as payer, payee or arbiter", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: "  dure asset holds alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			return list[*apiv1.Hold]{
				heading: []string{"HOLD", "AMOUNT", "PAYER", "PAYEE", "ARBITER", "EXPIRES", "MEMO"}, none: "No open holds.", limit: limit,
				row: func(h *apiv1.Hold) []string {
					return []string{h.GetHold(), a.money(ctx, h.GetAsset(), h.GetAmount()), a.short(h.GetPayer()), a.short(h.GetPayee()),
						a.short(h.GetArbiter()), h.GetExpiresAt(), clean(h.GetMemo())}
				},
			}.show(a, c.Holds(ctx, p.address))
		},
	}
	limitFlag(cmd, &limit)
	return cmd
}

// short shows an address as the name of a key of the keystore, if it has one.
func (a *app) short(address string) string {
	parsed, err := tx.ParseAddress(address)
	if err != nil || a.nameless {
		return clean(address)
	}
	if p := a.named(parsed); p.name != "" {
		return p.name
	}
	return address
}
