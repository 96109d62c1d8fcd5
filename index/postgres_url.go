package index

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Postgres says where in PostgreSQL an index is kept.
type Postgres struct {
	// URL is postgres://user@host:port/database with libpq's parameters. A password in it is never shown; it may also
	// come from PGPASSWORD, PGPASSFILE or ~/.pgpass.
	URL string
	// Schema is the schema of that database, made if missing.
	Schema string
}

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// Check says what is wrong with p, without naming its password.
func (p Postgres) Check() error {
	_, err := p.parse()
	return err
}

// HasPassword says whether a URL has a password in it, or may have one where it cannot be read.
func HasPassword(database string) bool {
	u, err := url.Parse(database)
	if err != nil {
		return true
	}
	_, there := u.User.Password()
	return there || u.Query().Has("password")
}

func (p Postgres) parse() (*pgx.ConnConfig, error) {
	if !schemaName.MatchString(p.Schema) || strings.HasPrefix(p.Schema, "pg_") || p.Schema == "information_schema" {
		return nil, fmt.Errorf("setting index.schema: %q: want small letters, digits and _, at most 63, not beginning with pg_", p.Schema)
	}
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("setting index.database: want postgres://user@host:port/database, or nothing for SQLite in the node's folder")
	}
	config, err := pgx.ParseConfig(p.URL)
	if err != nil { // its text may have what was meant to be a password
		return nil, errors.New("setting index.database: PostgreSQL does not take this URL; want postgres://user@host:port/database?sslmode=verify-full")
	}
	plain := config.TLSConfig == nil && !local(config.Host)
	for _, f := range config.Fallbacks {
		plain = plain || f.TLSConfig == nil && !local(f.Host)
	}
	if plain {
		return nil, fmt.Errorf("setting index.database: without TLS anyone between this machine and %s could read and change the index; "+
			"add sslmode=verify-full to the URL, and sslrootcert=FILE if its certificate is your own", config.Host)
	}
	return config, nil
}

// local is true of sockets in the file system and of loopback.
func local(host string) bool {
	ip := net.ParseIP(host)
	return strings.HasPrefix(host, "/") || host == "localhost" || ip != nil && ip.IsLoopback()
}
