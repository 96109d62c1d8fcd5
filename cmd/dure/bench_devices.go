package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench"
)

// benchDevices is a benchmark of devices at a gateway as asked for.
type benchDevices struct {
	bench.Devices
	benchNetwork
	kind string
}

func newBenchDevices(a *app) *cobra.Command {
	b := &benchDevices{}
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "Measure devices at a gateway",
		Long: `Starts a network of members and a gateway, each a process of its own, enrols devices, connects them over MQTT with TLS on both sides, and has
some publish signed readings with QoS 1 at a fixed rate while the others say nothing. It reports how long a reading took from when it was due to
its PUBACK, which means committed, and the gateway's memory and processor time. Then some devices, one after the other, are asked for evidence and give that of
a forged firmware: how many blocks and milliseconds later does every member say that the device is suspended?

It checks that what was acknowledged is on the ledger, each reading once with its value and nothing else, that no answer was an error and no
connection was lost, that every member suspended a device in the block that has its evidence, and that all members have the same root. A check that
fails fails the run.`,
		Example: `  dure bench devices --members 4 --connected 10000 --rate 2000 --seconds 30 --json out.json
  dure bench devices --connected 500 --rate 200 --kind p256`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	b.bind(f, 4)
	f.IntVar(&b.Seconds, "seconds", 30, "how long the clock runs")
	f.StringVar(&b.kind, "kind", "ed25519", "kind of the devices' keys: ed25519 or p256")
	f.IntVar(&b.Connected, "connected", 10_000, "how many devices are connected")
	f.Float64Var(&b.Rate, "rate", 2000, "readings published a second")
	f.IntVar(&b.Reporting, "reporting", 0, "how many of the devices report; 0: twice the rate, each every two seconds")
	f.IntVar(&b.Forged, "forged", 10, "how many devices give forged evidence")
	return cmd
}

func (b *benchDevices) run(ctx context.Context, a *app) error {
	var err error
	if b.Kind, err = readingKind(b.kind); err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return usage(err.Error())
	}
	if b.indexing < 1 {
		return usage("want at least one member --indexing: the gateway and the checks ask it")
	}
	return b.with(ctx, a, func(n *benchRunning) error {
		door, stop, err := n.gateway(ctx)
		if err != nil {
			return err
		}
		defer stop()
		report, err := b.Run(ctx, *n.network, *door, a.err)
		return end(a, &b.benchNetwork, report, err)
	})
}
