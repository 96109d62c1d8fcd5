package index

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// claim connects anew, makes the schema if there is none, and takes the lock that one writer at a time has.
func (p *postgres) claim(ctx context.Context) (map[string]string, error) {
	if p.write != nil {
		_ = p.write.Close(ctx) // broken, perhaps
		p.write = nil
	}
	conn, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, applyTime)
	defer cancel()
	meta, err := p.take(ctx, conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	p.write = conn
	return meta, nil
}

func (p *postgres) take(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	if e := conn.PgConn().ParameterStatus("server_encoding"); e != "UTF8" {
		return nil, &refusal{reason: fmt.Sprintf("database %s keeps text as %s; make one with ENCODING 'UTF8'", p.config.Database, e)}
	}
	if err := p.lock(ctx, conn); err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, sqlPostgresTables, p.schema)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		return nil, err
	}
	meta, err := p.meta(ctx, conn)
	switch {
	case err != nil:
		return nil, err
	case meta["network"] == "" || meta["schema"] == "":
		return nil, &refusal{reason: p.place() + " has tables that are not an index; choose another schema with setting index.schema"}
	case meta["network"] != p.network:
		return nil, &refusal{reason: fmt.Sprintf("%s holds the index of another network, %s; choose another schema with setting index.schema, "+
			"or drop that one if the network is no more", p.place(), meta["network"])}
	}
	return meta, nil
}

// lock makes the schema, if there is none, and keeps every other writer out for as long as conn is open.
func (p *postgres) lock(ctx context.Context, conn *pgx.Conn) error {
	var there, locked bool
	if err := conn.QueryRow(ctx, sqlPostgresHasSchema, p.schema).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{p.schema}.Sanitize()); err != nil {
			return err
		}
	}
	if err := conn.QueryRow(ctx, sqlPostgresLock, p.schema).Scan(&locked); err != nil {
		return err
	}
	if !locked {
		return &refusal{busy: true, reason: "another node writes to " + p.place() + "; give each node a schema of its own with setting index.schema"}
	}
	return nil
}

// meta is what the meta table holds, nothing if there is no such table or it is not ours.
func (p *postgres) meta(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	rows, _ := conn.Query(ctx, sqlGetMeta) // the rows have its error
	meta := map[string]string{}
	var name, value string
	_, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		meta[name] = value
		return nil
	})
	var bad *pgconn.PgError
	if errors.As(err, &bad) && strings.HasPrefix(bad.Code, "42") && bad.Code != "42501" { // no such table or columns
		return nil, nil
	}
	return meta, err
}

func (p *postgres) place() string {
	return fmt.Sprintf("schema %s of database %s", p.schema, p.config.Database)
}

// damaged leaves to the server's operators what is wrong with its files.
func (p *postgres) damaged(error) string { return "" }

// unreachable is true of errors of the connection, and of servers that start, stop or have no connection to give.
func (p *postgres) unreachable(err error) bool {
	var bad *pgconn.PgError
	if errors.As(err, &bad) {
		switch {
		case strings.HasPrefix(bad.Code, "08"), strings.HasPrefix(bad.Code, "53"), strings.HasPrefix(bad.Code, "57P"):
			return true
		}
		return bad.Code == "42P01" // the tables are not made yet
	}
	var failed *pgconn.ConnectError
	var broken net.Error
	return errors.As(err, &failed) || errors.As(err, &broken) && !errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}
