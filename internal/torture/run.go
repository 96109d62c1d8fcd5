package torture

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// Config says how a run goes.
type Config struct {
	// Dir is an empty folder for the members and, when something fails, the history.
	Dir string
	// Binary is the dure to run.
	Binary  string
	Members int
	// Namespaces joins the members by network namespaces instead of proxies; needs root.
	Namespaces bool
	// Seed decides the faults and what the clients try.
	Seed uint64
	// Kinds of faults, all if empty.
	Kinds []Kind
	// Rounds and Duration bound the run, whichever ends it first; 0: not.
	Rounds   int
	Duration time.Duration
	// Rate is how many transfers a second are offered besides the clients that are checked for linearizability.
	Rate int
	// LogLevel of the nodes; empty: theirs.
	LogLevel string
	// Recovery is how long the network and every member may take until all goes on after a fault. It does not count
	// where this process itself was not given the processor for half a second, which the report says.
	Recovery time.Duration
	// Progress, if set, is told each round as it ends.
	Progress func(Round)
}

// Moments of a round.
const (
	// warm is how much must be committed before a fault.
	warm = 20
	// warmWithin bounds the time until then.
	warmWithin = 30 * time.Second
	// inFlight is how long after parting the members blocks may still come: votes were on their way.
	inFlight = 1500 * time.Millisecond
	// after is how long the load goes on when all is well again.
	after = time.Second
)

// Run makes a network and tortures it. The error is what could not be done; violations are in the report.
func Run(ctx context.Context, c Config) (*Report, error) {
	accounts := cast()
	net, err := New(Setup{
		Dir: filepath.Join(c.Dir, "net"), Binary: c.Binary, Members: c.Members, Namespaces: c.Namespaces, Seed: c.Seed, LogLevel: c.LogLevel, Accounts: accounts,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &runner{Config: c, net: net, ledger: newLedger(accounts), began: time.Now(), report: newReport(c, net)}
	err = r.run(ctx)
	return r.report, errors.Join(err, net.Close())
}

type runner struct {
	Config
	net     *Network
	ledger  *ledger
	network string
	began   time.Time
	report  *Report
	canary  canary
}

func (r *runner) run(ctx context.Context) error {
	if err := r.net.Start(ctx); err != nil {
		return err
	}
	go r.canary.sing(ctx)
	s, err := r.net.Status(ctx, 0)
	if err != nil {
		return err
	}
	r.network, r.report.Version = s.GetNetwork(), s.GetVersion()
	schedule := NewSchedule(r.Seed, r.net.Size(), r.Kinds...)
	for number := 1; ctx.Err() == nil; number++ {
		if r.Rounds > 0 && number > r.Rounds || r.Duration > 0 && time.Since(r.began) > r.Duration {
			break
		}
		round := Round{Number: number, Fault: schedule.Next()}
		if err := r.round(ctx, &round); err != nil {
			return err
		}
		r.report.add(round)
		if r.Progress != nil {
			r.Progress(round)
		}
		if len(round.Violations) > 0 {
			break
		}
	}
	r.report.Seconds = time.Since(r.began).Seconds()
	return nil
}

// round plays one fault and audits what came of it. Violations are in the round.
func (r *runner) round(ctx context.Context, round *Round) error {
	round.Name = round.Fault.String()
	h := &history{began: r.began}
	w := &workload{net: r.net, cast: r.ledger.cast, network: r.network, history: h, seed: r.Seed + uint64(round.Number)<<32, round: round.Number}
	w.start(ctx, r.Rate)
	err := r.play(ctx, round, h)
	w.end()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	round.blame(err)
	a := &audit{net: r.net, ledger: r.ledger, history: h, network: r.network}
	if err == nil || round.Recovered > 0 { // else the members are not in a state to be asked
		round.blame(a.run(ctx))
	}
	round.count(h, a)
	round.blame(r.net.complaints())
	if len(round.Violations) == 0 {
		return nil
	}
	round.History = filepath.Join(r.Dir, fmt.Sprintf("history-%d.jsonl", round.Number))
	return h.write(round.History)
}

// play waits for the load to flow, strikes, holds, heals and waits until all goes on.
func (r *runner) play(ctx context.Context, round *Round, h *history) error {
	if err := until(ctx, warmWithin, func(context.Context) bool { return h.count((*call).inHistory) >= warm }); err != nil {
		return fmt.Errorf("before the fault only %d transactions were committed in %v", h.count((*call).inHistory), warmWithin)
	}
	f := round.Fault
	if err := r.net.inject(f); err != nil {
		return err
	}
	held := r.hold(ctx, f, h)
	mark := time.Now()
	r.canary.take()
	if err := r.net.mend(ctx, f); err != nil {
		return err
	}
	if err := r.recover(ctx, f, h, mark); err != nil {
		return errors.Join(held, err)
	}
	round.Recovered, round.Late = time.Since(mark), r.canary.take()
	if round.Recovered > r.Recovery && round.Late < starved {
		held = errors.Join(held, fmt.Errorf("it took %v until all went on, more than %v", round.Recovered.Round(time.Millisecond), r.Recovery))
	}
	_ = until(ctx, after, func(context.Context) bool { return false })
	return held
}

// hold lets the fault last and sees whether the network goes on exactly if it may.
func (r *runner) hold(ctx context.Context, f Fault, h *history) error {
	began := h.now()
	stops := f.stops(r.net.Size())
	rest := f.Hold
	var before int64
	if stops && rest > inFlight {
		_ = until(ctx, inFlight, func(context.Context) bool { return false })
		rest -= inFlight
		before, began = r.net.highest(ctx), h.now()
	}
	_ = until(ctx, rest, func(context.Context) bool { return false })
	now := h.now()
	committed := func(c *call) bool { return c.inHistory() && c.Invoked > began && c.Returned < now }
	switch {
	case stops && f.Hold > inFlight:
		if height, acknowledged := r.net.highest(ctx), h.count(committed); height > before && before > 0 || acknowledged > 0 {
			return fmt.Errorf("without a majority: from height %d to %d, %d transactions acknowledged", before, height, acknowledged)
		}
	case !stops && f.Hold >= 4*time.Second && h.count(committed) == 0:
		return fmt.Errorf("a fault that must not stop the network stopped it: nothing was committed in %v", f.Hold)
	}
	return nil
}

// recover waits until every member is where the others are and something submitted after the fault is committed.
func (r *runner) recover(ctx context.Context, f Fault, h *history, mark time.Time) error {
	since := int64(mark.Sub(h.began))
	newer := func(c *call) bool { return c.inHistory() && c.Invoked > since }
	missing := r.net.all()
	err := until(ctx, max(time.Minute, 3*r.Recovery), func(ctx context.Context) bool {
		missing = slices.DeleteFunc(missing, func(i int) bool { return r.net.level(ctx, i) })
		return len(missing) == 0 && h.count(newer) > 0
	})
	if err != nil {
		return fmt.Errorf("a minute after %s members %v were behind and %d new transactions committed", f, missing, h.count(newer))
	}
	return nil
}

// inject does the fault.
func (n *Network) inject(f Fault) error {
	switch f.Kind {
	case Kill, KillAgain:
		n.Kill(f.Members...)
	case Freeze:
		for _, i := range f.Members {
			if err := n.members[i].freeze(); err != nil {
				return err
			}
		}
	case Cut:
		return n.fabric.cut(f.Members, f.style)
	case Bad:
		return n.fabric.weather(f.weather)
	}
	return nil
}

// mend ends the fault. Killed members have been started but need not answer yet.
func (n *Network) mend(ctx context.Context, f Fault) error {
	for _, i := range f.Members {
		var err error
		switch f.Kind {
		case Kill:
			err = n.members[i].start()
		case KillAgain:
			if err = n.Start(ctx, i); err == nil { // catching up now, or soon
				n.Kill(i)
				err = n.members[i].start()
			}
		case Freeze:
			err = n.members[i].thaw()
		}
		if err != nil {
			return err
		}
	}
	return n.fabric.heal()
}

// highest is the greatest height that a member names.
func (n *Network) highest(ctx context.Context) int64 {
	var top int64
	for i := range n.Size() {
		if s, err := n.Status(ctx, i); err == nil {
			top = max(top, s.GetHeight())
		}
	}
	return top
}

// level says whether a member is as high as every other was just before.
func (n *Network) level(ctx context.Context, i int) bool {
	var top int64
	for k := range n.Size() {
		if k == i {
			continue
		}
		s, err := n.Status(ctx, k)
		if err != nil {
			return false
		}
		top = max(top, s.GetHeight())
	}
	var s *apiv1.GetStatusResponse
	s, err := n.Status(ctx, i)
	return err == nil && !s.GetCatchingUp() && s.GetHeight() >= top
}

// complaints are members that ended by themselves and lines in logs that must never be there.
func (n *Network) complaints() error {
	var out []error
	for i, m := range n.members {
		if m.ended() {
			out = append(out, fmt.Errorf("member %d ended by itself:\n%s", i, m.tail()))
		}
		for line := range strings.Lines(m.news()) {
			for _, bad := range []string{"panic: ", "CONSENSUS FAILURE", "a fault of the software", "DATA RACE", "signed twice"} {
				if strings.Contains(line, bad) {
					out = append(out, fmt.Errorf("member %d logged: %s", i, strings.TrimSpace(line)))
				}
			}
		}
	}
	return errors.Join(out...)
}
