package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench"
)

func newBenchTable(a *app) *cobra.Command {
	t := &benchTable{}
	cmd := &cobra.Command{
		Use:   "table",
		Short: "Run every benchmark and write the table of figures",
		Long: `Runs the benchmarks of docs/performance.md one after the other, each on a network of its own, and writes their
figures as a table: to standard output, row by row, and with --page into a page between its two marks. It takes about an hour and a half, and 20 GB in the
temporary folder (TMPDIR); nothing else should run on the machine meanwhile. A row whose checks fail is in the table with what failed. With --only,
and when it is interrupted, the page keeps the rows that were not made anew. The row at half the load goes by the first, so it takes both.`,
		Example: `  dure bench table --page docs/performance.md
  dure bench table --page docs/performance.md --only "against 10000" --only "22 members"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return t.run(cmd.Context(), a) },
	}
	cmd.Flags().StringVar(&t.page, "page", "", "a Markdown page to write the table into")
	cmd.Flags().StringVar(&t.sizes, "sizes", "", "a file with what \"make -C client/device-c size\" printed, to be rows of the table")
	cmd.Flags().StringArrayVar(&t.only, "only", nil, "only the rows whose name has this in it; may be given several times")
	cmd.Flags().BoolVar(&t.quick, "quick", false, "a few seconds each and fewer accounts: to try the benchmarks, not to measure")
	return cmd
}

// benchTable is the table being made.
type benchTable struct {
	page, sizes string
	only        []string
	quick       bool
	app         *app
	rows        []string
	bad         []error
}

func (t *benchTable) run(ctx context.Context, a *app) error {
	t.app = a
	if err := t.begin(); err != nil {
		return err
	}
	seconds, turn, many, few, long := "30", "30", "1000000", "10000", "600"
	if t.quick {
		seconds, turn, many, few, long = "5", "2", "20000", "1000", "120"
	}
	four := t.payments(ctx, "4 members, saturated", t.throughput, "--seconds", seconds)
	t.payments(ctx, "1 member, saturated", t.throughput, "--members", "1", "--seconds", seconds)
	if four != nil {
		t.payments(ctx, "4 members at half of that", func(r *bench.Report) string { return r.LatencyMS.String() }, "--seconds", seconds, "--rate", strconv.Itoa(int(four.CommittedPerS/2)))
	}
	t.keys(ctx, four, seconds)
	benchRow(ctx, t, many+" accounts against "+few+", 4 members, in turns", "compare", func(r *bench.ComparisonReport) string {
		return fmt.Sprintf("%.2f of the throughput, %.2f by processor time; %s; %s", r.Throughput, r.ProcessorTime, t.throughput(r.Of), r.Of.Memory())
	}, []string{"--seconds", turn, "--accounts", many, "--against", few})
	t.payments(ctx, long+" seconds, 4 members", func(r *bench.Report) string {
		return fmt.Sprintf("first minute %.0f/s, last minute %.0f/s: %.2f; %s", r.FirstMinutePerS, r.LastMinutePerS, r.LastMinutePerS/r.FirstMinutePerS, r.Memory())
	}, "--seconds", long)
	t.payments(ctx, "a member killed under load, started again", func(r *bench.Report) string {
		return fmt.Sprintf("caught up after %.1f s; %.0f tx/s meanwhile and around", r.RestartS, r.CommittedPerS)
	}, "--seconds", seconds, "--rate", "1000", "--restart")
	t.payments(ctx, "22 members on this machine, one more joins", func(r *bench.Report) string {
		return fmt.Sprintf("%.0f of %.0f tx/s offered, %s; receipt %d bytes; the one that joined had caught up after %.1f s", r.CommittedPerS, r.Rate, r.LatencyMS, r.ReceiptBytes, r.JoinS)
	}, "--members", "22", "--seconds", seconds, "--accounts", "1000", "--rate", "100", "--join")
	t.things(ctx, seconds)
	t.firstPayment(ctx)
	return t.write(ctx.Err() != nil)
}

// payments runs one benchmark of payments.
func (t *benchTable) payments(ctx context.Context, what string, say func(*bench.Report) string, args ...string) *bench.Report {
	return benchRow(ctx, t, what, "payments", say, args)
}

// benchRow runs one benchmark in a process of its own, so that nothing of one is left in the next, and makes a row of its report.
func benchRow[R any](ctx context.Context, t *benchTable, what, command string, say func(*R) string, args []string) *R {
	if ctx.Err() != nil || !t.wants(what) {
		return nil
	}
	fmt.Fprintf(t.app.err, "\n== %s\n", what)
	report, err := benchOne[R](ctx, t, command, args)
	if ctx.Err() != nil { // a row that was interrupted is none
		return nil
	}
	switch {
	case report == nil:
		t.row(what, "failed: "+err.Error())
	case err != nil:
		t.row(what, say(report)+"; CHECKS FAILED")
	default:
		t.row(what, say(report))
	}
	if err != nil {
		t.bad = append(t.bad, fmt.Errorf("%s: %w", what, err))
	}
	return report
}

func benchOne[R any](ctx context.Context, t *benchTable, command string, args []string) (*R, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "dure-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // one file
	file := filepath.Join(dir, "report.json")
	cmd := exec.CommandContext(ctx, self, append([]string{"bench", command, "--json", file}, args...)...) // this very program
	cmd.Stdout, cmd.Stderr = t.app.err, t.app.err
	runErr := cmd.Run()
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.Join(runErr, err)
	}
	report := new(R)
	return report, errors.Join(runErr, json.Unmarshal(raw, report))
}

func (t *benchTable) throughput(r *bench.Report) string {
	return fmt.Sprintf("%.0f tx/s, of_limit %.2f (one core checks %.0f signatures/s; %.0f µs of processor time a payment on all members; %d indexing)",
		r.CommittedPerS, r.OfLimit, r.VerifyPerCoreS, r.MemberCPUUS, r.IndexingMembers)
}

// firstPayment times "dure up" from nothing to the first committed payment.
func (t *benchTable) firstPayment(ctx context.Context) {
	const what = "`dure up` to the first committed payment"
	if ctx.Err() != nil || !t.wants(what) {
		return
	}
	took, err := t.up(ctx)
	if err != nil {
		t.bad = append(t.bad, fmt.Errorf("%s: %w", what, err))
		t.row(what, "failed: "+err.Error())
		return
	}
	t.row(what, fmt.Sprintf("%.1f s", took.Seconds()))
}

func (t *benchTable) up(parent context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(parent, upTimeout)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "dure-bench-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) // what is left of it is the system's to clean
	start := time.Now()
	network := filepath.Join(dir, "dev")
	up := exec.CommandContext(ctx, self, "up", "--dir", network, "--api-port", "18080", "--p2p-port", "36656", "--mqtt-port", "18883", "--signin=false") // this very program
	up.Cancel = func() error { return up.Process.Signal(os.Interrupt) }
	up.WaitDelay = downTimeout
	var out bytes.Buffer
	up.Stdout, up.Stderr = &out, &out
	if err := up.Start(); err != nil {
		return 0, err
	}
	defer func() { cancel(); _ = up.Wait() }() // interrupted
	for {
		pay := exec.CommandContext(ctx, self, "--home", filepath.Join(network, "client"), "asset", "transfer", "krw", "1", "--from", "alice", "--to", "bob")
		if pay.Run() == nil {
			return time.Since(start), nil
		}
		if ctx.Err() != nil {
			return 0, failed("no payment went through", out.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}
