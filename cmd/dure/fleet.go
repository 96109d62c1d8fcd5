package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench/fleet"
)

func newDemo(a *app) *cobra.Command {
	return parent("demo", "See at work what a network does for people and things",
		"Plays a story and checks that what the network then says is true: car on the running network of make up, fleet on one of its own in a temporary folder.",
		newDemoCar(a), newDemoFleet(a))
}

// demoFleet is a day of a fleet as asked for.
type demoFleet struct {
	fleet.Config
	benchNetwork
	liars, broken string
}

func newDemoFleet(a *app) *cobra.Command {
	f := &demoFleet{}
	cmd := &cobra.Command{
		Use:   "fleet",
		Short: "A day of a fleet of cars, some of which lie",
		Long: `Starts members and a gateway, each a process of its own, and drives simulated cars, each with a key, a disk and an MQTT connection of its own,
through a day. Readings of their speed earn premiums. The seed chooses which cars are tampered with and which have broken sensors or clocks, and when.

The day is compressed: a simulated hour takes as long as --hour says, and readings carry the real time, as the ledger has it. Four times a
day all cars are asked for evidence and what they have earned is paid; the simulated clock stands still meanwhile. A car whose firmware was changed is
found then, unless its new firmware lied about itself, which cars in this demonstration do not: docs/devices.md says what evidence is worth. It
is suspended, what it said since its last good evidence is in doubt, and the premiums of that time are forfeited. Some are repaired and readmitted.

At the end the report says what became of every car that is not honest, and whether the ledger agrees with what the cars were answered, all liars
were found, and no money was made or lost. The exit code is 1 if not.`,
		Example: "  dure demo fleet\n  dure demo fleet --devices 50 --hours 48 --seed 7 --liars 4% --broken 4% --json fleet.json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), a) },
	}
	flags := cmd.Flags()
	f.bind(flags, 4)
	flags.IntVar(&f.Devices, "devices", 200, "how many cars")
	flags.IntVar(&f.Hours, "hours", 24, "how many simulated hours")
	flags.Uint64Var(&f.Seed, "seed", 1, "chooses who lies, who is broken, and when")
	flags.StringVar(&f.liars, "liars", "1%", "part of the cars whose firmware is changed")
	flags.StringVar(&f.broken, "broken", "2%", "part of the cars with a broken sensor or clock")
	flags.IntVar(&f.EveryMinutes, "every", 30, "simulated minutes between two readings of a car, a part of 60")
	flags.IntVar(&f.HourMS, "hour", 1000, "how many real milliseconds a simulated hour takes, at least")
	return cmd
}

func (f *demoFleet) run(ctx context.Context, a *app) error {
	var err error
	if f.Liars, err = percent("--liars", f.liars); err != nil {
		return err
	}
	if f.Broken, err = percent("--broken", f.broken); err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return usage(err.Error())
	}
	if f.indexing < 1 {
		return usage("want at least one member --indexing: the gateway and the report ask it")
	}
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	return f.with(ctx, a, func(n *benchRunning) error {
		door, stop, err := n.gateway(ctx)
		if err != nil {
			return err
		}
		defer stop()
		place := fleet.Place{Network: *n.network, Gateway: door.Address, TLS: door.TLS, Dir: filepath.Join(n.dir, "cars")}
		report, err := fleet.Drive(ctx, f.Config, place, a.err)
		return end(a, &f.benchNetwork, report, err)
	})
}

// percent reads a part such as 1%.
func percent(flag, text string) (float64, error) {
	number, ok := strings.CutSuffix(text, "%")
	part, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(part >= 0 && part <= 100) {
		return 0, usage(fmt.Sprintf("%s %q: want a part of the cars such as 1%%", flag, text))
	}
	return part / 100, nil
}
