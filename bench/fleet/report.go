package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// Report is what became of a day. Its JSON names are a format.
type Report struct {
	Members int     `json:"members"`
	Devices int     `json:"devices"`
	Hours   int     `json:"hours"`
	Seed    uint64  `json:"seed"`
	Seconds float64 `json:"seconds"`
	// Verdicts as the gateway answered them.
	Verdicts
	// Tainted readings were taken in times in which their device is in doubt, whatever their verdict.
	Tainted int `json:"tainted"`
	// Readings paid and forfeited, and what was paid, in units of the asset.
	Paid       int   `json:"paid"`
	Forfeited  int   `json:"forfeited"`
	PaidAmount int64 `json:"paid_amount"`
	// Unlike honest cars, these are not as they should be.
	Cars   []Car  `json:"cars"`
	Checks Checks `json:"checks"`
}

// Car is one that is a liar or broken.
type Car struct {
	Name  string `json:"name"`
	Fault string `json:"fault"`
	// From which hour of the day on; when it was found out, and readmitted. 0: never.
	From       int `json:"from_hour"`
	Found      int `json:"found_hour,omitempty"`
	Readmitted int `json:"readmitted_hour,omitempty"`
	Verdicts
	Tainted   int `json:"tainted"`
	Paid      int `json:"paid"`
	Forfeited int `json:"forfeited"`
}

// Checks are what must be true after a day.
type Checks struct {
	// LedgerAgrees: for every car the ledger counts what was answered, and no number is missing.
	LedgerAgrees bool `json:"ledger_agrees"`
	// LiarsFound: every liar was suspended when it was asked next, and no other car ever; those that were repaired were readmitted.
	LiarsFound bool `json:"liars_found"`
	// BrokenSeen: what broken sensors and clocks said was quarantined or late, except for values that are possible.
	BrokenSeen bool `json:"broken_seen"`
	// PremiumsRight: every accepted reading was paid, or forfeited if its time is in doubt.
	PremiumsRight bool `json:"premiums_right"`
	// MoneyConserved: the cars have what was paid, the feeds have the rest, and nobody else anything.
	MoneyConserved bool `json:"money_conserved"`
	// SameRootEverywhere: all members have the same state and history.
	SameRootEverywhere bool `json:"same_root_everywhere"`
}

// conclude asks the ledger about everything and compares.
func (r *run) conclude(ctx context.Context) (*Report, error) {
	out := &Report{Members: len(r.place.APIs), Devices: r.Devices, Hours: r.Hours, Seed: r.Seed,
		Checks: Checks{LedgerAgrees: true, LiarsFound: true, BrokenSeen: true, PremiumsRight: true}}
	if err := r.sameRoots(ctx, out); err != nil {
		return nil, err
	}
	sources := map[string]*apiv1.FeedSource{}
	for _, f := range r.feeds {
		for _, s := range f.GetSources() {
			sources[s.GetDevice()] = s
		}
	}
	for i, c := range r.cars {
		one, err := r.judge(ctx, c, sources[c.address.String()], r.devices[i], &out.Checks)
		if err != nil {
			return nil, err
		}
		out.add(one.Verdicts)
		out.Tainted, out.Paid, out.Forfeited = out.Tainted+one.Tainted, out.Paid+one.Paid, out.Forfeited+one.Forfeited
		if c.Fault != Honest {
			out.Cars = append(out.Cars, one)
		}
	}
	if err := r.money(ctx, out); err != nil {
		return nil, err
	}
	out.Seconds = time.Since(r.started).Seconds()
	return out, nil
}

// judge compares one car with what the ledger has of it.
func (r *run) judge(ctx context.Context, c *car, s *apiv1.FeedSource, d *apiv1.Device, checks *Checks) (Car, error) {
	one := Car{Name: c.name, Fault: c.Fault, From: c.From, Found: r.found[c], Readmitted: r.readmitted[c], Verdicts: c.answered,
		Paid: int(s.GetPaid()), Forfeited: int(s.GetForfeited())}
	doubtedAccepted := 0
	if len(d.GetDoubts()) > 0 {
		taint, err := r.client.Taint(ctx, c.address)
		if err != nil {
			return one, err
		}
		for _, f := range taint.GetFeeds() {
			doubtedAccepted += int(f.GetAccepted())
			one.Tainted += int(f.GetAccepted() + f.GetLate() + f.GetQuarantined())
		}
	}
	hold := func(check *bool, ok bool, what string, a ...any) {
		if !ok {
			*check = false
			r.say("%s (%s): %s", c.name, c.Fault, fmt.Sprintf(what, a...))
		}
	}
	ledger := Verdicts{int(s.GetAccepted()), int(s.GetLate()), int(s.GetQuarantined()), int(s.GetRefused())}
	hold(&checks.LedgerAgrees, c.strange == "", "an answer that should not be: %s", c.strange)
	hold(&checks.LedgerAgrees, ledger == c.answered && s.GetMissing() == 0, "answered %+v, on the ledger %+v, %d missing", c.answered, ledger, s.GetMissing())
	found, readmitted := 0, 0
	if c.Fault == Liar {
		found = min((c.From/r.askEvery()+1)*r.askEvery(), r.Hours)
	}
	if c.Repaired > 0 {
		readmitted = min(c.Repaired+r.askEvery(), r.Hours)
	}
	hold(&checks.LiarsFound, one.Found == found && one.Readmitted == readmitted, "found at hour %d, not %d; readmitted at %d, not %d", one.Found, found, one.Readmitted, readmitted)
	hold(&checks.BrokenSeen, r.seen(c), "answered %+v", c.answered)
	hold(&checks.PremiumsRight, one.Paid+one.Forfeited == ledger.Accepted && one.Forfeited == doubtedAccepted && s.GetDue() == 0,
		"%d accepted, of them %d in doubt; %d paid, %d forfeited, %d wait", ledger.Accepted, doubtedAccepted, one.Paid, one.Forfeited, s.GetDue())
	return one, nil
}

// seen says whether a car's readings got the verdicts that its fault deserves. All the while it was in order they are accepted.
func (r *run) seen(c *car) bool {
	hours := r.Hours - c.From
	bad := hours * 60 / r.EveryMinutes
	fine := r.Hours*60/r.EveryMinutes - bad
	v := c.answered
	switch c.Fault {
	case OutOfRange, ClockFast: // as many as there is room for are kept
		return v.Accepted == fine && v.Late == 0 && v.Quarantined > 0 && v.Quarantined+v.Refused == bad
	case ClockSlow:
		return v.Accepted == fine && v.Late == bad
	case Liar:
		return v.Late == 0
	}
	return v.Accepted == fine+bad
}

// money adds up what everybody has.
func (r *run) money(ctx context.Context, out *Report) error {
	sum := int64(0)
	for _, c := range r.cars {
		amount, err := r.balance(ctx, c)
		if err != nil {
			return err
		}
		sum += amount
	}
	class, err := r.client.Asset(ctx, asset)
	if err != nil {
		return err
	}
	left := int64(0)
	for _, f := range r.feeds {
		funds, err := strconv.ParseInt(f.GetFeed().GetFunds(), 10, 64)
		if err != nil {
			return err
		}
		left += funds
	}
	out.PaidAmount = sum
	out.Checks.MoneyConserved = sum == int64(out.Paid)*premium && sum+left == r.funds && class.GetSupply() == strconv.FormatInt(r.funds, 10)
	if !out.Checks.MoneyConserved {
		r.say("%d readings are paid, the cars have %d, the feeds %d of %d, and the supply is %s", out.Paid, sum, left, r.funds, class.GetSupply())
	}
	return nil
}

func (r *run) balance(ctx context.Context, c *car) (int64, error) {
	b, _, err := r.client.Balance(ctx, asset, c.address, 0)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(b.GetAmount(), 10, 64)
}

// sameRoots waits until all members are at one height and the indexes as well, and compares what the members have.
func (r *run) sameRoots(ctx context.Context, out *Report) error {
	var members []*client.Client
	for _, api := range r.place.APIs {
		c, err := client.Dial(client.Config{Addresses: []string{api}, Network: r.id})
		if err != nil {
			return err
		}
		members = append(members, c)
	}
	return r.until(ctx, "the members do not come to the same height", func() (bool, error) {
		var first *apiv1.GetStatusResponse
		for i, c := range members {
			st, err := c.Status(ctx)
			if err != nil {
				return false, err
			}
			if first == nil {
				first, out.Checks.SameRootEverywhere = st, true
			}
			if st.GetHeight() != first.GetHeight() || i < r.place.Indexing && st.GetIndexHeight() < st.GetHeight() {
				return false, nil
			}
			out.Checks.SameRootEverywhere = out.Checks.SameRootEverywhere && st.GetAppHash() == first.GetAppHash()
		}
		return true, nil
	})
}

func (r *Report) failed() error {
	var bad []string
	for _, c := range []struct {
		ok   bool
		what string
	}{
		{r.Checks.LedgerAgrees, "ledger_agrees"}, {r.Checks.LiarsFound, "liars_found"}, {r.Checks.BrokenSeen, "broken_seen"},
		{r.Checks.PremiumsRight, "premiums_right"}, {r.Checks.MoneyConserved, "money_conserved"}, {r.Checks.SameRootEverywhere, "same_root_everywhere"},
	} {
		if !c.ok {
			bad = append(bad, c.what)
		}
	}
	if len(bad) > 0 {
		return errors.New("checks failed: " + strings.Join(bad, ", "))
	}
	return nil
}

// String is the report for people.
func (r *Report) String() string {
	var b strings.Builder
	line := func(what, format string, a ...any) {
		fmt.Fprintf(&b, "%-22s "+format+"\n", append([]any{what}, a...)...)
	}
	line("fleet", "%d cars, %d hours, seed %d, %d members, in %.0f s", r.Devices, r.Hours, r.Seed, r.Members, r.Seconds)
	line("readings", "%d accepted, %d late, %d quarantined, %d refused", r.Accepted, r.Late, r.Quarantined, r.Refused)
	line("tainted", "%d readings, of times in which their car is in doubt", r.Tainted)
	line("premiums", "%d readings paid with %d %s, %d forfeited", r.Paid, r.PaidAmount, asset, r.Forfeited)
	for _, c := range r.Cars {
		what := "not found: the values are possible"
		switch {
		case c.Fault == Liar && c.Found == 0:
			what = "NOT FOUND"
		case c.Fault == Liar && c.Readmitted > 0:
			what = "found at " + clock(c.Found) + ", readmitted at " + clock(c.Readmitted)
		case c.Fault == Liar:
			what = "found at " + clock(c.Found)
		case c.Late+c.Quarantined+c.Refused > 0:
			what = fmt.Sprintf("%d late, %d quarantined, %d refused", c.Late, c.Quarantined, c.Refused)
		}
		if c.Tainted > 0 {
			what += fmt.Sprintf("; %d tainted, %d forfeited", c.Tainted, c.Forfeited)
		}
		line(c.Name, "%s from %s: %s", c.Fault, clock(c.From), what)
	}
	line("ledger agrees", "%v", r.Checks.LedgerAgrees)
	line("liars found", "%v", r.Checks.LiarsFound)
	line("broken seen", "%v", r.Checks.BrokenSeen)
	line("premiums right", "%v", r.Checks.PremiumsRight)
	line("money conserved", "%v", r.Checks.MoneyConserved)
	line("same root everywhere", "%v", r.Checks.SameRootEverywhere)
	return b.String()
}
