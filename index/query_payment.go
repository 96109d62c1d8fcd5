package index

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/dureledger/dure/ledger/tx"
)

// PaymentFilter says which settlements are wanted: all conditions that are set must hold, and Device or Feed is set.
type PaymentFilter struct {
	Device *tx.Address
	Feed   string
	// Since is inclusive, Until exclusive, of when the ledger paid, in unix milliseconds of block time; 0 means no bound.
	Since, Until int64
}

// Payments lists settlements by when the ledger made them, whatever time their readings are of: the last first, and the token of the next page,
// empty at the end. Codes page.bad_token, page.too_large, query.too_slow.
func (x *Index) Payments(ctx context.Context, f PaymentFilter, p Page) ([]Settlement, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	query := fmt.Sprintf("payments%q|%d|%d|%v", f.Feed, f.Since, f.Until, f.Device)
	key, err := p.after(query)
	if err != nil {
		return nil, "", err
	}
	below, event := uint64(math.MaxInt64), uint64(math.MaxInt64)
	if key != nil {
		if len(key) != 16 || key[0] > 0x7f || key[8] > 0x7f {
			return nil, "", badToken()
		}
		below, event = binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:])
	}
	if !storable(f.Feed) {
		return nil, "", nil
	}
	least, end, err := x.bounds(ctx, f.Since, f.Until, below)
	if err != nil {
		return nil, "", err
	}
	if end < below {
		below, event = end, 0
	}
	text, args := sqlSettlement+` WHERE p.seq >= ? AND (p.seq, p.event) < (?, ?)`, []any{int64(least), int64(below), int64(event)}
	if f.Device != nil {
		text, args = text+` AND p.device = ?`, append(args, f.Device[:])
	}
	if f.Feed != "" {
		text, args = text+` AND p.feed = ?`, append(args, f.Feed)
	}
	out, err := x.settlements(ctx, text+` ORDER BY p.seq DESC, p.event DESC LIMIT ?`, append(args, size+1)...)
	if err != nil || len(out) <= size {
		return out, "", err
	}
	out = out[:size]
	last := out[size-1]
	return out, token(query, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, last.Seq), uint64(last.Event))), nil
}
