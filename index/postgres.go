package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dureledger/dure/ledger/genesis"
)

// postgres keeps an index in one schema of a PostgreSQL database.
type postgres struct {
	network string
	schema  string
	config  *pgx.ConnConfig // of the writing connection
	read    *sql.DB
	write   *pgx.Conn // nil before the first claim
}

var postgresSchema = schemaFor(strings.NewReplacer("INT ", "BIGINT ", "INT,", "BIGINT,", "BYTES", "BYTEA", "TEXT", `TEXT COLLATE "C"`, "KEYED", ""),
	// The rowid is the seq of a transaction or the n of a record, words are as text.go says.
	`CREATE TABLE text_tx (rowid BIGINT PRIMARY KEY, body TEXT COLLATE "C" NOT NULL, words TSVECTOR NOT NULL)`,
	`CREATE INDEX text_tx_words ON text_tx USING GIN (words)`,
	`CREATE TABLE text_record (rowid BIGINT PRIMARY KEY, body TEXT COLLATE "C" NOT NULL, words TSVECTOR NOT NULL)`,
	`CREATE INDEX text_record_words ON text_record USING GIN (words)`,
)

const (
	connectTime = 5 * time.Second
	// applyTime bounds each part of a step, its begin and its commit, so that a server that went silent is noticed.
	applyTime = 2 * time.Minute
	// handOver is how long Connect waits for another writer to go, such as this node before it was killed.
	handOver = 5 * time.Second
)

// Connect opens or makes the index of the ledger that starts from g in a PostgreSQL database. It fails if the
// database refuses the user, or its schema holds anything but this network's index, or another node writes it. A
// server that cannot be reached is no failure: Follow goes on trying, and until then queries are refused with
// code index.unavailable.
func Connect(ctx context.Context, p Postgres, g *genesis.Genesis) (*Index, error) {
	config, err := p.parse()
	if err != nil {
		return nil, err
	}
	x := &Index{genesis: g, db: newPostgres(config, p.Schema, g.NetworkID)}
	for deadline := time.Now().Add(handOver); ; pause(ctx, firstWait) {
		err = x.load(ctx)
		var no *refusal
		if !errors.As(err, &no) || !no.busy || time.Now().After(deadline) {
			break
		}
	}
	if err != nil && !x.db.unreachable(err) {
		return nil, errors.Join(fmt.Errorf("index: %w", err), x.Close())
	}
	return x, nil
}

func newPostgres(config *pgx.ConnConfig, schema, network string) *postgres {
	config.ConnectTimeout = connectTime
	config.RuntimeParams["application_name"] = "dure"
	config.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	config.RuntimeParams["jit"] = "off"
	// The lock of a connection that broke silently ends when the server notices.
	config.RuntimeParams["tcp_keepalives_idle"] = "20"
	config.RuntimeParams["tcp_keepalives_interval"] = "5"
	config.RuntimeParams["tcp_keepalives_count"] = "4"
	reader := config.Copy()
	reader.RuntimeParams["default_transaction_read_only"] = "on"
	reader.RuntimeParams["statement_timeout"] = fmt.Sprint((2 * queryTime).Milliseconds())
	// How much a condition leaves differs from account to account: each question is planned for what it asks.
	reader.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	p := &postgres{network: network, schema: schema, config: config, read: stdlib.OpenDB(*reader)}
	p.read.SetMaxOpenConns(maxReaders)
	p.read.SetMaxIdleConns(maxReaders)
	// As SQLite's NORMAL: a server that crashes may lack the last steps, and the cursor, written with them, says which.
	config.RuntimeParams["synchronous_commit"] = "off"
	return p
}

// scrub implements database. PostgreSQL overwrites deleted rows in its own time (autovacuum), and its log and backups are its own too.
func (p *postgres) scrub(context.Context) (bool, error) { return true, nil }

func (p *postgres) apply(ctx context.Context, parts iter.Seq2[*changes, error]) error {
	if p.write == nil {
		return errors.New("not connected")
	}
	bounded := func(do func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(ctx, applyTime)
		defer cancel()
		return do(ctx)
	}
	var tx pgx.Tx
	err := bounded(func(ctx context.Context) (err error) {
		tx, err = p.write.Begin(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for c, err := range parts {
		if err == nil {
			err = bounded(func(ctx context.Context) error { return p.part(ctx, tx, c) })
		}
		if err != nil {
			_ = bounded(tx.Rollback) // if it fails, claim connects anew
			return err
		}
	}
	return bounded(tx.Commit)
}

// part writes a part of a step.
func (p *postgres) part(ctx context.Context, tx pgx.Tx, c *changes) error {
	if c.anew {
		if err := p.anew(ctx, tx); err != nil {
			return err
		}
	}
	for t := range tableCount {
		if err := p.put(ctx, tx, t, c.rows[t]); err != nil {
			return fmt.Errorf("%s: %w", tables[t].name, err)
		}
	}
	if len(c.ended) > 0 {
		if _, err := tx.Exec(ctx, sqlEndHolds, c.ended); err != nil {
			return err
		}
	}
	var rest pgx.Batch
	for _, m := range c.moved {
		rest.Queue(numbered(sqlMove), m.sponsor, m.account)
	}
	if c.eraseTo > 0 {
		rest.Queue(numbered(sqlErase), c.eraseTo)
	}
	for name, value := range c.meta {
		rest.Queue(numbered(sqlSetMeta), name, value)
	}
	if rest.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &rest).Close()
}

// put adds rows to t: by COPY, or when they may be there already, by statements.
func (p *postgres) put(ctx context.Context, tx pgx.Tx, t table, rows []any) error {
	if len(rows) == 0 {
		return nil
	}
	if tables[t].again {
		return portions(t, rows, maxRows, func(n int, args []any) error {
			_, err := tx.Exec(ctx, numbered(insert("INSERT", t, n)), args...)
			return err
		})
	}
	columns := tables[t].columns
	width := len(columns)
	row := func(i int) ([]any, error) { return rows[i*width : (i+1)*width], nil }
	if t == textTxTable || t == textRecordTable {
		columns = append([]string{"words"}, columns...)
		row = func(i int) ([]any, error) { return []any{vector(rows[2*i+1].(string)), rows[2*i], rows[2*i+1]}, nil }
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{tables[t].name}, columns, pgx.CopyFromSlice(len(rows)/width, row))
	return err
}

// vector is plain text as its index has it.
func vector(plain string) pgtype.TSVector {
	v := pgtype.TSVector{Valid: true}
	for _, pair := range pairs(plain) {
		v.Lexemes = append(v.Lexemes, pgtype.TSVectorLexeme{Word: pair})
	}
	return v
}

// anew drops every table and makes them again. Views that others made of them go too.
func (p *postgres) anew(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, sqlPostgresTables, p.schema)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := tx.Exec(ctx, "DROP TABLE "+pgx.Identifier{p.schema, name}.Sanitize()+" CASCADE"); err != nil {
			return err
		}
	}
	for _, stmt := range postgresSchema {
		if _, err := tx.Exec(ctx, stmt); err != nil {
			return err
		}
	}
	return nil
}

func (p *postgres) reader() *sql.DB          { return p.read }
func (p *postgres) bind(query string) string { return numbered(query) }

// match finds rows by pairs of letters and then looks whether they are next to each other.
func (p *postgres) match(_ string, words []string) (string, []any) {
	var b, query strings.Builder
	b.WriteString("words @@ ?::tsquery")
	args := []any{""}
	for _, w := range words {
		letters := []rune(w)
		if query.Len() > 0 {
			query.WriteString(" & ")
		}
		if len(letters) == 1 {
			query.WriteString("'" + w + "':*")
			continue
		}
		for i := range len(letters) - 1 {
			if i > 0 {
				query.WriteString(" & ")
			}
			query.WriteString("'" + string(letters[i:i+2]) + "'")
		}
		b.WriteString(" AND body LIKE ?") // words have no character that LIKE knows
		args = append(args, "%"+w+"%")
	}
	args[0] = query.String()
	return b.String(), args
}

func (p *postgres) close() error {
	var err error
	if p.write != nil {
		ctx, cancel := context.WithTimeout(context.Background(), connectTime)
		defer cancel()
		err = p.write.Close(ctx)
	}
	return errors.Join(err, p.read.Close())
}
