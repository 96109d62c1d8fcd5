package bench

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// String is the report for people.
func (r *Report) String() string {
	var b strings.Builder
	r.lines(&b, "payments")
	line := liner(&b)
	for _, k := range r.Keys {
		line("keys, "+k.Kind, "%s payments by %s accounts, %s bytes each; one core verifies %s a second", count(k.Committed), count(k.Accounts), count(k.TransactionBytes), count(int(k.VerifyPerCoreS)))
	}
	if m := r.Mix; m != nil {
		line("mixed signatures", "one core verifies %s a second; %s to be expected from each kind's rate: %.2f", count(int(m.MeasuredPerCoreS)), count(int(m.ExpectedPerCoreS)), m.OfExpected)
	}
	line("supply conserved", "%v", r.Checks.SupplyConserved)
	line("same root everywhere", "%v", r.Checks.SameRootEverywhere)
	line("receipts valid", "%d of %d, %d bytes each", r.Checks.ReceiptsValid, r.Checks.ReceiptsSampled, r.ReceiptBytes)
	return b.String()
}

func liner(b *strings.Builder) func(what, format string, a ...any) {
	return func(what, format string, a ...any) {
		fmt.Fprintf(b, "%-22s "+format+"\n", append([]any{what}, a...)...)
	}
}

// lines tells what every benchmark measures, of payments, say.
func (r *Measured) lines(b *strings.Builder, of string) {
	line := liner(b)
	line("members", "%d, %d indexing, %d cores", r.Members, r.IndexingMembers, r.Cores)
	line("committed", "%s %s of %s offered in %.1f s", count(r.Committed), of, count(r.Offered), r.Seconds)
	line("throughput", "%s/s, %.2f of the %s/s that checking signatures alone allows", count(int(r.CommittedPerS)), r.OfLimit, count(int(r.LimitPerS)))
	line("latency", "%s", r.LatencyMS)
	if r.LastMinutePerS > 0 {
		line("first and last minute", "%s/s, %s/s: %.2f", count(int(r.FirstMinutePerS)), count(int(r.LastMinutePerS)), r.LastMinutePerS/r.FirstMinutePerS)
	}
	line("processor time", "%.1f µs for each on all members together, %.1f µs to offer it", r.MemberCPUUS, r.ClientCPUUS)
	line("memory", "%s, %s state keys", r.Memory(), count(int(r.StateKeys)))
	line("index", "caught up after %.1f s", r.IndexLagS)
}

// Memory says how much the largest member has needed.
func (r *Measured) Memory() string {
	var most int64
	for _, n := range r.RSSBytes {
		most = max(most, n)
	}
	return fmt.Sprintf("%d MiB a member at most", most>>20)
}

func (l Latency) String() string {
	return fmt.Sprintf("p50 %.0f ms, p95 %.0f ms, p99 %.0f ms", l.P50, l.P95, l.P99)
}

// The picture's measures, in pixels.
const (
	plotWidth, plotHeight = 800, 220
	plotLeft, plotTop     = 70, 40
	plotGap               = 90
)

// Plot draws throughput and latency over the seconds of the clock as SVG.
func (r *Report) Plot() []byte {
	rates, p50, p99 := make([]float64, len(r.timeline)), make([]float64, len(r.timeline)), make([]float64, len(r.timeline))
	for i, bucket := range r.timeline {
		rates[i] = float64(bucket.committed)
		if n := len(bucket.latencies); n > 0 {
			sorted := slices.Sorted(slices.Values(bucket.latencies))
			p50[i], p99[i] = float64(sorted[n/2]), float64(sorted[min(n-1, n*99/100)])
		}
	}
	var b bytes.Buffer
	width, height := plotLeft+plotWidth+30, plotTop+2*plotHeight+plotGap+50
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	panel(&b, plotTop, fmt.Sprintf("committed a second, %d members: %s on average", r.Members, count(int(r.CommittedPerS))), series{rates, "#1f6f5c"})
	panel(&b, plotTop+plotHeight+plotGap, fmt.Sprintf("latency in ms: p50 %.0f (dark), p99 %.0f (light)", r.LatencyMS.P50, r.LatencyMS.P99),
		series{p99, "#e0a458"}, series{p50, "#7a4a12"})
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">seconds of the clock</text>`+"\n</svg>\n", plotLeft+plotWidth, height-8)
	return b.Bytes()
}

type series struct {
	values []float64
	colour string
}

// panel draws lines over seconds with a scale from 0.
func panel(b *bytes.Buffer, top int, title string, lines ...series) {
	high, seconds := 1.0, 1
	for _, l := range lines {
		for _, v := range l.values {
			high = max(high, v)
		}
		seconds = max(seconds, len(l.values))
	}
	high = round(high)
	x := func(i int) float64 { return plotLeft + plotWidth*(float64(i)+0.5)/float64(seconds) }
	y := func(v float64) float64 { return float64(top) + plotHeight*(1-v/high) }
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="15">%s</text>`+"\n", plotLeft, top-12, title)
	for i := range 5 {
		v := high * float64(i) / 4
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, y(v), plotLeft+plotWidth, plotLeft-8, y(v)+4, count(int(v)))
	}
	for i := 0; i < seconds; i += max(1, seconds/10) {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", x(i), top+plotHeight+18, i+1)
	}
	for _, l := range lines {
		var points strings.Builder
		for i, v := range l.values {
			fmt.Fprintf(&points, "%.1f,%.1f ", x(i), y(v))
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", points.String(), l.colour)
	}
}

// round is the next number above v that reads well in quarters.
func round(v float64) float64 {
	step := 1.0
	for step*10 <= v {
		step *= 10
	}
	for _, m := range []float64{1, 2, 4, 8, 10} {
		if step*m >= v {
			return max(step*m, 4)
		}
	}
	return v
}
