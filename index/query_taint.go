package index

import (
	"context"
	"database/sql"

	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// MaxTaint bounds the anchors and the settlements that are listed.
const MaxTaint = 1000

// Count is how many readings of a verdict there are, and when the first and the last were taken.
type Count struct {
	Verdict     streamv1.Verdict
	Readings    uint64
	First, Last int64
}

// CountReadings counts a device's readings of a feed and a time by verdict, without refused ones.
func (x *Index) CountReadings(ctx context.Context, feed string, s Span) (out []Count, err error) {
	err = x.rows(ctx, func(row *sql.Rows) (bool, error) {
		var c Count
		err := row.Scan(&c.Verdict, &c.Readings, &c.First, &c.Last)
		out = append(out, c)
		return true, err
	}, sqlCount, append([]any{feed}, s.within()...)...)
	return out, err
}

// Anchor is a transaction that anchored readings.
type Anchor struct {
	Tx       [32]byte
	Seq      uint64
	Time     int64
	Readings uint64
}

// Anchors lists the transactions that anchored a device's readings of a feed and a time, the newest first, at most MaxTaint,
// and says how many there are.
func (x *Index) Anchors(ctx context.Context, feed string, s Span) (out []Anchor, count uint64, err error) {
	err = x.rows(ctx, func(row *sql.Rows) (bool, error) {
		var a Anchor
		var id []byte
		if err := row.Scan(&a.Seq, &id, &a.Time, &a.Readings, &count); err != nil {
			return false, err
		}
		if len(id) != 32 {
			return false, fault.New("internal", "the index holds a transaction it cannot name; rebuild it")
		}
		a.Tx = [32]byte(id)
		out = append(out, a)
		return true, nil
	}, sqlAnchors, append(append([]any{feed}, s.within()...), MaxTaint)...)
	return out, count, err
}

// Settlement is a payment for a device's readings, which were on their way from First to Last (taken, anchored or both), or that there was none.
type Settlement struct {
	Feed            string
	Device          tx.Address
	First, Last     int64
	Paid, Forfeited uint64
	Asset, Amount   string
	// Tx paid them, at Seq in the history; Event is the index of what it left behind.
	Tx    [32]byte
	Seq   uint64
	Event int
	Time  int64
}

// Settlements lists those of readings that were on their way in a span, whatever time they claim, the newest first, at most MaxTaint.
func (x *Index) Settlements(ctx context.Context, s Span) ([]Settlement, error) {
	return x.settlements(ctx, sqlSettlements, s.Device[:], s.Since, s.Until, MaxTaint)
}

// settlements runs a query that begins with sqlSettlement.
func (x *Index) settlements(ctx context.Context, query string, args ...any) (out []Settlement, err error) {
	err = x.rows(ctx, func(row *sql.Rows) (bool, error) {
		var p Settlement
		var id, device []byte
		var paid, forfeited int64
		if err := row.Scan(&p.Feed, &device, &p.First, &p.Last, &paid, &forfeited, &p.Asset, &p.Amount, &p.Seq, &p.Event, &id, &p.Time); err != nil {
			return false, err
		}
		if len(id) != 32 || len(device) != 20 {
			return false, fault.New("internal", "the index holds a payment it cannot name; rebuild it")
		}
		p.Tx, p.Device, p.Paid, p.Forfeited = [32]byte(id), tx.Address(device), uint64(paid), uint64(forfeited)
		out = append(out, p)
		return true, nil
	}, query, args...)
	return out, err
}
