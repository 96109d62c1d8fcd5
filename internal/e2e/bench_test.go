//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Benchmarks of devices, short, by the commands that people run: their own checks hold, and they measure something.

func TestBenchDevices(t *testing.T) {
	var report struct {
		Connected, Committed, Offered, Forged int
		LatencyMS                             map[string]float64 `json:"latency_ms"`
		GatewayRSS                            int64              `json:"gateway_rss_bytes"`
		GatewayIdle                           int64              `json:"gateway_idle_bytes"`
		Checks                                map[string]bool
	}
	runBench(t, &report, "devices", "--members", "3", "--connected", "120", "--rate", "60", "--reporting", "80", "--seconds", "3", "--forged", "3", "--kind", "p256")
	if report.Connected != 120 || report.Committed < 180 || report.Committed != report.Offered || report.Forged != 3 || len(report.Checks) != 5 ||
		report.LatencyMS["p50"] <= 0 || report.LatencyMS["p99"] < report.LatencyMS["p50"] || report.GatewayIdle < 10<<20 || report.GatewayRSS < report.GatewayIdle {
		t.Errorf("%+v", report)
	}
	for name, ok := range report.Checks {
		if !ok {
			t.Errorf("%s is false", name)
		}
	}
}

func TestBenchRely(t *testing.T) {
	var report struct {
		Readings, Forged int
		ReadingMS        map[string]float64 `json:"reading_ms"`
		Checks           map[string]bool
	}
	runBench(t, &report, "rely", "--readings", "5000", "--devices", "60", "--sources", "50", "--questions", "50", "--forged", "2")
	if report.Readings < 5000 || report.Forged != 2 || report.ReadingMS["p99"] <= 0 || len(report.Checks) != 4 {
		t.Errorf("%+v", report)
	}
	for name, ok := range report.Checks {
		if !ok {
			t.Errorf("%s is false", name)
		}
	}
}

func TestBenchPaymentsKeys(t *testing.T) {
	var report struct {
		Committed, Offered int
		Keys               []struct {
			Kind      string
			Committed int
		}
		Mix struct {
			OfExpected float64 `json:"of_expected"`
		}
		Checks map[string]any
	}
	runBench(t, &report, "payments", "--members", "2", "--keys", "webauthn,mldsa65", "--seconds", "2", "--rate", "500", "--accounts", "60", "--receipts", "5")
	if report.Committed != report.Offered || len(report.Keys) != 2 || report.Keys[0].Kind != "webauthn" || report.Keys[1].Kind != "ml-dsa-65" ||
		report.Keys[0].Committed+report.Keys[1].Committed != report.Committed || report.Mix.OfExpected <= 0 || report.Checks["supply_conserved"] != true {
		t.Errorf("%+v", report)
	}
}

// runBench runs a benchmark and reads its report.
func runBench(t *testing.T, report any, args ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	bench := exec.CommandContext(ctx, binary, append(append([]string{"bench"}, args...), "--json", file)...)
	bench.Cancel = func() error { return bench.Process.Signal(os.Interrupt) }
	bench.WaitDelay = 30 * time.Second
	if out, err := bench.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, report); err != nil {
		t.Fatal(err)
	}
}
