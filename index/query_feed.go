package index

import (
	"context"

	"github.com/dureledger/dure/ledger/tx"
)

// FeedFilter says which feeds are wanted; at most one condition is set.
type FeedFilter struct {
	// Operator opened it.
	Operator *tx.Address
	// Device reports to it, or did.
	Device *tx.Address
}

// Feeds lists feeds in alphabetical order.
func (x *Index) Feeds(ctx context.Context, f FeedFilter, p Page) ([]string, string, error) {
	query, sqlText, args := "feeds", sqlFeeds, []any{}
	switch {
	case f.Operator != nil:
		query, sqlText, args = "feeds by"+string(f.Operator[:]), sqlFeedsBy, []any{f.Operator[:]}
	case f.Device != nil:
		query, sqlText, args = "feeds of"+string(f.Device[:]), sqlFeedsOf, []any{f.Device[:]}
	}
	return keys(ctx, x, query, p, func(after []byte, limit int) (string, []any) {
		return sqlText, append(args, string(after), limit)
	}, func(s string) (string, error) { return s, nil })
}
