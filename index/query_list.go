package index

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Accounts lists addresses in the order their accounts were opened, of one sponsor if it is given.
func (x *Index) Accounts(ctx context.Context, sponsor *tx.Address, p Page) ([]tx.Address, string, error) {
	query, sqlText, args := "accounts", sqlListMany, []any{}
	if sponsor != nil {
		query, sqlText, args = query+string(sponsor[:]), sqlListOwn, []any{sponsor[:]}
	}
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	after, err := p.afterSeq(query, 0)
	if err != nil {
		return nil, "", err
	}
	var out []tx.Address
	var n uint64
	next := ""
	err = x.rows(ctx, func(r *sql.Rows) (bool, error) {
		if len(out) == size {
			next = seqToken(query, n)
			return false, nil
		}
		var address []byte
		if err := r.Scan(&n, &address); err != nil {
			return false, err
		}
		a, err := tx.ToAddress(address)
		out = append(out, a)
		return true, err
	}, sqlText, append(args, int64(after), size+1)...)
	return out, next, err
}

// EventKey is the place of an event: its transaction's in the history, and its own in the outcome.
type EventKey struct {
	Seq   uint64
	Event int
}

// AccountEvents lists what was done to an account itself, its keys, sponsor, freezes and recovery, newest first.
func (x *Index) AccountEvents(ctx context.Context, account tx.Address, p Page) ([]EventKey, string, error) {
	query := "events" + string(account[:])
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	after, err := p.after(query)
	if err != nil {
		return nil, "", err
	}
	seq, event := int64(math.MaxInt64), int64(0)
	if len(after) == 16 {
		seq, event = int64(binary.BigEndian.Uint64(after)&math.MaxInt64), int64(binary.BigEndian.Uint64(after[8:])&math.MaxInt64)
	}
	var out []EventKey
	next := ""
	err = x.rows(ctx, func(r *sql.Rows) (bool, error) {
		if len(out) == size {
			next = token(query, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(seq)), uint64(event)))
			return false, nil
		}
		err := r.Scan(&seq, &event)
		out = append(out, EventKey{uint64(seq), int(event)})
		return true, err
	}, sqlEventsOf, account[:], seq, event, size+1)
	return out, next, err
}

// Assets lists the names of all assets in alphabetical order.
func (x *Index) Assets(ctx context.Context, p Page) ([]string, string, error) {
	return keys(ctx, x, "assets", p, func(after []byte, limit int) (string, []any) {
		return sqlAssets, []any{string(after), limit}
	}, func(s string) (string, error) { return s, nil })
}

// AssetsOf lists the assets an account has ever had, in alphabetical order.
func (x *Index) AssetsOf(ctx context.Context, account tx.Address, p Page) ([]string, string, error) {
	return keys(ctx, x, "balances"+string(account[:]), p, func(after []byte, limit int) (string, []any) {
		return sqlBalances, []any{account[:], string(after), limit}
	}, func(s string) (string, error) { return s, nil })
}

// HoldersOf lists the accounts that have ever had an asset, in order of address.
func (x *Index) HoldersOf(ctx context.Context, asset string, p Page) ([]tx.Address, string, error) {
	if !storable(asset) {
		return nil, "", nil
	}
	return keys(ctx, x, "holders"+asset, p, func(after []byte, limit int) (string, []any) {
		if after == nil {
			after = []byte{}
		}
		return sqlHolders, []any{asset, after, limit}
	}, func(s string) (tx.Address, error) { return tx.ToAddress([]byte(s)) })
}

// keys pages through a list ordered by a key of its own.
func keys[T any](ctx context.Context, x *Index, query string, p Page, sqlFor func([]byte, int) (string, []any),
	parse func(string) (T, error)) ([]T, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	after, err := p.after(query)
	if err != nil {
		return nil, "", err
	}
	sqlText, args := sqlFor(after, size+1)
	for _, a := range args {
		if s, ok := a.(string); ok && !storable(s) {
			return nil, "", badToken()
		}
	}
	raw, err := column[string](ctx, x, sqlText, args...)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(raw) > size {
		raw = raw[:size]
		next = token(query, []byte(raw[size-1]))
	}
	out := make([]T, len(raw))
	for i, s := range raw {
		if out[i], err = parse(s); err != nil {
			return nil, "", err
		}
	}
	return out, next, nil
}

// Holds lists the ids of an account's open holds, as payer, payee or arbiter, newest first.
func (x *Index) Holds(ctx context.Context, account tx.Address, p Page) ([][]byte, string, error) {
	query := "holds" + string(account[:])
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	after, err := p.after(query)
	if err != nil {
		return nil, "", err
	}
	seq, hold := int64(math.MaxInt64), []byte{}
	if len(after) >= 8 {
		seq, hold = int64(binary.BigEndian.Uint64(after)), after[8:]
	}
	var out [][]byte
	next := ""
	err = x.rows(ctx, func(r *sql.Rows) (bool, error) {
		if len(out) == size {
			next = token(query, append(binary.BigEndian.AppendUint64(nil, uint64(seq)), hold...))
			return false, nil
		}
		hold = nil
		err := r.Scan(&seq, &hold)
		out = append(out, hold)
		return true, err
	}, sqlHolds, account[:], seq, hold, size+1)
	return out, next, err
}

// RecordKey names a record.
type RecordKey struct {
	Digest   [32]byte
	Recorder tx.Address
}

// RecordFilter says which records are wanted: all conditions that are set must hold.
type RecordFilter struct {
	Recorder *tx.Address
	// Name and Title are exact.
	Name, Title string
	// Text is words, each of which is part of a word of titles and names.
	Text string
}

// Records lists the records that meet f, newest first.
func (x *Index) Records(ctx context.Context, f RecordFilter, p Page) ([]RecordKey, string, error) {
	query := fmt.Sprintf("records%q%q%q", f.Name, f.Title, f.Text)
	if f.Recorder != nil {
		query += string(f.Recorder[:])
	}
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	n, err := p.afterSeq(query, math.MaxInt64)
	if err != nil {
		return nil, "", err
	}
	sqlText, args, ok := x.records(f, n, size+1)
	if !ok {
		return nil, "", nil
	}
	var out []RecordKey
	next := ""
	err = x.rows(ctx, func(r *sql.Rows) (bool, error) {
		if len(out) == size {
			next = seqToken(query, n)
			return false, nil
		}
		var digest, recorder []byte
		if err := r.Scan(&n, &digest, &recorder); err != nil {
			return false, err
		}
		if len(digest) != 32 || len(recorder) != 20 {
			return false, fault.New("internal", "the index holds a record it cannot name; rebuild it")
		}
		out = append(out, RecordKey{[32]byte(digest), tx.Address(recorder)})
		return true, nil
	}, sqlText, args...)
	return out, next, err
}

// records puts the SQL together; ok is false when nothing can match.
func (x *Index) records(f RecordFilter, below uint64, limit int) (string, []any, bool) {
	if !storable(f.Name) || !storable(f.Title) {
		return "", nil, false
	}
	var b strings.Builder
	b.WriteString(sqlRecordFrom)
	args := []any{int64(below)}
	if f.Recorder != nil {
		b.WriteString(" AND r.recorder = ?")
		args = append(args, f.Recorder[:])
	}
	if f.Name != "" {
		b.WriteString(" AND r.name = ?")
		args = append(args, f.Name)
	}
	if f.Title != "" {
		b.WriteString(" AND r.title = ?")
		args = append(args, f.Title)
	}
	if f.Text != "" {
		words := sought(f.Text)
		if len(words) == 0 {
			return "", nil, false
		}
		match, values := x.db.match("text_record", words)
		fmt.Fprintf(&b, sqlRecordText2, match)
		args = append(args, values...)
	}
	b.WriteString(sqlRecordOrder)
	return b.String(), append(args, limit), true
}
