package main

import (
	"strconv"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func streamPayments(a *app) *cobra.Command {
	query := &apiv1.ListSettlementsRequest{}
	var device, since, until string
	var limit int
	cmd := &cobra.Command{
		Use: "payments [FEED]", Short: "List payments for readings, the last first", Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeFeedArg,
		Long: `Lists what was paid for the readings of a feed, of a device (--device), or of a device for a feed, by when the ledger paid it. FROM and TO are the time in
which the readings were on their way: taken, anchored, or both.`,
		Example: "  dure stream payments fleet.speed --since 2026-11-22 --until 2026-11-29\n  dure stream payments --device car-81",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				query.Feed = args[0]
			}
			var err error
			if query.Device, err = a.addressOf(device); err != nil {
				return err
			}
			if query.Feed == "" && query.Device == "" {
				return usage("payments of what? Name a feed, or a device with --device")
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
			return list[*apiv1.Settlement]{
				heading: []string{"TIME", "FEED", "DEVICE", "PAID", "FORFEITED", "AMOUNT", "FROM", "TO", "TRANSACTION"}, none: "No payments.", limit: limit,
				row: func(s *apiv1.Settlement) []string {
					return []string{s.GetTime(), s.GetFeed(), a.short(s.GetDevice()), strconv.FormatUint(s.GetPaid(), 10), strconv.FormatUint(s.GetForfeited(), 10),
						a.money(cmd.Context(), s.GetAsset(), s.GetAmount()), s.GetFirstAt(), s.GetLastAt(), s.GetTransaction()}
				},
			}.show(a, c.Settlements(cmd.Context(), query))
		},
	}
	cmd.Flags().StringVar(&device, "device", "", "only to this device: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("device", a.completeKeys))
	cmd.Flags().StringVar(&since, "since", "", "paid from this day or RFC 3339 time on")
	cmd.Flags().StringVar(&until, "until", "", "paid before this day or RFC 3339 time")
	limitFlag(cmd, &limit)
	return cmd
}
