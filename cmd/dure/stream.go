package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func newStream(a *app) *cobra.Command {
	return parent("stream", "Feeds of signed readings, their values and what they pay", `A feed collects readings that devices sign. Its terms say what a reading must look like, how many sources a value needs and what a
reading earns; they never change. Every member checks every reading, and the ledger gives each a verdict: accepted, late,
quarantined or refused. Values, readings and payments know when a device is in doubt.`,
		streamOpen(a), streamClose(a),
		streamDevices(a, "admit", "Let devices report to a feed", "A device reports to as many feeds as admit it. 1 to 100 at once.",
			func(d *client.Draft, actor tx.Address, feed string, devices []tx.Address) {
				d.AdmitDevices(actor, feed, devices...)
			}),
		streamDismiss(a), streamFund(a), streamAppeal(a), streamDecide(a),
		streamDevices(a, "settle", "Pay devices what their readings have earned", `Pays what was anchored longer ago than the feed's time for disputes, unless the device is in doubt for when it was taken. Anybody
may ask for it. 1 to 100 at once.`,
			func(d *client.Draft, actor tx.Address, feed string, devices []tx.Address) {
				d.SettleFeed(actor, feed, devices...)
			}),
		streamList(a), streamShow(a), streamValue(a), streamReadings(a), streamReading(a), streamVerify(a), streamPayments(a), streamTaint(a))
}

func streamOpen(a *app) *cobra.Command {
	var by string
	var t termFlags
	var f writeFlags
	cmd := &cobra.Command{
		Use: "open FEED", Short: "Open a feed", Args: cobra.ExactArgs(1),
		Long: `Opens a feed of yours, named by 1 to 32 of a-z, 0-9, '.' and '-', from a letter on. Its terms are public and never change. Numbers are in the
feed's unit.`,
		Example: `  dure stream open fleet.speed --title "Fleet speed" --unit km/h --decimals 1 --least 0 --most 250 --max-rate 15 --min-sources 3 --max-deviation 20 --by insurer
  dure stream open site.power --title "Power" --unit kW --least 0 --most 500 --premium "10 krw" --dispute 1h --confirmed --by insurer`,
		RunE: func(cmd *cobra.Command, args []string) error {
			terms, err := t.terms(cmd.Context(), a)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.OpenFeed(w.actor.address, args[0], terms)
			w.done = "Opened the feed " + args[0] + " of " + w.actor.String()
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the feed's operator")
	t.register(cmd)
	f.register(a, cmd)
	return cmd
}

func streamClose(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "close FEED", Short: "Close a feed", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFeedArg,
		Long:    "Ends a feed of yours: it takes no readings any more. What was earned is still paid; what is left of its funds comes back once nothing waits.",
		Example: "  dure stream close fleet.speed --by insurer",
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.CloseFeed(w.actor.address, args[0])
			w.done = "Closed the feed " + args[0]
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the feed's operator")
	f.register(a, cmd)
	return cmd
}

// streamDevices is a command that does something with devices of a feed.
func streamDevices(a *app, use, short, long string, put func(d *client.Draft, actor tx.Address, feed string, devices []tx.Address)) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: use + " FEED DEVICE…", Short: short, Long: long, Args: cobra.MinimumNArgs(2), ValidArgsFunction: a.completeFeedDevices,
		Example: "  dure stream " + use + " fleet.speed car-81 car-82 --by insurer",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withDevices(cmd, &f, by, args, use, put)
		},
	}
	a.actorFlag(cmd, &by, "by", "who asks for it")
	f.register(a, cmd)
	return cmd
}

func (a *app) withDevices(cmd *cobra.Command, f *writeFlags, by string, args []string, what string,
	put func(d *client.Draft, actor tx.Address, feed string, devices []tx.Address)) error {
	var devices []tx.Address
	var names []string
	for _, arg := range args[1:] {
		p, err := a.party(arg)
		if err != nil {
			return err
		}
		devices, names = append(devices, p.address), append(names, p.String())
	}
	w, err := a.begin(cmd.Context(), by)
	if err != nil {
		return err
	}
	put(w.draft, w.actor.address, args[0], devices)
	w.done = args[0] + ": " + what + " " + strings.Join(names, ", ")
	w.after = a.printSettled(cmd.Context())
	return a.finish(cmd.Context(), f, w)
}

func streamDismiss(a *app) *cobra.Command {
	var by, reason string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "dismiss FEED DEVICE…", Short: "Let devices report no longer", Args: cobra.MinimumNArgs(2), ValidArgsFunction: a.completeFeedDevices,
		Long: "What they have earned is still paid.", Example: "  dure stream dismiss fleet.speed car-81 --reason 'sold' --by insurer",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withDevices(cmd, &f, by, args, "dismissed", func(d *client.Draft, actor tx.Address, feed string, devices []tx.Address) {
				d.DismissDevices(actor, feed, reason, devices...)
			})
		},
	}
	a.actorFlag(cmd, &by, "by", "the feed's operator")
	reasonFlag(cmd, &reason)
	f.register(a, cmd)
	return cmd
}

func streamFund(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "fund FEED AMOUNT", Short: "Add to what a feed pays premiums from", Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeFeedArg,
		Long:    "AMOUNT is in units of the asset of the feed's premium, such as 100,000. Anybody may.",
		Example: "  dure stream fund fleet.speed 100000 --by insurer",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			feed, err := a.feed(ctx, args[0])
			if err != nil {
				return err
			}
			asset := feed.GetPremium().GetAsset()
			if asset == "" {
				return failed("The feed "+args[0]+" pays no premiums, so it needs no funds.", "")
			}
			amount, err := a.amount(ctx, asset, args[1])
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			w.draft.FundFeed(w.actor.address, args[0], amount)
			w.done = "Gave " + a.money(ctx, asset, amount) + " to the feed " + args[0]
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who pays")
	f.register(a, cmd)
	return cmd
}

// feed asks for a feed's terms.
func (a *app) feed(ctx context.Context, name string) (*apiv1.Feed, error) {
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	res, err := c.Feed(ctx, name)
	return res.GetFeed(), err
}

func streamAppeal(a *app) *cobra.Command {
	var by, reason string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "appeal FEED DEVICE BOOT SEQUENCE", Short: "Ask the operator to look at a quarantined reading again", Args: cobra.ExactArgs(4),
		ValidArgsFunction: a.completeFeedDevices,
		Long:              "The device, its owner and its maker may appeal until the deadline that dure stream show tells. The operator then has as long again to decide.",
		Example:           "  dure stream appeal fleet.speed car-81 4 1207 --reason 'emergency braking' --by alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, device, err := a.readingID(args)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.AppealReading(w.actor.address, id, reason)
			w.done = fmt.Sprintf("Appealed for reading %d of start %d of %s", id.Sequence, id.Boot, device)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the device, its owner or its maker")
	reasonFlag(cmd, &reason)
	f.register(a, cmd)
	return cmd
}

func streamDecide(a *app) *cobra.Command {
	var by, reason string
	var accept, reject bool
	var f writeFlags
	cmd := &cobra.Command{
		Use: "decide FEED DEVICE BOOT SEQUENCE", Short: "Decide about a quarantined reading", Args: cobra.ExactArgs(4), ValidArgsFunction: a.completeFeedDevices,
		Long:    "What is accepted is paid like the others; it never becomes the feed's value. What nobody decides is rejected when its deadline has passed.",
		Example: "  dure stream decide fleet.speed car-81 4 1207 --accept --reason 'video shows it' --by insurer",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, device, err := a.readingID(args)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.DecideReading(w.actor.address, id, accept, reason)
			verb := "Rejected"
			if accept {
				verb = "Accepted"
			}
			w.done = fmt.Sprintf("%s reading %d of start %d of %s", verb, id.Sequence, id.Boot, device)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the feed's operator")
	cmd.Flags().BoolVar(&accept, "accept", false, "it counts after all")
	cmd.Flags().BoolVar(&reject, "reject", false, "it does not count")
	cmd.MarkFlagsMutuallyExclusive("accept", "reject")
	cmd.MarkFlagsOneRequired("accept", "reject")
	reasonFlag(cmd, &reason)
	f.register(a, cmd)
	return cmd
}

// readingID reads FEED DEVICE BOOT SEQUENCE.
func (a *app) readingID(args []string) (id client.ReadingID, device party, err error) {
	if device, err = a.party(args[1]); err != nil {
		return id, device, err
	}
	id = client.ReadingID{Feed: args[0], Device: device.address}
	if id.Boot, err = count("BOOT", args[2]); err != nil {
		return id, device, err
	}
	id.Sequence, err = count("SEQUENCE", args[3])
	return id, device, err
}

func count(what, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, usagef("%s %q: want a whole number from 1 on", what, text)
	}
	return n, nil
}
