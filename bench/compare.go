package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Comparison says which two loads of payments to compare: the same but for how many accounts there are, each on a network of its own. The
// networks take turns, so that both meet the machine as it happens to be: on a rented one the same run differs by a third from one
// quarter of an hour to the next.
type Comparison struct {
	// Payments among many accounts. Seconds is how long the clock runs in each turn.
	Payments
	// Against is how many accounts the other network has.
	Against int
	// Turns that each network has. Who is first changes with each.
	Turns int
}

// ComparisonReport is what a comparison measured and found. Its JSON names are a format.
type ComparisonReport struct {
	// Of is about the network with many accounts, Against about the other.
	Of      *Report `json:"of"`
	Against *Report `json:"against"`
	// Turns has what each committed a second, turn by turn.
	Turns []Turn `json:"turns"`
	// Throughput is what Of commits of what Against commits in the same time; ProcessorTime is what a payment takes of its members with
	// Against for what it takes with Of. Both are below 1 when many accounts cost more.
	Throughput    float64 `json:"throughput"`
	ProcessorTime float64 `json:"processor_time"`
}

// Turn is what the two networks committed a second, one after the other.
type Turn struct {
	Of      float64 `json:"of"`
	Against float64 `json:"against"`
}

// Run opens the accounts of both networks, loads them in turns, and checks both results. Progress and errors are as with Payments.Run.
func (c Comparison) Run(ctx context.Context, of, against Network, progress io.Writer) (*ComparisonReport, error) {
	if c.Turns < 1 || c.Seconds > roundSeconds {
		return nil, fmt.Errorf("bench: want at least one turn, each of at most %d seconds", roundSeconds)
	}
	many, err := c.start(ctx, of, progress)
	if err != nil {
		return nil, err
	}
	fewer := c.Payments
	fewer.Accounts = c.Against
	few, err := fewer.start(ctx, against, progress)
	if err != nil {
		return nil, err
	}
	report := &ComparisonReport{}
	for i := range c.Turns {
		turn, err := takeTurn(ctx, i, c.Seconds, many, few)
		if err != nil {
			return nil, err
		}
		report.Turns = append(report.Turns, turn)
		many.say("Turn %d of %d: %s and %s committed a second: %.2f.", i+1, c.Turns, count(int(turn.Of)), count(int(turn.Against)), turn.Of/turn.Against)
	}
	many.report.finish()
	few.report.finish()
	var failed error
	if report.Against, failed = few.conclude(ctx); report.Against == nil {
		return nil, failed
	}
	if report.Of, err = many.conclude(ctx); report.Of == nil {
		return nil, err
	}
	report.Throughput = report.Of.CommittedPerS / report.Against.CommittedPerS
	report.ProcessorTime = report.Against.MemberCPUUS / report.Of.MemberCPUUS
	return report, errors.Join(err, failed)
}

// takeTurn loads one network and then the other; every second time the other one is first.
func takeTurn(ctx context.Context, i, seconds int, many, few *run) (turn Turn, err error) {
	type side struct {
		*run
		rate *float64
	}
	sides := []side{{many, &turn.Of}, {few, &turn.Against}}
	if i%2 == 1 {
		slices.Reverse(sides)
	}
	for _, s := range sides {
		before, clock := s.report.inTime()
		if err := s.turn(ctx, seconds); err != nil {
			return turn, err
		}
		after, end := s.report.inTime()
		*s.rate = float64(after-before) / (end - clock)
		if err := s.indexes(ctx, time.Now()); err != nil { // what is left to do would be done in the other's turn
			return turn, err
		}
	}
	return turn, nil
}

// String is the report for people.
func (r *ComparisonReport) String() string {
	var b strings.Builder
	for _, one := range []*Report{r.Of, r.Against} {
		fmt.Fprintf(&b, "== %s accounts\n%s", count(one.Accounts), one)
	}
	fmt.Fprintf(&b, "== %s accounts against %s\n", count(r.Of.Accounts), count(r.Against.Accounts))
	line := liner(&b)
	turns := make([]string, len(r.Turns))
	for i, t := range r.Turns {
		turns[i] = fmt.Sprintf("%.2f", t.Of/t.Against)
	}
	line("throughput", "%.2f of it; in turns %s", r.Throughput, strings.Join(turns, ", "))
	line("processor time", "%.2f: %.1f µs a payment against %.1f µs", r.ProcessorTime, r.Of.MemberCPUUS, r.Against.MemberCPUUS)
	return b.String()
}
