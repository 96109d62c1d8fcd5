package index

import (
	"context"
	"database/sql"
	"iter"
	"strings"
)

// database is where an index is kept. One is open for each Index.
type database interface {
	// claim makes ready to write and returns what the meta table holds, nothing if there are no tables yet. It may be
	// called again after any error of claim or apply. A *refusal says that the database is not this index's to write.
	claim(ctx context.Context) (map[string]string, error)
	// apply writes all parts in one database transaction or, when it returns an error, most likely nothing: claim tells. An error among
	// the parts is returned as it is, and nothing written.
	apply(ctx context.Context, parts iter.Seq2[*changes, error]) error
	// scrub takes what was erased out of the database's own files too, as far as it can, and says whether it did.
	scrub(ctx context.Context) (done bool, err error)
	// reader runs queries written with question marks after bind.
	reader() *sql.DB
	bind(query string) string
	// match is a condition on the rows of a table of texts, not given another name: that each of words is part of a word of it.
	match(table string, words []string) (condition string, args []any)
	// unreachable says whether err is that there is no connection.
	unreachable(err error) bool
	// damaged is what to do when err says that the database's files are damaged, empty if it does not.
	damaged(err error) string
	close() error
}

// refusal is why an index will not write to a database that it can reach.
type refusal struct {
	reason string
	busy   bool // another writer has it now
}

func (r *refusal) Error() string { return r.reason }

// schema makes the tables in both databases, each of which has its own words for INT, BYTES, TEXT and KEYED, a table
// kept in the order of its key. Times are unix milliseconds, addresses 20 bytes, digests and ids 32.
var schema = []string{
	`CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) KEYED`,

	`CREATE TABLE tx (seq INT PRIMARY KEY, id BYTES NOT NULL, height INT NOT NULL, position INT NOT NULL, time INT NOT NULL, status INT NOT NULL)`,
	// A transaction is found by the first 8 bytes of its id: a third of the space of an index over the whole. It is a table of its own, and no index
	// of tx, so that a step's rows can be added in its order.
	`CREATE TABLE id_tx (prefix INT, seq INT, PRIMARY KEY (prefix, seq)) KEYED`,
	`CREATE INDEX tx_failed ON tx (seq) WHERE status = 2`,
	`CREATE TABLE account_tx (account BYTES, seq INT, PRIMARY KEY (account, seq)) KEYED`,
	`CREATE TABLE asset_tx (asset TEXT, seq INT, PRIMARY KEY (asset, seq)) KEYED`,
	`CREATE TABLE digest_tx (digest BYTES, seq INT, PRIMARY KEY (digest, seq)) KEYED`,

	`CREATE TABLE account (n INT PRIMARY KEY, address BYTES NOT NULL UNIQUE, sponsor BYTES NOT NULL)`,
	`CREATE INDEX account_sponsor ON account (sponsor, n)`,
	`CREATE TABLE account_event (account BYTES, seq INT, event INT, PRIMARY KEY (account, seq, event)) KEYED`,
	`CREATE TABLE asset (asset TEXT PRIMARY KEY) KEYED`,
	`CREATE TABLE balance (account BYTES, asset TEXT, PRIMARY KEY (account, asset)) KEYED`,
	`CREATE INDEX balance_asset ON balance (asset, account)`,
	`CREATE TABLE hold_party (account BYTES, seq INT, hold BYTES, PRIMARY KEY (account, seq, hold)) KEYED`,
	`CREATE INDEX hold_party_hold ON hold_party (hold)`,
	`CREATE TABLE record (n INT PRIMARY KEY, digest BYTES NOT NULL, recorder BYTES NOT NULL, name TEXT NOT NULL,
		title TEXT NOT NULL, UNIQUE (digest, recorder))`,
	`CREATE INDEX record_recorder ON record (recorder, n)`,
	`CREATE INDEX record_name ON record (name, n)`,
	`CREATE INDEX record_title ON record (title, n)`,

	`CREATE TABLE feed (feed TEXT PRIMARY KEY, operator BYTES NOT NULL) KEYED`,
	`CREATE INDEX feed_operator ON feed (operator, feed)`,
	`CREATE TABLE feed_source (feed TEXT, device BYTES, PRIMARY KEY (feed, device)) KEYED`,
	`CREATE INDEX feed_source_device ON feed_source (device, feed)`,
	// Refused readings (verdict 4) are in no order that others are sought in: anybody can make them up.
	`CREATE TABLE reading (n INT PRIMARY KEY, seq INT NOT NULL, action INT NOT NULL, position INT NOT NULL, feed TEXT NOT NULL,
		device BYTES NOT NULL, boot INT NOT NULL, sequence INT NOT NULL, taken INT NOT NULL, anchored INT NOT NULL,
		value INT NOT NULL, decimals INT NOT NULL, verdict INT NOT NULL, reason INT NOT NULL, firmware INT NOT NULL, level INT NOT NULL)`,
	`CREATE INDEX reading_number ON reading (device, boot, sequence)`,
	`CREATE INDEX reading_taken ON reading (feed, taken, n) WHERE verdict < 4`,
	// The last columns save looking up every row when a device's readings are counted.
	`CREATE INDEX reading_source ON reading (feed, device, taken, n, verdict, anchored, seq) WHERE verdict < 4`,
	`CREATE INDEX reading_odd ON reading (feed, verdict, taken, n) WHERE verdict > 1`,
	`CREATE TABLE reading_raw (n INT PRIMARY KEY, key BYTES NOT NULL, raw BYTES NOT NULL)`,
	`CREATE TABLE settlement (seq INT, event INT, feed TEXT NOT NULL, device BYTES NOT NULL, first_at INT NOT NULL, last_at INT NOT NULL,
		paid INT NOT NULL, forfeited INT NOT NULL, asset TEXT NOT NULL, amount TEXT NOT NULL, PRIMARY KEY (seq, event)) KEYED`,
	`CREATE INDEX settlement_device ON settlement (device, last_at)`,
	`CREATE INDEX settlement_paid ON settlement (device, seq, event)`,
	`CREATE INDEX settlement_feed ON settlement (feed, seq, event)`,
	// What an organisation may issue, or might.
	`CREATE TABLE issue (holder BYTES, schema TEXT, PRIMARY KEY (holder, schema)) KEYED`,
	// A fact is an account, a schema, a zero byte and a value; a consent a person and a digest.
	`CREATE TABLE fact (issuer BYTES, fact BYTES, PRIMARY KEY (issuer, fact)) KEYED`,
	`CREATE TABLE consent (recipient BYTES, consent BYTES, PRIMARY KEY (recipient, consent)) KEYED`,
}

// schemaFor is the schema in a database's own words, and more.
func schemaFor(words *strings.Replacer, more ...string) []string {
	out := make([]string, 0, len(schema)+len(more))
	for _, stmt := range schema {
		out = append(out, words.Replace(stmt))
	}
	return append(out, more...)
}
