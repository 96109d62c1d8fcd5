package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// benchReadings is a benchmark of readings as asked for.
type benchReadings struct {
	bench.Readings
	benchNetwork
	kind string
}

func newBenchReadings(a *app) *cobra.Command {
	b := &benchReadings{}
	cmd := &cobra.Command{
		Use:   "readings",
		Short: "Measure readings of devices",
		Long: `Starts a network of members, each a process of its own with the durability it has in earnest, enrols devices and opens
feeds for them, signs readings with a payload of 64 bytes before the clock starts, anchors them through the API of all members, as many in a
transaction as one may have, and reports what was committed while the clock ran, how long answers took, and how near that is to what checking the devices'
signatures alone would allow. One reading in 512 is late and one out of range, so that the ledger has something to tell apart. Afterwards it compares
the verdicts and heads that the ledger keeps with what was answered and sent, the members' roots with each other, and verifies proofs of
readings by the genesis file alone. A check that fails fails the run.`,
		Example: `  dure bench readings --members 1 --seconds 20 --kind ed25519 --json out.json
  dure bench readings --members 4 --seconds 20 --kind p256 --devices 5000 --each 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	b.bind(f, 4)
	f.IntVar(&b.Seconds, "seconds", 20, "how long the clock runs")
	f.StringVar(&b.kind, "kind", "ed25519", "kind of the devices' keys: ed25519 or p256")
	f.IntVar(&b.Devices, "devices", 1000, "how many devices report")
	f.IntVar(&b.Each, "each", bench.DefaultEach, "how many readings of a device one transaction has")
	f.IntVar(&b.Proofs, "proofs", bench.DefaultReceipts, "how many readings to prove")
	return cmd
}

func (b *benchReadings) run(ctx context.Context, a *app) error {
	var err error
	if b.Kind, err = readingKind(b.kind); err != nil {
		return err
	}
	switch {
	case b.Devices < 1 || b.Devices > bench.MaxDevices || b.Each < 1 || b.Each > bench.MaxEach || b.Seconds < 1 || b.Proofs < 1:
		return usage(fmt.Sprintf("want 1 to %d --devices, 1 to %d readings of --each, and at least one second and one proof", bench.MaxDevices, bench.MaxEach))
	case b.indexing < 1:
		return usage("want at least one member --indexing: readings are proven by it")
	}
	return b.with(ctx, a, func(n *benchRunning) error {
		report, err := b.Run(ctx, *n.network, a.err)
		return end(a, &b.benchNetwork, report, err)
	})
}

// readingKind is a kind of key that devices may sign readings with, by its name.
func readingKind(name string) (accountv1.KeyKind, error) {
	for _, kind := range []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_P256} {
		if name == tx.KindName(kind) {
			return kind, nil
		}
	}
	return 0, usagef("--kind %q: want ed25519 or p256, which devices may sign readings with", name)
}
