package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func newBench(a *app) *cobra.Command {
	return parent("bench", "Measure what a network on this machine can do",
		`Starts a network of its own in a temporary folder, loads it through the API, measures, checks that everything the
network then says is true, and removes it again. docs/performance.md tells what was measured and how to read it.`,
		newBenchPayments(a), newBenchCompare(a), newBenchReadings(a), newBenchDevices(a), newBenchRely(a), newBenchTable(a))
}

// benchPayments is a benchmark of payments as asked for.
type benchPayments struct {
	bench.Payments
	benchNetwork
	plot          string
	kinds         []string
	restart, join bool
}

func newBenchPayments(a *app) *cobra.Command {
	b := &benchPayments{}
	cmd := &cobra.Command{
		Use:   "payments",
		Short: "Measure payments",
		Long: `Starts a network of members, each a process of its own with the durability it has in earnest, opens accounts that
pay each other, signs payments before the clock starts, sends them through the API of all members, and reports what was
committed while the clock ran, how long answers took, and how near that is to what checking the signatures alone would
allow. Afterwards it compares every balance with what the answers make it, the members' roots with each other, and
verifies receipts by the genesis file alone. A check that fails fails the run.

With --keys the accounts have keys of other kinds, or of several, dealt out evenly. What a core verifies is then measured with the same keys, in
turns with each kind by itself, and the report says whether checking them mixed costs more than the sum of its parts.`,
		Example: `  dure bench payments --members 4 --seconds 30 --accounts 10000 --json out.json
  dure bench payments --members 4 --keys mldsa65
  dure bench payments --members 4 --keys ed25519,p256,webauthn,secp256k1,mldsa65
  dure bench payments --members 4 --seconds 60 --rate 6000 --plot latency.svg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	b.bind(f, 4)
	f.StringSliceVar(&b.kinds, "keys", []string{"ed25519"}, "kinds of the accounts' keys, mixed evenly: ed25519, p256, webauthn, secp256k1, mldsa65")
	f.IntVar(&b.Seconds, "seconds", 30, "how long the clock runs")
	f.IntVar(&b.Accounts, "accounts", 10_000, "how many accounts pay each other")
	f.Float64Var(&b.Rate, "rate", 0, "payments offered a second; 0: as many as the members take")
	f.IntVar(&b.InFlight, "in-flight", 0, fmt.Sprintf("payments that wait for their outcome at once, without --rate; 0: %d, fewer with keys that take longer to check", bench.DefaultInFlight))
	f.IntVar(&b.Receipts, "receipts", bench.DefaultReceipts, "how many receipts to verify")
	f.BoolVar(&b.restart, "restart", false, "kill the last member in the middle and measure how long it takes to catch up")
	f.BoolVar(&b.join, "join", false, "let one more member join in the middle and measure how long it takes to catch up")
	f.StringVar(&b.plot, "plot", "", "draw throughput and latency over time to this SVG file")
	return cmd
}

func (b *benchPayments) run(ctx context.Context, a *app) error {
	for _, name := range b.kinds {
		kind, err := tx.ParseKind(name)
		if err != nil {
			return usage("--keys: " + err.Error())
		}
		b.Keys = append(b.Keys, kind)
		b.passkeys = b.passkeys || kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN
	}
	return b.with(ctx, a, func(n *benchRunning) error {
		if b.restart {
			n.network.Restart = n.members.restart
		}
		if b.join {
			j := &benchJoin{dir: n.dir, keys: n.keys, network: n.network, members: n.members, flags: b.flags}
			n.network.Join = j.join
		}
		report, err := b.Run(ctx, *n.network, a.err)
		if report == nil {
			return err
		}
		if b.plot != "" {
			err = errors.Join(err, os.WriteFile(b.plot, report.Plot(), 0o644)) // no secret
		}
		return errors.Join(err, b.write(a, report))
	})
}
