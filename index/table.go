package index

import (
	"strconv"
	"strings"
)

// table names one of the index's tables that steps add rows to.
type table int

const (
	txTable table = iota
	idTxTable
	accountTxTable
	assetTxTable
	digestTxTable
	textTxTable
	accountTable
	accountEventTable
	assetTable
	balanceTable
	holdPartyTable
	recordTable
	textRecordTable
	feedTable
	feedSourceTable
	readingTable
	readingRawTable
	settlementTable
	issueTable
	factTable
	consentTable
	tableCount
)

// tables describes each of them.
var tables = [tableCount]struct {
	name    string
	columns []string
	// again says that a row may be there already, which is then kept.
	again bool
}{
	txTable:           {"tx", []string{"seq", "id", "height", "position", "time", "status"}, false},
	idTxTable:         {"id_tx", []string{"prefix", "seq"}, false},
	accountTxTable:    {"account_tx", []string{"account", "seq"}, false},
	assetTxTable:      {"asset_tx", []string{"asset", "seq"}, false},
	digestTxTable:     {"digest_tx", []string{"digest", "seq"}, false},
	textTxTable:       {"text_tx", []string{"rowid", "body"}, false},
	accountTable:      {"account", []string{"n", "address", "sponsor"}, false},
	accountEventTable: {"account_event", []string{"account", "seq", "event"}, false},
	assetTable:        {"asset", []string{"asset"}, true},
	balanceTable:      {"balance", []string{"account", "asset"}, true},
	holdPartyTable:    {"hold_party", []string{"account", "seq", "hold"}, true},
	recordTable:       {"record", []string{"n", "digest", "recorder", "name", "title"}, false},
	textRecordTable:   {"text_record", []string{"rowid", "body"}, false},
	feedTable:         {"feed", []string{"feed", "operator"}, false},
	feedSourceTable:   {"feed_source", []string{"feed", "device"}, true},
	readingTable: {"reading", []string{"n", "seq", "action", "position", "feed", "device", "boot", "sequence", "taken", "anchored", "value", "decimals",
		"verdict", "reason", "firmware", "level"}, false},
	readingRawTable: {"reading_raw", []string{"n", "key", "raw"}, false},
	settlementTable: {"settlement", []string{"seq", "event", "feed", "device", "first_at", "last_at", "paid", "forfeited", "asset", "amount"}, false},
	issueTable:      {"issue", []string{"holder", "schema"}, true},
	factTable:       {"fact", []string{"issuer", "fact"}, true},
	consentTable:    {"consent", []string{"recipient", "consent"}, true},
}

// maxRows is how many rows one statement adds at most; every power of two below is a statement too. The SQLite driver
// looks for each value of a statement among all of them, so that more rows would cost more again.
const maxRows = 16

// insert is the statement that adds n rows to t, begun with a database's verb for it.
func insert(verb string, t table, n int) string {
	d := tables[t]
	var b strings.Builder
	b.WriteString(verb + " INTO " + d.name + " (" + strings.Join(d.columns, ", ") + ") VALUES ")
	row := "(" + strings.Repeat("?, ", len(d.columns)-1) + "?)"
	b.WriteString(strings.Repeat(row+", ", n-1) + row)
	if d.again {
		b.WriteString(" ON CONFLICT DO NOTHING")
	}
	return b.String()
}

// portions cuts the rows of t so that few different statements add them: full ones, then halves of what is left.
func portions(t table, rows []any, most int, add func(n int, args []any) error) error {
	width := len(tables[t].columns)
	for n := most; len(rows) > 0; {
		if len(rows) < n*width {
			n /= 2
			continue
		}
		if err := add(n, rows[:n*width]); err != nil {
			return err
		}
		rows = rows[n*width:]
	}
	return nil
}

// numbered writes a query's question marks as $1, $2 and so on. Our queries have no other question marks.
func numbered(query string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}
