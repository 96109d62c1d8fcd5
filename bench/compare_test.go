package bench_test

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/dureledger/dure/bench"
	"github.com/dureledger/dure/internal/simnet"
)

// TestComparison loads two real networks in turns and looks at what is reported of both.
func TestComparison(t *testing.T) {
	t.Parallel()
	var networks [2]bench.Network
	for i := range networks {
		net := simnet.Start(t, 1)
		networks[i] = bench.Network{
			APIs: []string{net.URL(0)}, PID: func(int) int { return os.Getpid() }, Indexing: 1, Genesis: net.Genesis, Issuer: simnet.Signer(0),
		}
	}
	c := bench.Comparison{Payments: bench.Payments{Seconds: 1, Accounts: 150, Rate: 420, Receipts: 5}, Against: 60, Turns: 2}
	report, err := c.Run(t.Context(), networks[0], networks[1], t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range []*bench.Report{report.Of, report.Against} {
		if want := []int{150, 60}[i]; r.Accounts != want || r.StateKeys < int64(2*want) {
			t.Errorf("%d accounts with %d keys, want %d", r.Accounts, r.StateKeys, want)
		}
		if r.Committed != r.Offered || r.Committed != 2*420*5 || r.Seconds < 1 || r.Seconds > 2.1 || r.CommittedPerS < 100 || r.MemberCPUUS <= 0 ||
			!r.Checks.SupplyConserved || !r.Checks.SameRootEverywhere || r.Checks.ReceiptsValid < 5 {
			t.Errorf("%v", r)
		}
	}
	if len(report.Turns) != 2 || report.Turns[0].Of <= 0 || report.Turns[1].Against <= 0 {
		t.Errorf("%+v", report.Turns)
	}
	if report.Throughput != report.Of.CommittedPerS/report.Against.CommittedPerS || report.ProcessorTime != report.Against.MemberCPUUS/report.Of.MemberCPUUS {
		t.Errorf("%v and %v", report.Throughput, report.ProcessorTime)
	}
	if text := report.String(); !strings.Contains(text, "== 150 accounts against 60\nthroughput") {
		t.Error(text)
	}
	raw, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"of", "against", "turns", "throughput", "processor_time"} {
		if !strings.Contains(string(raw), `"`+name+`":`) {
			t.Errorf("the report has no %s", name)
		}
	}
}

func TestComparisonRefuses(t *testing.T) {
	for _, c := range []bench.Comparison{
		{}, {Turns: 1}, {Turns: 1, Payments: bench.Payments{Seconds: 1, Accounts: 1}}, {Turns: 1, Payments: bench.Payments{Seconds: 31, Accounts: 2}}, {Payments: bench.Payments{Seconds: 1, Accounts: 2}},
	} {
		if _, err := c.Run(t.Context(), bench.Network{}, bench.Network{}, io.Discard); err == nil || !strings.Contains(err.Error(), "bench: want") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
