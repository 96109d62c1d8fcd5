package index

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// queryTime bounds one query: a search that would read half the ledger is refused, not finished.
const queryTime = 5 * time.Second

// Filter says which transactions are wanted: all conditions that are set must hold.
type Filter struct {
	Account *tx.Address
	Asset   string
	// Since is inclusive, Until exclusive, in unix milliseconds of block time; 0 means no bound.
	Since, Until int64
	// Status is STATUS_OK or STATUS_FAILED; STATUS_UNSPECIFIED means both.
	Status ledgerv1.Status
	// Digest is one that an action names.
	Digest *[32]byte
	// Text is words, each of which is part of a word of the memos, references, titles, names or reasons.
	Text string
}

func (f Filter) String() string {
	var b strings.Builder
	if f.Account != nil {
		fmt.Fprintf(&b, "a%x", f.Account[:])
	}
	if f.Digest != nil {
		fmt.Fprintf(&b, "d%x", f.Digest[:])
	}
	fmt.Fprintf(&b, "|%q|%d|%d|%d|%q", f.Asset, f.Since, f.Until, f.Status, f.Text)
	return b.String()
}

// Transactions lists the places in the history (seq) of the transactions that meet f, newest first, and the token of
// the next page, empty at the end. Codes page.bad_token, page.too_large, query.too_slow.
func (x *Index) Transactions(ctx context.Context, f Filter, p Page) (seqs []uint64, next string, err error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	below, err := p.afterSeq(f.String(), math.MaxInt64)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	from, below, err := x.bounds(ctx, f, below)
	if err != nil || from >= below {
		return nil, "", slow(ctx, err)
	}
	query, args, ok := f.query(from, below, size+1)
	if !ok {
		return nil, "", nil
	}
	seqs, err = column[uint64](ctx, x.read, query, args...)
	if err != nil {
		return nil, "", slow(ctx, err)
	}
	if len(seqs) > size {
		seqs = seqs[:size]
		next = seqToken(f.String(), seqs[size-1])
	}
	return seqs, next, nil
}

// bounds turns the filter's times into places in the history, narrowing [0, below).
func (x *Index) bounds(ctx context.Context, f Filter, below uint64) (uint64, uint64, error) {
	var from uint64
	size := x.Seq()
	if f.Since != 0 {
		at, err := x.seqAt(ctx, f.Since, size)
		if err != nil {
			return 0, 0, err
		}
		from = at
	}
	if f.Until != 0 {
		at, err := x.seqAt(ctx, f.Until, size)
		if err != nil {
			return 0, 0, err
		}
		below = min(below, at)
	}
	return from, below, nil
}

// seqAt is the first place in the history with a block time of at least ms. Block time never goes back, so halving
// finds it without an index of its own.
func (x *Index) seqAt(ctx context.Context, ms int64, size uint64) (uint64, error) {
	var failed error
	at := sort.Search(int(size), func(i int) bool {
		var t int64
		if failed == nil {
			failed = x.read.QueryRowContext(ctx, sqlTimeAt, i).Scan(&t)
		}
		return failed != nil || t >= ms
	})
	return uint64(at), failed
}

// query puts the SQL together; ok is false when nothing can match.
func (f Filter) query(from, below uint64, limit int) (query string, args []any, ok bool) {
	seq := "seq"
	lead := func(table, column string, value any) {
		if query == "" {
			query, args = fmt.Sprintf(sqlTxLead, table, column), []any{value, int64(below), int64(from)}
			return
		}
		query += fmt.Sprintf(sqlTxHas, table, column, seq)
		args = append(args, value)
	}
	if f.Digest != nil {
		lead("digest_tx", "digest", f.Digest[:])
	}
	if f.Account != nil {
		lead("account_tx", "account", f.Account[:])
	}
	if f.Text != "" {
		match := matchText(f.Text)
		if match == "" {
			return "", nil, false
		}
		if query == "" {
			seq, query, args = "rowid", sqlTxText, []any{match, int64(below), int64(from)}
		} else {
			query += sqlTxHasText
			args = append(args, match)
		}
	}
	if f.Asset != "" {
		lead("asset_tx", "asset", f.Asset)
	}
	switch {
	case query == "" && f.Status == ledgerv1.Status_STATUS_FAILED:
		query, args = sqlTxFailed, []any{int64(below), int64(from)}
	case f.Status != ledgerv1.Status_STATUS_UNSPECIFIED:
		if query == "" {
			query, args = sqlTxFrom, []any{int64(below), int64(from)}
		}
		query += fmt.Sprintf(sqlTxStatus, seq)
		args = append(args, int32(f.Status))
	case query == "":
		query, args = sqlTxFrom, []any{int64(below), int64(from)}
	}
	return query + fmt.Sprintf(sqlTxOrder, seq), append(args, limit), true
}

// SeqOf is the place in the history of the transaction with the given id, as far as it is indexed.
func (x *Index) SeqOf(ctx context.Context, id [32]byte) (uint64, bool, error) {
	rows, err := x.read.QueryContext(ctx, sqlSeqOf, prefix(id[:]))
	if err != nil {
		return 0, false, fmt.Errorf("index: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint64
		var have []byte
		if err := rows.Scan(&seq, &have); err != nil {
			return 0, false, fmt.Errorf("index: %w", err)
		}
		if bytes.Equal(have, id[:]) {
			return seq, true, nil
		}
	}
	return 0, false, rows.Err()
}

// column runs a query of one column.
func column[T any](ctx context.Context, db *sql.DB, query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// slow turns the end of a query's own time into a refusal a caller can act on.
func slow(ctx context.Context, err error) error {
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.New("query.too_slow", "this search reads too much; narrow it by account, asset or time")
	}
	return err
}
