package bench_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/dureledger/dure/bench"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// TestPayments runs a short benchmark on a real network and looks at what it reports.
func TestPayments(t *testing.T) {
	t.Parallel()
	net := simnet.Start(t, 2)
	n := bench.Network{
		APIs: []string{net.URL(0), net.URL(1)}, PID: func(int) int { return os.Getpid() }, Indexing: 2,
		Genesis: net.Genesis, Issuer: simnet.Signer(0),
	}
	var said bytes.Buffer
	report, err := bench.Payments{Seconds: 2, Accounts: 120, Rate: 400, Receipts: 10}.Run(t.Context(), n, &said)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if report.Committed != report.Offered || report.Committed < 1000 || !report.Checks.SupplyConserved || !report.Checks.SameRootEverywhere ||
		report.Checks.ReceiptsValid != report.Checks.ReceiptsSampled || report.Checks.ReceiptsSampled == 0 {
		t.Errorf("%+v", report.Checks)
	}
	if report.CommittedPerS < 100 || report.LatencyMS.P50 <= 0 || report.LatencyMS.P99 < report.LatencyMS.P50 ||
		report.VerifyPerCoreS <= 0 || report.LimitPerS <= 0 || len(report.RSSBytes) != 2 || report.StateKeys < 240 || report.ReceiptBytes < 500 {
		t.Errorf("%v", report)
	}
	decoder := xml.NewDecoder(bytes.NewReader(report.Plot()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot is no XML: %v", err)
		}
	}
	raw, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"members", "indexing_members", "index_lag_s", "seconds", "accounts", "offered", "committed", "committed_per_s", "latency_ms",
		"p50", "p95", "p99", "verify_per_core_s", "cores", "limit_per_s", "of_limit", "rss_bytes", "state_keys", "checks", "supply_conserved",
		"same_root_everywhere", "receipts_sampled", "receipts_valid"} {
		if !strings.Contains(string(raw), `"`+name+`":`) {
			t.Errorf("the report has no %s", name)
		}
	}
}

// TestPaymentsOfEveryKind runs one with keys of all kinds, mixed.
func TestPaymentsOfEveryKind(t *testing.T) {
	t.Parallel()
	net := simnet.Start(t, 1)
	n := bench.Network{
		APIs: []string{net.URL(0)}, PID: func(int) int { return os.Getpid() }, Indexing: 1, Genesis: net.Genesis, Issuer: simnet.Signer(0),
	}
	report, err := bench.Payments{Seconds: 2, Accounts: 62, Rate: 400, Receipts: 5, Keys: txtest.Kinds}.Run(t.Context(), n, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	sum, accounts := 0, 0
	for i, k := range report.Keys {
		sum, accounts = sum+k.Committed, accounts+k.Accounts
		if k.Kind != tx.KindName(txtest.Kinds[i]) || k.VerifyPerCoreS <= 0 || k.Committed == 0 || k.TransactionBytes < 200 {
			t.Errorf("%+v", k)
		}
	}
	if sum != report.Committed || accounts != 62 || len(report.Keys) != 5 {
		t.Errorf("by kind: %d of %d payments, %d accounts", sum, report.Committed, accounts)
	}
	if large := report.Keys[4].TransactionBytes; large < 5000 || large > 6000 {
		t.Errorf("a payment by ML-DSA-65 has %d bytes", large)
	}
	if m := report.Mix; m == nil || m.ExpectedPerCoreS <= 0 || m.MeasuredPerCoreS != report.VerifyPerCoreS || m.OfExpected <= 0.3 {
		t.Errorf("%+v", m)
	}
	if text := report.String(); !strings.Contains(text, "keys, ml-dsa-65") || !strings.Contains(text, "mixed signatures") {
		t.Error(text)
	}
}

func TestPaymentsRefuses(t *testing.T) {
	for _, p := range []bench.Payments{{}, {Seconds: 1, Accounts: 1}, {Seconds: 1, Accounts: 2}} {
		if _, err := p.Run(t.Context(), bench.Network{}, io.Discard); err == nil {
			t.Errorf("%+v was run on no network", p)
		}
	}
	nowhere := bench.Network{APIs: []string{"http://127.0.0.1:1"}}
	for _, keys := range [][]accountv1.KeyKind{{9}, {1, 1}, {1, 2, 3}} {
		if _, err := (bench.Payments{Seconds: 1, Accounts: 2, Keys: keys}).Run(t.Context(), nowhere, io.Discard); err == nil || !strings.Contains(err.Error(), "bench: want") {
			t.Errorf("kinds %v: %v", keys, err)
		}
	}
}
