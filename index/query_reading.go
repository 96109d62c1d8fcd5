package index

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// Reading is a reading that was anchored, and what the ledger found of it then. Times are unix milliseconds.
type Reading struct {
	Feed           string
	Device         tx.Address
	Boot, Sequence uint64
	Taken          int64
	Anchored       int64
	Value          reading.Decimal
	Verdict        streamv1.Verdict
	Reason         streamv1.Reason
	// Firmware is what the device ran by its evidence, Level what that was worth.
	Firmware uint64
	Level    devicev1.Level
	// Tx anchored it, at Seq in the history; Position is its place among the readings of the Action.
	Tx               [32]byte
	Seq              uint64
	Action, Position uint32

	n int64 // its number in the index
}

// Span is a device and a time, from Since on and before Until, in unix milliseconds. Readings are of it that were on their way in it: taken or anchored
// before Until, and taken or anchored at Since or later. Those taken or anchored before After are not: they are of an earlier span.
type Span struct {
	Device              tx.Address
	Since, Until, After int64
}

// within are the arguments of a device and sqlWithin.
func (s Span) within() []any {
	return []any{s.Device[:], s.After, s.After, s.Since, s.Since, s.Until, s.Until}
}

// ReadingFilter says which readings are wanted: all conditions that are set must hold.
type ReadingFilter struct {
	Feed string
	// Since is inclusive, Until exclusive, of when they were taken, in unix milliseconds; 0 means no bound.
	Since, Until int64
	// Verdict is one; VERDICT_UNSPECIFIED means any but refused.
	Verdict streamv1.Verdict
	// Spans, if not nil, are of which devices and times alone readings are wanted. They do not overlap.
	Spans []Span
}

// MaxSpans bounds the spans of a filter.
const MaxSpans = 256

func (f ReadingFilter) String() string {
	return fmt.Sprintf("readings%q|%d|%d|%d|%x", f.Feed, f.Since, f.Until, f.Verdict, f.Spans)
}

// Readings lists the readings that meet f, the last taken first, and the token of the next page, empty at the end.
// Codes page.bad_token, page.too_large, query.too_slow, reading.too_many.
func (x *Index) Readings(ctx context.Context, f ReadingFilter, p Page) ([]Reading, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	if len(f.Spans) > MaxSpans {
		return nil, "", fault.New("reading.too_many", "so many times of so many devices are asked for that they are not looked through at once; ask for one device",
			"spans", len(f.Spans), "limit", MaxSpans)
	}
	key, err := p.after(f.String())
	if err != nil {
		return nil, "", err
	}
	below := Reading{Taken: math.MaxInt64, n: math.MaxInt64}
	if key != nil {
		if len(key) != 16 || key[0] > 0x7f || key[8] > 0x7f {
			return nil, "", badToken()
		}
		below.Taken, below.n = int64(binary.BigEndian.Uint64(key)), int64(binary.BigEndian.Uint64(key[8:]))
	}
	if !storable(f.Feed) {
		return nil, "", nil
	}
	var out []Reading
	if f.Spans == nil {
		out, err = x.readings(ctx, f, nil, below, size+1)
	}
	for _, s := range f.Spans {
		some, failed := x.readings(ctx, f, &s, below, size+1)
		if err = failed; err != nil {
			break
		}
		out = append(out, some...)
	}
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(out, func(a, b Reading) int { return cmp.Or(cmp.Compare(b.Taken, a.Taken), cmp.Compare(b.n, a.n)) })
	next := ""
	if len(out) > size {
		out = out[:size]
		last := out[size-1]
		next = token(f.String(), binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(last.Taken)), uint64(last.n)))
	}
	return out, next, nil
}

// readings asks for those of a span, or of all devices, that were taken before another one.
func (x *Index) readings(ctx context.Context, f ReadingFilter, s *Span, below Reading, limit int) ([]Reading, error) {
	since, until := f.Since, f.Until
	if until == 0 {
		until = math.MaxInt64
	}
	query, args := sqlReadings+` WHERE r.feed = ?`, []any{f.Feed}
	switch f.Verdict {
	case streamv1.Verdict_VERDICT_UNSPECIFIED:
		query += sqlNotRefused
	case streamv1.Verdict_VERDICT_ACCEPTED:
		query += sqlNotRefused + sqlAccepted
	default:
		query += sqlOdd + ` AND r.verdict = ?`
		args = append(args, int64(f.Verdict))
	}
	if s != nil {
		query += ` AND r.device = ?` + sqlWithin
		args = append(args, s.within()...)
	}
	query += ` AND r.taken >= ? AND r.taken < ? AND (r.taken, r.n) < (?, ?) ORDER BY r.taken DESC, r.n DESC LIMIT ?`
	return x.readingRows(ctx, query, append(args, since, until, below.Taken, below.n, limit)...)
}

// Latest is, for each device that reports to a feed or did, the accepted reading that was taken last up to a time.
func (x *Index) Latest(ctx context.Context, feed string, at int64) ([]Reading, error) {
	if !storable(feed) {
		return nil, nil
	}
	return x.readingRows(ctx, sqlLatest, at, feed)
}

// FindReading is the reading of a device with a number, and whether there is one. Of several that claim to be it, it is the
// one that the ledger did not refuse.
func (x *Index) FindReading(ctx context.Context, device tx.Address, boot, sequence uint64) (Reading, bool, error) {
	if boot > math.MaxInt64 || sequence > math.MaxInt64 {
		return Reading{}, false, nil
	}
	rows, err := x.readingRows(ctx, sqlReadingOf, device[:], int64(boot), int64(sequence))
	if err != nil || len(rows) == 0 {
		return Reading{}, false, err
	}
	return rows[0], true, nil
}

// Signed is what a device signed, and with which key.
type Signed struct {
	Raw []byte
	Key tx.Key
}

// SignedAs is what a device signed for a reading. Code reading.erased if that is not kept any more.
func (x *Index) SignedAs(ctx context.Context, r Reading) (Signed, error) {
	signed, err := x.signed(ctx, sqlOneRaw, r.n)
	if err != nil {
		return Signed{}, err
	}
	if len(signed) == 0 {
		return Signed{}, erased(r)
	}
	return signed[0], nil
}

// AnchoredWith lists the readings of the anchor that holds r, in order, with what their devices signed. Code reading.erased if
// the raw bytes of one are not kept any more.
func (x *Index) AnchoredWith(ctx context.Context, r Reading) ([]Reading, []Signed, error) {
	place := []any{r.n - maxAnchor, r.n + maxAnchor, int64(r.Seq), int64(r.Action)}
	rows, err := x.readingRows(ctx, sqlAnchor, place...)
	if err != nil {
		return nil, nil, err
	}
	signed, err := x.signed(ctx, sqlRaw, place...)
	if err == nil && len(signed) < len(rows) {
		err = erased(r)
	}
	return rows, signed, err
}

func (x *Index) signed(ctx context.Context, query string, args ...any) (out []Signed, err error) {
	err = x.rows(ctx, func(row *sql.Rows) (bool, error) {
		var key, raw []byte
		if err := row.Scan(&key, &raw); err != nil {
			return false, err
		}
		if len(key) == 0 {
			return false, fault.New("internal", "the index holds a reading without the key that signed it; rebuild it")
		}
		out = append(out, Signed{Raw: raw, Key: tx.Key{Kind: accountv1.KeyKind(key[0]), Public: key[1:]}})
		return true, nil
	}, query, args...)
	return out, err
}

func erased(r Reading) error {
	return fault.New("reading.erased", "this node does not keep what the devices signed that long (setting readings.keep); ask another member's node",
		"device", r.Device, "boot", r.Boot, "sequence", r.Sequence)
}

// maxAnchor is how many readings an anchor holds at most.
const maxAnchor = 256

// readingRows runs a query that begins with sqlReadings.
func (x *Index) readingRows(ctx context.Context, query string, args ...any) (out []Reading, err error) {
	err = x.rows(ctx, func(row *sql.Rows) (bool, error) {
		var r Reading
		var id, device []byte
		var seq, boot, sequence, firmware int64
		var decimals int
		err := row.Scan(&r.n, &seq, &id, &r.Action, &r.Position, &r.Feed, &device, &boot, &sequence, &r.Taken, &r.Anchored,
			&r.Value.Mantissa, &decimals, &r.Verdict, &r.Reason, &firmware, &r.Level)
		if err != nil {
			return false, err
		}
		if len(id) != 32 || len(device) != 20 {
			return false, fault.New("internal", "the index holds a reading it cannot name; rebuild it")
		}
		r.Tx, r.Device, r.Seq, r.Boot, r.Sequence = [32]byte(id), tx.Address(device), uint64(seq), uint64(boot), uint64(sequence)
		r.Value.Exponent, r.Firmware = -decimals, uint64(firmware)
		out = append(out, r)
		return true, nil
	}, query, args...)
	return out, err
}
