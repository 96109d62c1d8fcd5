package torture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dureledger/dure/client"
)

// audit checks a round after its load has ended and all members run and are joined.
type audit struct {
	net     *Network
	ledger  *ledger
	history *history
	network string
	known   map[string]*call
	// decided counts what clients had to leave undecided.
	applied, never int
}

func (a *audit) run(ctx context.Context) error {
	a.known = map[string]*call{}
	for _, c := range a.history.calls {
		if c.ID != "" {
			a.known[c.ID] = c
		}
	}
	if err := a.decide(ctx); err != nil {
		return err
	}
	status, err := a.net.settled(ctx)
	if err != nil {
		return err
	}
	entries, err := a.net.histories(ctx, a.ledger.size, status.GetTransactions())
	if err != nil {
		return err
	}
	start := slices.Clone(a.ledger.balances)
	if err := a.ledger.apply(entries, a.known); err != nil {
		return err
	}
	if err := a.answers(entries); err != nil {
		return err
	}
	if err := a.money(ctx); err != nil {
		return err
	}
	if err := a.reads(); err != nil {
		return err
	}
	err = linearizable(a.history.calls, start)
	a.ledger.forget()
	return err
}

// decide submits again what clients left undecided, and lets the last moment of what still has no outcome pass.
func (a *audit) decide(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var latest time.Time
	var again []*client.Signed
	for _, c := range a.history.calls {
		if c.Verdict == isUndecided && c.raw != nil {
			again = append(again, &client.Signed{Raw: c.raw, ID: c.ID, NotAfter: c.notAfter})
		}
	}
	for i, r := range a.net.Client().SubmitMany(ctx, again) {
		if s := again[i]; r.Outcome == nil || r.Outcome.GetStatus() == client.StatusVoid {
			latest = later(latest, s.NotAfter)
		}
	}
	for !latest.IsZero() {
		passed, err := a.marker(ctx)
		if err != nil {
			return fmt.Errorf("the network takes no transaction after the round: %w", err)
		}
		if passed.After(latest) {
			break
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// marker commits a transfer and returns the time of its block.
func (a *audit) marker(ctx context.Context) (time.Time, error) {
	from, to := till(0), till(1)
	d := client.NewTransaction(a.network).Transfer(a.ledger.cast[from].Address(), a.ledger.cast[to].Address(), Asset, "1")
	s, err := d.Sign(time.Now(), a.ledger.cast[from].Signer)
	if err != nil {
		return time.Time{}, err
	}
	c := &call{Op: opBulk, ID: s.ID, From: from, To: to, Amount: 1, Member: -1, Invoked: a.history.now(), raw: s.Raw, notAfter: s.NotAfter}
	a.known[s.ID] = c
	o, err := a.net.Client().Submit(ctx, s)
	c.Returned = a.history.now()
	c.judge(o, err)
	a.history.add(c)
	if err := errors.Join(err, client.Check(o)); err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, o.GetTime())
}

// answers holds the history against what clients were told, and decides what they were not.
func (a *audit) answers(entries []entry) error {
	in := make(map[string]entry, len(entries))
	for _, e := range entries {
		in[e.id] = e
	}
	for _, c := range a.history.calls {
		if c.ID == "" {
			continue
		}
		e, there := in[c.ID]
		switch {
		case c.inHistory() && !there:
			return fmt.Errorf("LOST: transaction %s was acknowledged at height %d and is not in the history", c.ID, c.Height)
		case c.inHistory() && (e.height != c.Height || e.seq != c.Seq || e.status != c.Verdict || e.code != c.Code):
			return fmt.Errorf("transaction %s was answered as %s %s, number %d at height %d, and is %+v", c.ID, c.Verdict, c.Code, c.Seq, c.Height, e)
		case c.Verdict == isRefused && there:
			return fmt.Errorf("transaction %s was refused (%s: %s) and is in the history: %+v", c.ID, c.Code, c.Detail, e)
		case c.Verdict == isUndecided && there:
			a.applied++
			c.Verdict, c.Code, c.Height, c.Seq, c.Returned = e.status, e.code, e.height, e.seq, forever
		case c.Verdict == isUndecided:
			a.never++
			c.Verdict = isNever
		}
	}
	return nil
}

// money compares the members' balances and supply with those that follow from the history.
func (a *audit) money(ctx context.Context) error {
	var supply uint64
	for _, b := range a.ledger.balances {
		supply += b
	}
	for i := range a.net.Size() {
		c := a.net.client(5*time.Second, i)
		class, err := c.Asset(ctx, Asset)
		if err != nil {
			return fmt.Errorf("the supply at member %d: %w", i, err)
		}
		if class.GetSupply() != fmt.Sprint(supply) {
			return fmt.Errorf("the supply at member %d is %s, the balances are %d", i, class.GetSupply(), supply)
		}
		for k, want := range a.ledger.balances {
			b, height, err := c.Balance(ctx, Asset, a.ledger.cast[k].Address(), 0)
			if err != nil {
				return fmt.Errorf("a balance at member %d: %w", i, err)
			}
			if b.GetAmount() != fmt.Sprint(want) {
				return fmt.Errorf("account %d has %s at member %d, height %d; its history gives %d", k, b.GetAmount(), i, height, want)
			}
		}
	}
	return nil
}

// reads checks every balance that was shown: it is the one of its height; a member never goes back, not even over a
// crash, and shows at least what it acknowledged before.
func (a *audit) reads() error {
	for _, c := range a.history.calls {
		for i, amount := range c.Balances {
			account := c.Account
			if c.Op == opRead {
				account = inGroup(c.Group, i)
			}
			if want := a.ledger.at(account, c.Height); amount != want {
				return fmt.Errorf("member %d showed %d for account %d at height %d, where it has %d (%s by client %d)", c.Member, amount, account, c.Height, want, c.Op, c.Client)
			}
		}
	}
	calls := slices.Clone(a.history.calls)
	slices.SortStableFunc(calls, func(x, y *call) int { return compare(x.Invoked, y.Invoked) })
	var told []*call // what one member alone acknowledged
	for _, c := range calls {
		if c.Member >= 0 && c.Height > 0 && c.Returned != forever {
			told = append(told, c)
		}
	}
	byEnd := slices.Clone(told)
	slices.SortStableFunc(byEnd, func(x, y *call) int { return compare(x.Returned, y.Returned) })
	reached := map[int]int64{}
	for _, c := range told {
		for ; byEnd[0].Returned < c.Invoked; byEnd = byEnd[1:] {
			reached[byEnd[0].Member] = max(reached[byEnd[0].Member], byEnd[0].Height)
		}
		if c.Op == opGlance && c.Height < reached[c.Member] {
			return fmt.Errorf("member %d showed height %d after it had answered with height %d", c.Member, c.Height, reached[c.Member])
		}
	}
	return nil
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
