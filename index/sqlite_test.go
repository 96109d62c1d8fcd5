package index_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
)

// file keeps an index in SQLite.
type file struct{ path string }

func (f file) open(l *indextest.Ledger) (*index.Index, error) { return index.Open(f.path, l.Genesis()) }

func (f file) dump(t *testing.T) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var b strings.Builder
	for _, table := range rows(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`) {
		if strings.HasPrefix(table, "text_") { // full text is compared by its vocabulary
			if !strings.Contains(table[5:], "_") {
				if _, err := db.Exec(`CREATE VIRTUAL TABLE temp.v_` + table + ` USING fts5vocab(main, ` + table + `, instance)`); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintln(&b, table, rows(t, db, `SELECT * FROM temp.v_`+table))
			}
			continue
		}
		fmt.Fprintln(&b, table, rows(t, db, `SELECT * FROM "`+table+`"`))
	}
	return b.String()
}

// rows are the answer to a query in text, in order.
func rows(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	res, err := db.Query(query)
	if err != nil {
		t.Fatal(query, err)
	}
	defer res.Close()
	columns, _ := res.Columns()
	var out []string
	for res.Next() {
		row, into, cells := make([]string, len(columns)), make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := res.Scan(into...); err != nil {
			t.Fatal(query, err)
		}
		for i, c := range cells {
			row[i] = fmt.Sprint(c)
		}
		out = append(out, strings.Join(row, " "))
	}
	if err := res.Err(); err != nil {
		t.Fatal(query, err)
	}
	slices.Sort(out)
	return out
}

func TestSQLite(t *testing.T) {
	suite(t, func(t *testing.T) keeper { return file{filepath.Join(t.TempDir(), "index.db")} })
}

func TestBrokenFileIsMadeAnew(t *testing.T) {
	l := newLedger(t)
	busy(t, l)
	path := filepath.Join(t.TempDir(), "index.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database. ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	x := open(t, file{path}, l)
	catchUp(t, x, l)
	if len(list(t, x, index.Filter{})) != 30 {
		t.Error("a broken file was not made anew")
	}
}

// A file is where it was asked for, also in folders whose names mean something in the URIs of SQLite.
func TestFolderNames(t *testing.T) {
	l := newLedger(t)
	for _, name := range []string{"50%25", "really?", "#1", "두레 home"} {
		path := filepath.Join(t.TempDir(), name, "index.db")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		open(t, file{path}, l)
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
