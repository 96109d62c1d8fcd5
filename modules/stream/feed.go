package stream

import (
	"fmt"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// open makes a feed that the actor operates.
func (m *Module) open(c *exec.Context, call *streamv1.Open) error {
	if !reading.ValidFeed(call.GetFeed()) {
		return fault.New("stream.bad_name", fmt.Sprintf("%.40q cannot name a feed: want a lower-case letter, then up to 31 of a-z, 0-9, '.' and '-'.", call.GetFeed()),
			"feed", call.GetFeed())
	}
	if err := m.checkTerms(c.View, call.GetTerms()); err != nil {
		return err
	}
	if old, ok := feeds.Get(c.View, call.GetFeed()); ok {
		operator := tx.Address(old.GetOperator())
		return fault.New("stream.exists", "The feed "+call.GetFeed()+" exists already; its operator is "+operator.String()+". Choose another name.",
			"feed", call.GetFeed(), "operator", operator)
	}
	feeds.Set(c.View, call.GetFeed(), &streamv1.Feed{Operator: c.Actor[:], Terms: call.GetTerms(), OpenedAt: c.Time, Funds: "0"})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamOpened{StreamOpened: &streamv1.Opened{Feed: call.GetFeed(), Operator: c.Actor[:]}}})
	return nil
}

// checkTerms checks every limit of a feed's terms.
func (m *Module) checkTerms(g state.Getter, t *streamv1.Terms) error {
	if err := text.Check("stream.bad_text", "title", t.GetTitle(), 1, MaxTitle); err != nil {
		return err
	}
	if err := text.Check("stream.bad_text", "unit", t.GetUnit(), 1, MaxUnit); err != nil {
		return err
	}
	for _, limit := range []struct {
		name        string
		value       int64
		least, most int64
	}{
		{"decimals", int64(t.GetDecimals()), 0, MaxDecimals},
		{"late_ms", t.GetLateMs(), 0, MaxLateMs},
		{"ahead_ms", t.GetAheadMs(), 0, MaxAheadMs},
		{"stale_ms", t.GetStaleMs(), 1, MaxStaleMs},
		{"min_sources", int64(t.GetMinSources()), 1, MaxDevices},
		{"min_level", int64(t.GetMinLevel()), 0, int64(devicev1.Level_LEVEL_MEASURED_BOOT)},
		{"appeal_ms", t.GetAppealMs(), 0, MaxAppealMs},
		{"premium.dispute_ms", t.GetPremium().GetDisputeMs(), 0, MaxDisputeMs},
		{"premium.every_ms", t.GetPremium().GetEveryMs(), 0, MaxStaleMs},
	} {
		if limit.value < limit.least || limit.value > limit.most {
			return fault.New("stream.bad_terms", fmt.Sprintf("The feed's %s may be %d to %d, not %d.", limit.name, limit.least, limit.most, limit.value),
				"field", limit.name, "value", limit.value, "least", limit.least, "most", limit.most)
		}
	}
	if t.GetLeast() > t.GetMost() {
		return fault.New("stream.bad_terms", "The least that a reading may say is more than the most.", "least", t.GetLeast(), "most", t.GetMost())
	}
	return m.checkPremium(g, t.GetPremium())
}

func (m *Module) checkPremium(g state.Getter, p *streamv1.Premium) error {
	if p == nil {
		return nil
	}
	amount, err := tx.ParseAmount(p.GetAmount())
	if err != nil {
		return err
	}
	if amount.IsZero() {
		return fault.New("amount.zero", "The premium is zero. Leave it out for a feed that pays nothing.", "amount", p.GetAmount())
	}
	if !m.assets.Exists(g, p.GetAsset()) {
		return fault.New("asset.unknown", fmt.Sprintf("There is no asset %.40q to pay the premium in.", p.GetAsset()), "asset", p.GetAsset())
	}
	return nil
}

// find returns a feed, open or closed.
func find(g state.Getter, id string) (*streamv1.Feed, error) {
	f, ok := feeds.Get(g, id)
	if !ok {
		return nil, fault.New("stream.unknown", fmt.Sprintf("There is no feed %.40q.", id), "feed", id)
	}
	return f, nil
}

// operated is find for the feed's operator.
func operated(c *exec.Context, id string) (*streamv1.Feed, error) {
	f, err := find(c.View, id)
	if err != nil {
		return nil, err
	}
	if operator := tx.Address(f.GetOperator()); operator != c.Actor {
		return nil, fault.New("stream.not_operator", "Only the operator "+operator.String()+" of "+id+" may do this.",
			"feed", id, "operator", operator, "actor", c.Actor)
	}
	return f, nil
}

func closed(id string, f *streamv1.Feed) error {
	return fault.New("stream.closed", "The feed "+id+" is closed.", "feed", id, "closed_at", f.GetClosedAt())
}

// close ends a feed. What is left of its funds goes back at once, or by settle when nothing waits any more.
func (m *Module) close(c *exec.Context, call *streamv1.Close) error {
	f, err := operated(c, call.GetFeed())
	if err != nil {
		return err
	}
	if f.GetClosedAt() != 0 {
		return closed(call.GetFeed(), f)
	}
	f.ClosedAt = c.Time
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamClosed{StreamClosed: &streamv1.Closed{Feed: call.GetFeed()}}})
	if _, err := m.giveBack(c, call.GetFeed(), f); err != nil {
		return err
	}
	feeds.Set(c.View, call.GetFeed(), f)
	return nil
}

// giveBack returns the funds of a closed feed to its operator once nothing waits, and says whether it did. The caller stores the feed.
func (m *Module) giveBack(c *exec.Context, id string, f *streamv1.Feed) (bool, error) {
	funds := stored(f.GetFunds())
	if f.GetClosedAt() == 0 || funds.IsZero() || addWaiting(c.View, id, 0) > 0 {
		return false, nil
	}
	asset := f.GetTerms().GetPremium().GetAsset()
	if err := m.assets.Pay(c.View, asset, tx.Address(f.GetOperator()), funds); err != nil {
		return false, err
	}
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamReturned{StreamReturned: &streamv1.Returned{
		Feed: id, Asset: asset, Amount: f.GetFunds(), Operator: f.GetOperator(),
	}}})
	f.Funds = "0"
	return true, nil
}
