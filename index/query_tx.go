package index

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
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
	from, below, err := x.bounds(ctx, f.Since, f.Until, below)
	if err != nil || from >= below {
		return nil, "", err
	}
	query, args, ok := x.transactions(f, from, below, size+1)
	if !ok {
		return nil, "", nil
	}
	seqs, err = column[uint64](ctx, x, query, args...)
	if err != nil {
		return nil, "", err
	}
	if len(seqs) > size {
		seqs = seqs[:size]
		next = seqToken(f.String(), seqs[size-1])
	}
	return seqs, next, nil
}

// bounds turns a filter's times into places in the history, narrowing [0, below).
func (x *Index) bounds(ctx context.Context, since, until int64, below uint64) (uint64, uint64, error) {
	var from uint64
	size := x.Seq()
	if since != 0 {
		at, err := x.seqAt(ctx, since, size)
		if err != nil {
			return 0, 0, err
		}
		from = at
	}
	if until != 0 {
		at, err := x.seqAt(ctx, until, size)
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
		if failed != nil {
			return true
		}
		times, err := column[int64](ctx, x, sqlTimeAt, i)
		failed = err
		return err != nil || len(times) == 0 || times[0] >= ms
	})
	return uint64(at), failed
}

// transactions puts the SQL together; ok is false when nothing can match.
func (x *Index) transactions(f Filter, from, below uint64, limit int) (query string, args []any, ok bool) {
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
		words := sought(f.Text)
		if len(words) == 0 {
			return "", nil, false
		}
		match, values := x.db.match("text_tx", words)
		if query == "" {
			seq, query = "rowid", fmt.Sprintf(sqlTxText, match)
			args = append(args, append(values, int64(below), int64(from))...)
		} else {
			query += fmt.Sprintf(sqlTxHasText, match)
			args = append(args, values...)
		}
	}
	if f.Asset != "" {
		if !storable(f.Asset) {
			return "", nil, false
		}
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
	var found uint64
	ok := false
	err := x.rows(ctx, func(r *sql.Rows) (bool, error) {
		var seq uint64
		var have []byte
		err := r.Scan(&seq, &have)
		if ok = bytes.Equal(have, id[:]); ok {
			found = seq
		}
		return !ok, err
	}, sqlSeqOf, prefix(id[:]))
	return found, ok, err
}
