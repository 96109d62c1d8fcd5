package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/dureledger/dure/ledger/genesis"
)

// Index is an open index. Its queries may be used by many goroutines at once.
type Index struct {
	genesis *genesis.Genesis
	write   *sql.DB // one connection
	read    *sql.DB

	mu     sync.Mutex // held while writing
	seq    atomic.Uint64
	height atomic.Int64
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
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("index: %w", err)
		}
	}
	return open(path, g)
}

func open(path string, g *genesis.Genesis) (*Index, error) {
	x := &Index{genesis: g}
	var err error
	if x.write, err = sql.Open("sqlite", "file:"+path+"?"+pragmas+"&_txlock=immediate"); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	x.write.SetMaxOpenConns(1)
	if x.read, err = sql.Open("sqlite", "file:"+path+"?"+pragmas+"&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, x.write.Close())
	}
	x.read.SetMaxOpenConns(maxReaders)
	x.read.SetMaxIdleConns(maxReaders)
	if err := x.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("index: %s: %w", path, err), x.Close())
	}
	return x, nil
}

// load reads the cursor, making the tables first if they are missing or not those of this ledger and schema.
func (x *Index) load() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	ctx := context.Background()
	if x.meta(ctx, "schema") != schemaVersion || x.meta(ctx, "network") != x.genesis.NetworkID {
		return x.reset(ctx)
	}
	seq, err1 := strconv.ParseUint(x.meta(ctx, "seq"), 10, 63)
	height, err2 := strconv.ParseInt(x.meta(ctx, "height"), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	x.seq.Store(seq)
	x.height.Store(height)
	return nil
}

// meta is a value of the meta table, empty when it or the table is missing.
func (x *Index) meta(ctx context.Context, name string) string {
	var value string
	if x.write.QueryRowContext(ctx, sqlGetMeta, name).Scan(&value) != nil {
		return ""
	}
	return value
}

// Rebuild empties the index; Follow fills it again from the ledger's first transaction.
func (x *Index) Rebuild(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.reset(ctx)
}

// reset drops every table and makes them anew with what genesis holds, in one database transaction.
func (x *Index) reset(ctx context.Context) error {
	b, err := x.begin(ctx)
	if err != nil {
		return err
	}
	defer b.rollback()
	if err := b.dropAll(); err != nil {
		return err
	}
	for _, stmt := range schema {
		b.exec(stmt)
	}
	b.exec(sqlSetMeta, "schema", schemaVersion)
	b.exec(sqlSetMeta, "network", x.genesis.NetworkID)
	b.genesis(x.genesis.Genesis)
	if err := b.commit(0, 0); err != nil {
		return err
	}
	x.seq.Store(0)
	x.height.Store(0)
	return nil
}

// Seq is how many outcomes of the history are indexed.
func (x *Index) Seq() uint64 { return x.seq.Load() }

// Height is the block of the last outcome indexed, 0 before the first. Blocks without transactions do not move it:
// when Seq equals the ledger's size, the index is current whatever Height says.
func (x *Index) Height() int64 { return x.height.Load() }

// Close closes the file. Follow must have returned.
func (x *Index) Close() error { return errors.Join(x.read.Close(), x.write.Close()) }
