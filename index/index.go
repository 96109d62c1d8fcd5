package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
)

// Index is an open index. Its queries may be used by many goroutines at once.
type Index struct {
	genesis *genesis.Genesis
	db      database

	mu     sync.Mutex // held while writing
	loaded bool       // the database is claimed, and cursor is what it has
	cursor cursor
	known  holdings
	keep   time.Duration // of raw readings; 0: for ever

	seq       atomic.Uint64
	height    atomic.Int64
	gone      atomic.Int64
	goneUntil atomic.Int64

	metrics *metrics
}

// maxReaders bounds the queries that run at once; more wait.
const maxReaders = 4

// Open opens or makes the index file of the ledger that starts from g. A file of another ledger or another version
// of the schema, or one that is no index, is emptied: following the ledger fills it again.
func Open(path string, g *genesis.Genesis) (*Index, error) {
	x, err := open(path, g)
	if err == nil {
		return x, nil
	}
	if err := removeSQLite(path); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	return open(path, g)
}

func open(path string, g *genesis.Genesis) (*Index, error) {
	db, err := openSQLite(path)
	if err != nil {
		return nil, fmt.Errorf("index: %s: %w", path, err)
	}
	x := &Index{genesis: g, db: db}
	if err := x.load(context.Background()); err != nil {
		return nil, errors.Join(fmt.Errorf("index: %s: %w", path, err), x.Close())
	}
	return x, nil
}

// load claims the database, unless it is claimed, and reads the cursor, making the tables first if they are missing or not those of this
// ledger and schema.
func (x *Index) load(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.loaded {
		return nil
	}
	meta, err := x.db.claim(ctx)
	if err != nil {
		return err
	}
	if meta["schema"] != schemaVersion || meta["network"] != x.genesis.NetworkID {
		return x.reset(ctx)
	}
	c, err := cursorOf(meta)
	if err != nil {
		return err
	}
	x.known.forget()
	x.at(c)
	return nil
}

// at moves the index to a cursor that the database has.
func (x *Index) at(c cursor) {
	x.cursor, x.loaded = c, true
	x.height.Store(c.height)
	x.seq.Store(c.seq)
	x.gone.Store(c.gone)
	x.goneUntil.Store(c.goneUntil)
}

// Rebuild empties the index; Follow fills it again from the ledger's first transaction.
func (x *Index) Rebuild(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.reset(ctx)
}

// reset drops every table and makes them anew with what genesis holds, in one database transaction.
func (x *Index) reset(ctx context.Context) error {
	x.known.forget()
	c := &changes{anew: true, known: &x.known, meta: map[string]string{"schema": schemaVersion, "network": x.genesis.NetworkID}}
	c.genesis(x.genesis.Genesis)
	return x.apply(ctx, c)
}

// apply writes c and moves the index to its cursor.
func (x *Index) apply(ctx context.Context, c *changes) error {
	return x.write(ctx, c, func(yield func(*changes, error) bool) {
		if yield(c, nil) {
			c.next()
			c.finish(yield, func() {})
		}
	})
}

// write writes the parts of c and moves the index to the cursor that c has then.
func (x *Index) write(ctx context.Context, c *changes, parts iter.Seq2[*changes, error]) error {
	if err := x.db.apply(ctx, parts); err != nil {
		x.known.forget()
		x.loaded = false
		return err
	}
	x.at(c.cursor)
	return nil
}

// Seq is how many outcomes of the history are indexed.
func (x *Index) Seq() uint64 { return x.seq.Load() }

// Height is the block of the last outcome indexed, 0 before the first. Blocks without transactions do not move it:
// when Seq equals the ledger's size, the index is current whatever Height says.
func (x *Index) Height() int64 { return x.height.Load() }

// Close closes the database. Follow must have returned.
func (x *Index) Close() error { return x.db.close() }

// rows runs a query and calls each for every row of the answer, until it returns false. Codes query.too_slow,
// index.unavailable.
func (x *Index) rows(ctx context.Context, each func(*sql.Rows) (bool, error), query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	return x.explain(ctx, x.scan(ctx, each, query, args...))
}

func (x *Index) scan(ctx context.Context, each func(*sql.Rows) (bool, error), query string, args ...any) error {
	rows, err := x.db.reader().QueryContext(ctx, x.db.bind(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if more, err := each(rows); err != nil || !more {
			return err
		}
	}
	return rows.Err()
}

// explain turns what a caller can act on into a refusal.
func (x *Index) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case x.db.unreachable(err):
		return fault.New("index.unavailable", "this node cannot reach the database that lists and searches need; try again later or ask another member's node")
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault.New("query.too_slow", "this search reads too much; narrow it by account, asset or time")
	}
	return fmt.Errorf("index: %w", x.advised(err))
}

// advised adds what to do about a damaged database.
func (x *Index) advised(err error) error {
	if advice := x.db.damaged(err); advice != "" {
		return fmt.Errorf("%w; %s", err, advice)
	}
	return err
}

// column runs a query of one column.
func column[T any](ctx context.Context, x *Index, query string, args ...any) (out []T, err error) {
	err = x.rows(ctx, func(r *sql.Rows) (bool, error) {
		var v T
		err := r.Scan(&v)
		out = append(out, v)
		return true, err
	}, query, args...)
	return out, err
}
