package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// DevicesReport is what a benchmark of devices at a gateway measured and found. Its JSON names are a format. Latencies are those from when a reading
// is due to be published to its PUBACK.
type DevicesReport struct {
	Measured
	// Kind of the devices' keys: "ed25519" or "p256".
	Kind      string `json:"kind"`
	Connected int    `json:"connected"`
	// Reporting of them publish Rate readings a second, all together.
	Reporting int     `json:"reporting"`
	Rate      float64 `json:"rate"`
	// ConnectS is how long it took to connect all, in seconds.
	ConnectS float64 `json:"connect_s"`
	// GatewayIdleBytes is what the gateway had when all were connected and nothing had been said, GatewayRSSBytes the most it had.
	GatewayIdleBytes int64 `json:"gateway_idle_bytes"`
	GatewayRSSBytes  int64 `json:"gateway_rss_bytes"`
	// GatewayCPUUS is the gateway's processor time for each reading, with the idle connections, in microseconds.
	GatewayCPUUS float64 `json:"gateway_cpu_us"`
	// Forged devices gave evidence of another firmware.
	Forged int `json:"forged"`
	// BlocksAfterCommit is how many blocks after the evidence's own the last member still did not say that the device is suspended.
	BlocksAfterCommit int64 `json:"blocks_after_commit"`
	// ForgedMS is the time from when the evidence was sent until the last member said suspended, SpreadMS that from the first member to the last.
	ForgedMS Latency       `json:"forged_ms"`
	SpreadMS Latency       `json:"spread_ms"`
	Checks   DevicesChecks `json:"checks"`

	complaint string // an answer that no reading should get
}

// DevicesChecks are what must be true after a run.
type DevicesChecks struct {
	// OnTheLedgerOnce: what was acknowledged is on the ledger, each reading once with the value it had, and nothing else.
	OnTheLedgerOnce bool `json:"on_the_ledger_once"`
	// AllAccepted: no answer but "accepted".
	AllAccepted bool `json:"all_accepted"`
	// NoneLost: all devices were connected to the end.
	NoneLost bool `json:"none_lost"`
	// SameRootEverywhere: all members have the same state and history.
	SameRootEverywhere bool `json:"same_root_everywhere"`
	// SuspendedInItsBlock: every member says so in the block that has the evidence.
	SuspendedInItsBlock bool `json:"suspended_in_its_block"`
}

// complain keeps an answer that no reading should get.
func (r *DevicesReport) complain(said string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complaint = said
}

// check compares what the ledger lists with what was published.
func (r *devices) check(ctx context.Context) error {
	r.say("Checking every reading…")
	if _, err := r.roots(ctx); err != nil { // they are compared at the end; this waits for who is behind
		return fmt.Errorf("bench: %w", err)
	}
	if err := r.indexes(ctx, time.Now()); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	byAddress := make(map[string]*line, r.Reporting)
	for _, l := range r.lines[:r.Reporting] {
		byAddress[l.address().String()] = l
	}
	wrong, listed := "", 0
	for i, feed := range r.feeds[:(r.Reporting+r.perFeed-1)/r.perFeed] {
		found := map[string]map[uint64]bool{}
		for got, err := range r.members[i%r.net.Indexing].Readings(ctx, &apiv1.ListReadingsRequest{Feed: feed}) {
			if err != nil {
				return fmt.Errorf("bench: %w", err)
			}
			l, n := byAddress[got.GetDevice()], got.GetSequence()
			if found[got.GetDevice()] == nil {
				found[got.GetDevice()] = map[uint64]bool{}
			}
			if l == nil || found[got.GetDevice()][n] || n < 1 || n > l.sent || got.GetVerdict() != "accepted" || got.GetValue() != valueText(mantissaOf(n)) {
				wrong = got.String()
			}
			found[got.GetDevice()][n] = true
			listed++
		}
	}
	sent := 0
	for _, l := range r.lines {
		sent += int(l.sent)
	}
	if wrong != "" || listed != sent || sent != r.report.Offered {
		r.say("The ledger lists %d readings of %d that were published, and this: %s", listed, sent, wrong)
	}
	r.report.Checks.OnTheLedgerOnce = wrong == "" && listed == sent && sent == r.report.Offered
	r.report.Checks.AllAccepted = r.report.Committed == r.report.Offered
	if r.report.complaint != "" {
		r.say("A reading was answered with: %s", r.report.complaint)
	}
	return nil
}

// conclude looks at the whole network at the end.
func (r *devices) conclude(ctx context.Context) error {
	if err := r.memory(); err != nil {
		return err
	}
	var err error
	if r.report.GatewayRSSBytes, err = memoryOf(r.door.PID, peakRSS); err != nil {
		return fmt.Errorf("bench: the gateway's memory: %w", err)
	}
	r.report.Checks.NoneLost = r.lost() == 0
	r.report.Checks.SuspendedInItsBlock = r.report.Forged == r.Forged && r.report.BlocksAfterCommit == 0
	if r.report.Checks.SameRootEverywhere, err = r.roots(ctx); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func (r *DevicesReport) failed() error {
	return failing(
		claim{r.Checks.OnTheLedgerOnce, "on_the_ledger_once"}, claim{r.Checks.AllAccepted, "all_accepted"}, claim{r.Checks.NoneLost, "none_lost"},
		claim{r.Checks.SameRootEverywhere, "same_root_everywhere"}, claim{r.Checks.SuspendedInItsBlock, "suspended_in_its_block"})
}

// Gateway says how much memory the gateway has needed.
func (r *DevicesReport) Gateway() string {
	return fmt.Sprintf("the gateway has %d MiB with all connected, %d MiB at most", r.GatewayIdleBytes>>20, r.GatewayRSSBytes>>20)
}

// Suspension says how fast forged evidence was followed by suspension.
func (r *DevicesReport) Suspension() string {
	return fmt.Sprintf("%d blocks after its own; %s from sending it until every member says so; %.0f ms from the first member to the last (p99)",
		r.BlocksAfterCommit, r.ForgedMS, r.SpreadMS.P99)
}

// String is the report for people.
func (r *DevicesReport) String() string {
	var b strings.Builder
	r.lines(&b, "readings")
	line := liner(&b)
	line("devices", "%s connected with %s keys after %.1f s, %s of them reporting %.0f a second", count(r.Connected), r.Kind, r.ConnectS, count(r.Reporting), r.Rate)
	line("at the gateway", "%s; %.0f µs of processor time a reading", r.Gateway(), r.GatewayCPUUS)
	line("forged evidence", "of %d devices: suspended %s", r.Forged, r.Suspension())
	line("on the ledger once", "%v", r.Checks.OnTheLedgerOnce)
	line("all accepted", "%v", r.Checks.AllAccepted)
	line("none lost", "%v", r.Checks.NoneLost)
	line("same root everywhere", "%v", r.Checks.SameRootEverywhere)
	line("suspended in its block", "%v", r.Checks.SuspendedInItsBlock)
	return b.String()
}
