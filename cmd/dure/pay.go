package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/holiman/uint256"
	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

const payLong = `Pays every row of a CSV file. The heading names the columns: to,amount[,memo,reference]; "to" is an address or the name of a
key, amounts have the asset's decimals. The whole file is checked before anything is sent.

A row is paid once: its transaction carries a key made from the network, the payer, the file's content and the row's
number, which the ledger takes once, for good. So after Ctrl-C, a lost connection or a crash, today or next month, run the
same command again: what was paid stays paid, the rest is paid now. Nothing is kept on this machine. A changed file is
another file: all its rows are new.

Rows that the ledger refused (an unknown receiver, not enough balance) stay refused on a rerun; when the reason is
gone, --retry-failed tries them again.`

func newPay(a *app) *cobra.Command {
	p := &payment{app: a}
	cmd := &cobra.Command{
		Use: "pay --batch FILE.csv --asset ASSET", Short: "Pay a file of payments, each once however often it is run", Long: payLong, Args: cobra.NoArgs,
		Example: "  dure pay --batch salaries.csv --asset krw --from firm --dry-run\n  dure pay --batch salaries.csv --asset krw --from firm --report paid.csv",
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&p.batch, "batch", "", "the file of payments (required)")
	f.StringVar(&p.asset, "asset", "", "what is paid (required)")
	a.actorFlag(cmd, &p.from, "from", "who pays")
	f.StringVar(&p.key, "key", "", "name of the key to sign with, when it is not the account's own")
	f.StringVar(&p.report, "report", "", "write a CSV with the transaction and status of each row")
	f.BoolVar(&p.retryFailed, "retry-failed", false, "try rows again that the ledger refused in an earlier run")
	f.BoolVar(&p.dryRun, "dry-run", false, "check the file and say what would be paid")
	f.BoolVarP(&p.quiet, "quiet", "q", false, "no progress")
	f.IntVar(&p.parallel, "parallel", 4, "requests in flight")
	f.IntVar(&p.chunk, "chunk", 500, "payments in a request, at most 1,000")
	must(cmd.MarkFlagRequired("batch"))
	must(cmd.MarkFlagRequired("asset"))
	must(cmd.MarkFlagFilename("batch", "csv"))
	must(cmd.RegisterFlagCompletionFunc("asset", a.completeAssets))
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
	return cmd
}

// payment is one run of dure pay.
type payment struct {
	app *app
	// Flags.
	batch, asset, from, key, report string
	retryFailed, dryRun, quiet      bool
	parallel, chunk                 int

	client  *client.Client
	network string
	// start is the height when the run began: outcomes above it are this run's.
	start   int64
	payer   party
	signers []tx.Signer
	file    *payFile
}

// What became of a row.
const (
	paidNow    = "paid"
	paidBefore = "paid before"
	rowFailed  = "failed"
	rowUnknown = "not known"
	rowOpen    = "not sent"
)

// maxShownFailures is how many failed rows are listed; the report has all.
const maxShownFailures = 100

// rowResult is what became of a row. The zero value: not sent.
type rowResult struct {
	status string
	id     string
	time   string
	// why it failed.
	code, message string
}

func (p *payment) run(ctx context.Context) error {
	if p.chunk < 1 || p.chunk > client.MaxChunk || p.parallel < 1 || p.parallel > 64 {
		return usage("want --chunk from 1 to 1000 and --parallel from 1 to 64")
	}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	if p.dryRun {
		return p.preview(ctx)
	}
	if p.report != "" && exists(p.report) {
		return failed(p.report+" exists already.", "Choose another name for the report, or move it away.")
	}
	var err error
	if p.signers, err = p.app.signersFor(ctx, p.payer, p.key, false); err != nil {
		return err
	}
	results, cause := p.payAll(ctx)
	return p.conclude(results, cause)
}

// prepare reads and checks everything before anything is sent.
func (p *payment) prepare(ctx context.Context) error {
	var err error
	if p.payer, err = p.app.self(p.from); err != nil {
		return err
	}
	if p.client, err = p.app.ledger(); err != nil {
		return err
	}
	status, err := p.client.Status(ctx)
	if err != nil {
		return err
	}
	p.network, p.start = status.GetNetwork(), status.GetHeight()
	class, err := p.app.asset(ctx, p.asset)
	if err != nil {
		return err
	}
	content, err := readSmall(p.batch, maxPayBytes)
	if err != nil {
		return err
	}
	seen := map[string]party{}
	p.file, err = parsePayFile(content, class.GetDecimals(), func(name string) (party, error) {
		if known, ok := seen[name]; ok {
			return known, nil
		}
		found, err := p.app.party(name)
		if err == nil {
			seen[name] = found
		}
		return found, err
	})
	var faults payFaults
	if errors.As(err, &faults) {
		return &problem{exit: exitUsage, code: "pay.bad_file", what: p.batch + ": " + faults.Error(), advice: "Correct the file and run the command again."}
	}
	return err
}

// total adds up what the rows pay, in smallest units.
func (p *payment) total(wanted func(i int) bool) string {
	var sum uint256.Int
	for i, row := range p.file.Rows {
		if units, err := tx.ParseAmount(row.Units); err == nil && wanted(i) {
			sum.Add(&sum, &units)
		}
	}
	return sum.Dec()
}

func (p *payment) preview(ctx context.Context) error {
	total := p.total(func(int) bool { return true })
	balance, _, err := p.client.Balance(ctx, p.asset, p.payer.address, 0)
	if err != nil {
		return err
	}
	return p.app.print(map[string]any{
		"rows": len(p.file.Rows), "total": total, "asset": p.asset, "from": p.payer.address.String(), "balance": balance.GetAmount(),
	}, func(w io.Writer) {
		fmt.Fprintln(w, "The file is in order. Nothing was sent.")
		printFacts(w, []fact{{"payments", strconv.Itoa(len(p.file.Rows))}, {"total", p.app.money(ctx, p.asset, total)},
			{"from", p.payer.String()}, {"balance", balanceText(balance)}})
	})
}

// conclude writes the report and the summary and says how to go on.
func (p *payment) conclude(results []rowResult, cause error) error {
	if p.report != "" {
		if err := p.writeReport(results); err != nil {
			return err
		}
	}
	count := map[string]int{}
	for i := range results {
		count[results[i].status]++
	}
	open := count[rowOpen] + count[rowUnknown]
	summary := map[string]any{
		"paid": count[paidNow], "paidBefore": count[paidBefore], "failed": count[rowFailed], "notKnown": count[rowUnknown], "notSent": count[rowOpen],
		"rows": len(results), "asset": p.asset, "amountPaid": p.total(func(i int) bool { return results[i].status == paidNow }),
	}
	var failures []map[string]any
	for i, r := range results {
		if r.status == rowFailed && len(failures) < maxShownFailures {
			failures = append(failures, map[string]any{"line": p.file.Rows[i].Line, "to": p.file.Rows[i].To.address.String(), "code": r.code, "message": r.message})
		}
	}
	summary["failures"] = failures
	err := p.app.print(summary, func(w io.Writer) { p.printSummary(w, results, count) })
	if err != nil {
		return err
	}
	again := "Run the same command again to go on: nobody is paid twice."
	switch {
	case cause != nil && errors.Is(cause, context.Canceled):
		return &problem{exit: exitFailed, code: "interrupted", what: fmt.Sprintf("Interrupted with %s left.", plural(open, "row")), advice: again, err: cause}
	case cause != nil:
		said := *p.app.explain(cause)
		said.advice = joinLines(fmt.Sprintf("%s left. %s", plural(open, "row"), again), said.advice)
		return &said
	case count[rowFailed] > 0:
		return quietExit(exitFailed)
	}
	return nil
}

func (p *payment) printSummary(w io.Writer, results []rowResult, count map[string]int) {
	ctx := context.Background()
	shown := 0
	for i, r := range results {
		if r.status == rowFailed && shown < maxShownFailures {
			shown++
			fmt.Fprintf(w, "line %d: not paid to %s: %s\n", p.file.Rows[i].Line, p.file.Rows[i].To, withCode(clean(r.message), r.code))
		}
	}
	line := func(status string) string {
		if count[status] == 0 {
			return ""
		}
		return fmt.Sprintf("%d, %s", count[status], p.app.money(ctx, p.asset, p.total(func(i int) bool { return results[i].status == status })))
	}
	printFacts(w, []fact{{"paid now", line(paidNow)}, {"paid before", line(paidBefore)}, {"failed", line(rowFailed)},
		{"not known", line(rowUnknown)}, {"not sent", line(rowOpen)},
		{"rows", fmt.Sprintf("%d, %s", len(results), p.app.money(ctx, p.asset, p.total(func(int) bool { return true })))}, {"report", p.report}})
	if count[rowFailed] > 0 && !p.retryFailed {
		fmt.Fprintln(w, "When the reasons are gone, run it again with --retry-failed.")
	}
}

func (p *payment) writeReport(results []rowResult) error {
	f, err := os.OpenFile(p.report, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"row", "line", "to", "amount", "memo", "reference", "status", "transaction", "time", "code", "message"}) // Flush reports
	class, err := p.app.asset(context.Background(), p.asset)
	if err != nil {
		return err
	}
	for i, r := range results {
		row := p.file.Rows[i]
		_ = w.Write([]string{strconv.Itoa(row.Number), strconv.Itoa(row.Line), row.To.address.String(), tx.FormatUnits(mustAmount(row.Units), class.GetDecimals()),
			formulaSafe(row.Memo), formulaSafe(row.Reference), r.status, r.id, r.time, r.code, formulaSafe(r.message)})
	}
	w.Flush()
	return errors.Join(w.Error(), f.Close())
}

// mustAmount parses what parsePayFile has checked.
func mustAmount(units string) uint256.Int {
	n, err := tx.ParseAmount(units)
	must(err)
	return n
}

// formulaSafe keeps a spreadsheet from running text as a formula.
func formulaSafe(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@' || s[0] == '\t' || s[0] == '\r') {
		return "'" + s
	}
	return s
}
