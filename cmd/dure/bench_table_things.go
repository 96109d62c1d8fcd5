package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/dureledger/dure/bench"
)

// things adds the rows about devices and their readings, which say what the goal is and whether it was reached.
func (t *benchTable) things(ctx context.Context, seconds string) {
	t.readings(ctx, "ed25519", seconds, 15_000)
	t.readings(ctx, "p256", seconds, 8000)
	connected, asked := "10000", "10000000"
	if t.quick {
		connected, asked = "500", "200000"
	}
	t.devices(ctx, connected, seconds)
	benchRow(ctx, t, "may I rely on this? Of "+asked+" readings, 1 member", "rely", func(r *bench.RelyReport) string {
		slowest := max(r.ReadingMS.P99, r.RelyMS.P99, r.ValueMS.P99)
		return fmt.Sprintf("%s (goal: below 20 ms but for the last, %s); %s", r.Answers(), reached(slowest < 20), r.Fill.Memory())
	}, []string{"--readings", asked})
	t.sizesOfC()
}

func reached(yes bool) string {
	if yes {
		return "reached"
	}
	return "NOT REACHED"
}

// readings runs one benchmark of readings with one member.
func (t *benchTable) readings(ctx context.Context, kind, seconds string, goal float64) {
	benchRow(ctx, t, "readings, "+kind+", 1 member, saturated", "readings", func(r *bench.ReadingsReport) string {
		return fmt.Sprintf("%.0f readings/s (goal: %.0f, %s), of_limit %.2f (one core checks %.0f signatures/s; %.1f µs of processor time a reading; %s); %s",
			r.CommittedPerS, goal, reached(r.CommittedPerS >= goal), r.OfLimit, r.VerifyPerCoreS, r.MemberCPUUS, r.LatencyMS, r.Memory())
	}, []string{"--members", "1", "--seconds", seconds, "--kind", kind})
}

// devices runs one benchmark of devices at a gateway, which has three rows.
func (t *benchTable) devices(ctx context.Context, connected, seconds string) {
	rate := "2000"
	if t.quick {
		rate = "200"
	}
	r := benchRow(ctx, t, rate+" readings a second over MQTT, 4 members, from due to PUBACK, which is committed", "devices", func(r *bench.DevicesReport) string {
		return fmt.Sprintf("%s (goal: p99 below 1 s, %s); %.0f/s; %.0f µs of processor time a reading on all members, %.0f on the gateway",
			r.LatencyMS, reached(r.LatencyMS.P99 < 1000), r.CommittedPerS, r.MemberCPUUS, r.GatewayCPUUS)
	}, []string{"--connected", connected, "--rate", rate, "--seconds", seconds})
	if r == nil {
		return
	}
	t.row(connected+" devices connected to one gateway", fmt.Sprintf("%s (goal: below 1.5 GiB, %s)", r.Gateway(), reached(r.GatewayRSSBytes < 3<<29)))
	t.row("forged evidence to suspended at every member", fmt.Sprintf("%s (goal: less than a block, %s)", r.Suspension(), reached(r.BlocksAfterCommit == 0)))
}

// sizesOfC makes rows of what the C library's size target printed: core, program, flash, ram, stack.
func (t *benchTable) sizesOfC() {
	if t.sizes == "" || !t.wants("the C library checks a receipt") {
		return
	}
	raw, err := os.ReadFile(t.sizes)
	if err != nil {
		t.bad = append(t.bad, err)
		return
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 5 && f[1] == "receipt" {
			t.row("the C library checks a receipt, "+f[0], fmt.Sprintf("%s bytes of flash, %s of RAM and %s of stack (goals: below 64 KiB, 16 KiB)", f[2], f[3], f[4]))
		}
	}
}
