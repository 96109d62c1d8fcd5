package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench"
)

// benchRely is a benchmark of questions as asked for.
type benchRely struct {
	bench.Rely
	benchNetwork
	kind string
}

func newBenchRely(a *app) *cobra.Command {
	b := &benchRely{}
	cmd := &cobra.Command{
		Use:   "rely",
		Short: "Measure how fast a node answers what may be relied on",
		Long: `Starts a network of members, commits readings of devices as "dure bench readings" does until there are as many as asked for, and waits until
the index has them. Then some devices give evidence of a forged firmware, so that nothing they said may be relied on. It asks, one question after
the other: for a reading and what speaks against it, whether a device may be relied on at a time, for a feed's value at a time, and for all that
leaned on a forged device; of which devices and times, the seed chooses.

Every answer is compared with what was put in: value, time, verdict and doubt of a reading, doubt of a device, the median over the sources that
count, the numbers of readings and transactions in doubt. Besides, everything is checked that "dure bench readings" checks. A check that fails fails the
run. Ten million readings take some 10 GB in the temporary folder (TMPDIR), and half an hour.`,
		Example: "  dure bench rely --readings 10000000 --json out.json\n  dure bench rely --readings 500000 --sources 1000 --questions 500",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	b.bind(f, 1)
	f.IntVar(&b.Readings, "readings", 1_000_000, "how many readings the index has")
	f.StringVar(&b.kind, "kind", "ed25519", "kind of the devices' keys: ed25519 or p256")
	f.IntVar(&b.Devices, "devices", 1000, "how many devices have reported them")
	f.IntVar(&b.Sources, "sources", 100, "how many devices report to one feed, a multiple of 50")
	f.IntVar(&b.Forged, "forged", 10, "how many devices give forged evidence")
	f.IntVar(&b.Questions, "questions", 1000, "how many questions of each sort")
	f.Uint64Var(&b.Seed, "seed", 1, "chooses what is asked")
	return cmd
}

func (b *benchRely) run(ctx context.Context, a *app) error {
	var err error
	if b.Kind, err = readingKind(b.kind); err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return usage(err.Error())
	}
	if b.indexing < 1 {
		return usage("want at least one member --indexing: it is what is asked")
	}
	return b.with(ctx, a, func(n *benchRunning) error {
		report, err := b.Run(ctx, *n.network, a.err)
		return end(a, &b.benchNetwork, report, err)
	})
}
