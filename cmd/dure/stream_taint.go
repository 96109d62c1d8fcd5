package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func streamTaint(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "taint DEVICE", Short: "List what leaned on a device in its times of doubt", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long:    "Counts the readings of the times for which a device is in doubt, and lists the transactions that anchored them and the payments for them, the newest first.",
		Example: "  dure stream taint car-81",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			res, err := c.Taint(cmd.Context(), p.address)
			if err != nil {
				return err
			}
			return a.print(res, func(w io.Writer) { a.printTaint(cmd.Context(), w, p, res) })
		},
	}
}

func (a *app) printTaint(ctx context.Context, w io.Writer, device party, res *apiv1.TaintResponse) {
	if len(res.GetDoubts()) == 0 {
		fmt.Fprintln(w, device.String()+" is in doubt for no time.")
		return
	}
	for _, d := range res.GetDoubts() {
		printFacts(w, a.doubtFacts(d))
	}
	if len(res.GetFeeds()) == 0 {
		fmt.Fprintln(w, "\nNo reading of it leans on that.")
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nFEED\tACCEPTED\tLATE\tQUARANTINED\tFROM\tTO")
	for _, f := range res.GetFeeds() {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\n", f.GetFeed(), f.GetAccepted(), f.GetLate(), f.GetQuarantined(), f.GetFirstAt(), f.GetLastAt())
	}
	fmt.Fprintf(t, "\nANCHORS: %d\tREADINGS\tFEED\tTRANSACTION\n", res.GetAnchorCount())
	for _, n := range res.GetAnchors() {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", n.GetTime(), n.GetReadings(), n.GetFeed(), n.GetTransaction())
	}
	fmt.Fprintf(t, "\nPAYMENTS: %d\tPAID\tFORFEITED\tAMOUNT\tFEED\tTRANSACTION\n", len(res.GetSettlements()))
	for _, s := range res.GetSettlements() {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\n", s.GetTime(), s.GetPaid(), s.GetForfeited(), a.money(ctx, s.GetAsset(), s.GetAmount()), s.GetFeed(), s.GetTransaction())
	}
	_ = t.Flush()
}

// printSettled says what a settlement paid.
func (a *app) printSettled(ctx context.Context) func(io.Writer, *apiv1.Outcome) {
	return func(w io.Writer, o *apiv1.Outcome) {
		for _, e := range o.GetEvents() {
			if e.GetName() != "stream.settled" {
				continue
			}
			fields := e.GetFields().GetFields()
			number := func(name string) string { return fmt.Sprintf("%.0f", fields[name].GetNumberValue()) }
			printFacts(w, []fact{
				{"device     ", a.short(fields["device"].GetStringValue())}, {"paid       ", number("paid") + " readings, " +
					a.money(ctx, fields["asset"].GetStringValue(), orZero(fields["amount"].GetStringValue()))}, {"forfeited  ", number("forfeited") + " readings"},
			})
		}
	}
}

func orZero(amount string) string {
	if amount == "" {
		return "0"
	}
	return amount
}

// completeFeedArg completes a first argument that is a feed.
func (a *app) completeFeedArg(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeFrom(a, func(ctx context.Context, c *client.Client) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for f, err := range c.Feeds(ctx, &apiv1.ListFeedsRequest{}) {
				if !yield(f.GetFeed()+"\t"+clean(f.GetTitle()), err) {
					return
				}
			}
		}
	})
}

// completeFeedDevices completes a feed and then accounts.
func (a *app) completeFeedDevices(cmd *cobra.Command, args []string, part string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeFeedArg(cmd, args, part)
	}
	return a.completeKeys(cmd, args, part)
}
