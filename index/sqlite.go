package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"strings"

	driver "modernc.org/sqlite" // the driver "sqlite"
	codes "modernc.org/sqlite/lib"
)

// sqlite keeps an index in one file.
type sqlite struct {
	path  string
	db    *sql.DB // one connection, for writing
	read  *sql.DB
	write *sql.Conn
	// prepared are the statements that repeat.
	prepared map[string]*sql.Stmt
}

// pragmas of every connection. NORMAL syncs at checkpoints only: after a power cut the file is whole but may lack
// its last steps, and the cursor, written with them, says which.
const pragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
	"&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(67108864)"

// The writer meets every account's newest page again and again: they fit its cache of 64 MiB, and a page that many
// steps change is copied from the log to its place once in 64 MiB of log.
// What moves from a page to another is overwritten where it
// was, which costs no writing of its own: else a copy of a reading would stay when it is erased.
const writerPragmas = "&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(16384)&_pragma=secure_delete(FAST)"

// sqliteInsert gives up the whole step when a row cannot be added: nothing has to be kept with which to undo the
// statement alone, which costs as much as the insertion.
const sqliteInsert = "INSERT OR ROLLBACK"

var sqliteSchema = schemaFor(strings.NewReplacer("INT ", "INTEGER ", "INT,", "INTEGER,", "BYTES", "BLOB", "KEYED", "WITHOUT ROWID"),
	`CREATE VIRTUAL TABLE text_tx USING fts5(body, content='', columnsize=0, tokenize='ascii')`,
	`CREATE VIRTUAL TABLE text_record USING fts5(body, content='', columnsize=0, tokenize='ascii')`,
)

func openSQLite(path string) (*sqlite, error) {
	s := &sqlite{path: path, prepared: map[string]*sql.Stmt{}}
	uri := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas // a name may have %, ? and #
	var err error
	if s.db, err = sql.Open("sqlite", uri+writerPragmas); err != nil {
		return nil, err
	}
	s.db.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", uri+"&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	s.read.SetMaxOpenConns(maxReaders)
	s.read.SetMaxIdleConns(maxReaders)
	if s.write, err = s.db.Conn(context.Background()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *sqlite) damaged(err error) string {
	var e *driver.Error
	if !errors.As(err, &e) || e.Code()&0xff != codes.SQLITE_CORRUPT && e.Code()&0xff != codes.SQLITE_NOTADB {
		return ""
	}
	return "stop the node, delete " + s.path + "* and start it: the index is made again from the ledger"
}

// removeSQLite deletes an index file and what lies beside it.
func removeSQLite(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s *sqlite) claim(ctx context.Context) (map[string]string, error) {
	meta := map[string]string{}
	names, err := list(ctx, s.write, `SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'`)
	if err != nil || len(names) == 0 {
		return meta, err
	}
	rows, err := s.write.QueryContext(ctx, sqlGetMeta)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		meta[name] = value
	}
	return meta, rows.Err()
}

func (s *sqlite) apply(ctx context.Context, parts iter.Seq2[*changes, error]) error {
	// A part is short, and the driver starts a goroutine for every statement that could be cut off.
	ctx = context.WithoutCancel(ctx)
	if _, err := s.write.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	var err error
	for c, failed := range parts {
		if err = failed; err == nil {
			err = s.put(ctx, c)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		_, err = s.write.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = s.write.ExecContext(ctx, "ROLLBACK") // most failures have undone it already
	}
	return err
}

func (s *sqlite) put(ctx context.Context, c *changes) error {
	if c.anew {
		if err := s.anew(ctx); err != nil {
			return err
		}
	}
	for t := range tableCount {
		rows, most := c.rows[t], maxRows
		if t == textTxTable || t == textRecordTable {
			for i := 1; i < len(rows); i += 2 {
				rows[i] = ftsText(rows[i].(string))
			}
			most = 1 // FTS5 goes to disk after a statement of more
		}
		err := portions(t, rows, most, func(n int, args []any) error { return s.run(ctx, insert(sqliteInsert, t, n), args...) })
		if err != nil {
			return fmt.Errorf("%s: %w", tables[t].name, err)
		}
	}
	for _, m := range c.moved {
		if err := s.run(ctx, sqlMove, m.sponsor, m.account); err != nil {
			return err
		}
	}
	for _, hold := range c.ended {
		if err := s.run(ctx, sqlEndHold, hold); err != nil {
			return err
		}
	}
	if c.eraseTo > 0 {
		err := s.overwriting(ctx, func() error { return s.run(ctx, sqlErase, c.eraseTo) })
		if err != nil {
			return err
		}
	}
	for name, value := range c.meta {
		if err := s.run(ctx, sqlSetMeta, name, value); err != nil {
			return err
		}
	}
	return nil
}

// overwriting runs fn so that all that it deletes is overwritten with zeros. Doing so always would make each step write more.
func (s *sqlite) overwriting(ctx context.Context, fn func() error) error {
	if _, err := s.write.ExecContext(ctx, "PRAGMA secure_delete = ON"); err != nil {
		return err
	}
	err := fn()
	_, off := s.write.ExecContext(ctx, "PRAGMA secure_delete = FAST")
	return errors.Join(err, off)
}

// scrub empties the write-ahead log, which has pages as they were. While somebody reads older ones it cannot.
func (s *sqlite) scrub(ctx context.Context) (bool, error) {
	var busy, pages, moved int
	err := s.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	return busy == 0, err
}

// anew drops every table and makes them again.
func (s *sqlite) anew(ctx context.Context) error {
	names, err := list(ctx, s.write, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
		AND name NOT LIKE 'text\_%\_%' ESCAPE '\'`)
	if err != nil {
		return err
	}
	for _, name := range names {
		drop := func() error {
			_, err := s.write.ExecContext(ctx, `DROP TABLE "`+name+`"`)
			return err
		}
		if name == tables[readingRawTable].name {
			err = s.overwriting(ctx, drop)
		} else {
			err = drop()
		}
		if err != nil {
			return err
		}
	}
	for _, stmt := range sqliteSchema {
		if _, err := s.write.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return nil
}

// run executes a statement that repeats.
func (s *sqlite) run(ctx context.Context, query string, args ...any) error {
	stmt := s.prepared[query]
	if stmt == nil {
		var err error
		if stmt, err = s.write.PrepareContext(ctx, query); err != nil {
			return err
		}
		s.prepared[query] = stmt
	}
	_, err := stmt.ExecContext(ctx, args...)
	return err
}

// list runs a query of one column of text.
func list(ctx context.Context, c *sql.Conn, query string) ([]string, error) {
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func (s *sqlite) reader() *sql.DB          { return s.read }
func (s *sqlite) bind(query string) string { return query }
func (s *sqlite) unreachable(error) bool   { return false }

// match implements database.
func (s *sqlite) match(table string, words []string) (string, []any) {
	return table + " MATCH ?", []any{ftsQuery(words)}
}

func (s *sqlite) close() error {
	var err error
	if s.write != nil {
		err = s.write.Close()
	}
	return errors.Join(s.read.Close(), err, s.db.Close())
}
