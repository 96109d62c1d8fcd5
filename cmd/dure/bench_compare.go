package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench"
)

// benchCompare is a comparison of payments as asked for.
type benchCompare struct {
	bench.Comparison
	benchNetwork
}

func newBenchCompare(a *app) *cobra.Command {
	b := &benchCompare{}
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Compare payments among many accounts with payments among few",
		Long: `Starts two networks that are the same but for how many accounts pay each other, and loads them in turns as "dure bench
payments" does, so that both meet the machine as it happens to be: a rented one may be a third slower a quarter of an hour later. The
network that is not under load does nothing meanwhile. Under saturation a payment waits some seconds for its block, so turns of less than 20
seconds differ by which blocks end in them. It reports what each committed, what the one committed of the other, and what a
payment takes of the members' processor time in each. With --dir the second network is kept beside that folder, under its name with
"-against". A check that fails on either fails the run.`,
		Example: `  dure bench compare --accounts 1000000 --against 10000 --json out.json
  dure bench compare --members 1 --turns 4 --seconds 20`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	b.bind(f, 4)
	f.IntVar(&b.Seconds, "seconds", 30, "how long the clock runs in each turn, at most 30")
	f.IntVar(&b.Turns, "turns", 6, "how many turns each network has")
	f.IntVar(&b.Accounts, "accounts", 1_000_000, "how many accounts pay each other")
	f.IntVar(&b.Against, "against", 10_000, "how many accounts do in the other network")
	f.Float64Var(&b.Rate, "rate", 0, "payments offered a second; 0: as many as the members take")
	f.IntVar(&b.Receipts, "receipts", bench.DefaultReceipts, "how many receipts of each network to verify")
	return cmd
}

func (b *benchCompare) run(ctx context.Context, a *app) error {
	other := b.benchNetwork
	if other.dir != "" {
		other.dir += "-against"
	}
	return b.with(ctx, a, func(of *benchRunning) error {
		return other.with(ctx, a, func(against *benchRunning) error {
			report, err := b.Run(ctx, *of.network, *against.network, a.err)
			return end(a, &b.benchNetwork, report, err)
		})
	})
}
