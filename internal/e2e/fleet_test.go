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

// A short day of a small fleet, by the command that people run: whoever lies is found, and the ledger agrees with what was answered.
func TestFleetDemo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "fleet.json")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	demo := exec.CommandContext(ctx, binary, "demo", "fleet", "--devices", "20", "--hours", "4", "--hour", "300", "--liars", "10%", "--broken", "20%", "--seed", "3",
		"--members", "2", "--json", file)
	demo.Cancel = func() error { return demo.Process.Signal(os.Interrupt) }
	demo.WaitDelay = 30 * time.Second
	if out, err := demo.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Accepted, Late, Quarantined, Tainted, Paid, Forfeited int
		Cars                                                  []struct {
			Fault      string
			Found      int `json:"found_hour"`
			Readmitted int `json:"readmitted_hour"`
		}
		Checks map[string]bool
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	found, readmitted := 0, 0
	for _, c := range report.Cars {
		if c.Fault == "liar" && c.Found > 0 {
			found++
		}
		if c.Readmitted > 0 {
			readmitted++
		}
	}
	if len(report.Cars) != 6 || found != 2 || readmitted != 1 || report.Accepted == 0 || report.Late == 0 || report.Quarantined == 0 || report.Tainted == 0 ||
		report.Forfeited == 0 || report.Paid+report.Forfeited != report.Accepted || len(report.Checks) != 6 {
		t.Errorf("%s", raw)
	}
	for name, ok := range report.Checks {
		if !ok {
			t.Errorf("%s is false", name)
		}
	}
}
