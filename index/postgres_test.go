//go:build e2e

package index_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/fault"
)

var server *indextest.Postgres

func TestMain(m *testing.M) {
	var err error
	if server, err = indextest.StartPostgres(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// inSchema keeps an index in a schema of the server.
type inSchema struct{ name string }

var schemas atomic.Int64

func newSchema(*testing.T) keeper { return inSchema{fmt.Sprintf("test_%d", schemas.Add(1))} }

func (s inSchema) place() index.Postgres {
	return index.Postgres{URL: server.URL("postgres"), Schema: s.name}
}

func (s inSchema) open(l *indextest.Ledger) (*index.Index, error) {
	return index.Connect(context.Background(), s.place(), l.Genesis())
}

func (s inSchema) dump(t *testing.T) string {
	t.Helper()
	db := s.db(t)
	var b strings.Builder
	for _, table := range rows(t, db, `SELECT tablename FROM pg_tables WHERE schemaname = '`+s.name+`' ORDER BY 1`) {
		fmt.Fprintln(&b, table, rows(t, db, `SELECT * FROM `+s.name+`.`+table))
	}
	return b.String()
}

func (s inSchema) db(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s inSchema) exec(t *testing.T, query string) {
	t.Helper()
	if _, err := s.db(t).Exec(query); err != nil {
		t.Fatal(query, err)
	}
}

func TestPostgres(t *testing.T) { suite(t, newSchema) }

func TestOneWriterAtATime(t *testing.T) {
	l := newLedger(t)
	busy(t, l)
	s := newSchema(t).(inSchema)
	x := open(t, s, l)
	if _, err := s.open(l); err == nil || !strings.Contains(err.Error(), "another node writes to schema "+s.name) {
		t.Errorf("a second writer: %v", err)
	}
	other := open(t, newSchema(t), l)
	catchUp(t, other, l)
	catchUp(t, x, l)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if again := open(t, s, l); again.Seq() != l.Size() {
		t.Errorf("after the first closed: %d of %d", again.Seq(), l.Size())
	}
}

func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	l := newLedger(t)
	for name, tc := range map[string]struct{ before, want string }{
		"other tables":    {`CREATE TABLE %s.accounts (n int)`, "tables that are not an index"},
		"another meta":    {`CREATE TABLE %s.meta (x int)`, "tables that are not an index"},
		"another network": {`CREATE TABLE %[1]s.meta (name text, value text); INSERT INTO %[1]s.meta VALUES ('network', 'other-1'), ('schema', '1')`, "the index of another network, other-1"},
	} {
		s := newSchema(t).(inSchema)
		s.exec(t, "CREATE SCHEMA "+s.name)
		s.exec(t, fmt.Sprintf(tc.before, s.name))
		before := s.dump(t)
		if _, err := s.open(l); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
		if s.dump(t) != before {
			t.Errorf("%s: changed to %s", name, s.dump(t))
		}
	}
}

func TestAnotherSchemaVersionIsMadeAnew(t *testing.T) {
	l := newLedger(t)
	busy(t, l)
	s := newSchema(t).(inSchema)
	x := open(t, s, l)
	catchUp(t, x, l)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	before := s.dump(t)
	s.exec(t, fmt.Sprintf(`UPDATE %[1]s.meta SET value = '0' WHERE name = 'schema'; ALTER TABLE %[1]s.tx RENAME TO transactions; CREATE VIEW %[1]s.mine AS SELECT * FROM %[1]s.asset`, s.name))
	x = open(t, s, l)
	if x.Seq() != 0 {
		t.Errorf("%d are indexed", x.Seq())
	}
	catchUp(t, x, l)
	if s.dump(t) != before {
		t.Error("made anew it differs")
	}
}

// lines collects a log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The server is killed between steps and under them: what is committed meanwhile is indexed when it is back, once.
func TestServerKilled(t *testing.T) {
	l := newLedger(t)
	busy(t, l)
	s := newSchema(t).(inSchema)
	x := open(t, s, l)
	log := &lines{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Follow(ctx, l, slog.New(slog.NewTextHandler(log, nil))) }()
	reach(t, "the ledger is indexed", func() bool { return x.Seq() == l.Size() })
	for round := range 3 {
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			do(t, l, indextest.Person(0), indextest.Transfer(indextest.Person(0), indextest.Address(indextest.Person(1)), "1", fmt.Sprint("round ", round, i)))
		}
		if _, _, err := x.Transactions(ctx, index.Filter{}, index.Page{}); fault.Code(err) != "index.unavailable" {
			t.Errorf("asked while the server is down: %v", err)
		}
		reach(t, "the trouble is said", func() bool { return strings.Count(log.String(), "falls behind") == round+1 })
		if x.Seq() == l.Size() {
			t.Error("indexed without a server")
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		reach(t, "the rest is indexed", func() bool { return x.Seq() == l.Size() })
		if got := list(t, x, index.Filter{}); len(got) != int(l.Size()) {
			t.Errorf("%d of %d are listed", len(got), l.Size())
		}
		reach(t, "the end of the trouble is said", func() bool { return strings.Count(log.String(), "written again") == round+1 })
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), indextest.PostgresPassword) {
		t.Error("the password is in the log")
	}
	fresh := newSchema(t)
	catchUp(t, open(t, fresh, l), l)
	if s.dump(t) != fresh.dump(t) {
		t.Error("an index whose server was killed differs from a new one")
	}
}

func TestServerThatIsNotThereYet(t *testing.T) {
	l := newLedger(t)
	busy(t, l)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	x := open(t, newSchema(t), l)
	if _, _, err := x.Assets(t.Context(), index.Page{}); fault.Code(err) != "index.unavailable" {
		t.Error(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	catchUp(t, x, l)
}

func TestRefusedUser(t *testing.T) {
	l := newLedger(t)
	p := newSchema(t).(inSchema).place()
	for name, change := range map[string][2]string{
		"password": {indextest.PostgresPassword, "wrong-horse"},
		"database": {"/postgres?", "/nowhere?"},
	} {
		bad := p
		bad.URL = strings.Replace(bad.URL, change[0], change[1], 1)
		_, err := index.Connect(t.Context(), bad, l.Genesis())
		if err == nil || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("PGPASSWORD", indextest.PostgresPassword)
	p.URL = strings.Replace(p.URL, ":"+indextest.PostgresPassword, "", 1)
	x, err := index.Connect(t.Context(), p, l.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}

// The page for those who read the tables has questions that PostgreSQL answers as written.
func TestQuestionsOfThePage(t *testing.T) {
	page, err := os.ReadFile("../docs/index.md")
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger(t)
	busy(t, l)
	s := inSchema{"dure"}
	catchUp(t, open(t, s, l), l)
	s.exec(t, "CREATE ROLE auditor")
	_, asking, _ := strings.Cut(string(page), "## Asking it")
	answered := 0
	for _, block := range strings.Split(asking, "```sql\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for _, question := range strings.Split(strings.TrimSpace(block), ";\n") {
			if len(rows(t, s.db(t), question)) > 0 {
				answered++
			}
		}
	}
	if answered != 5 { // none: the grants, what asks for this month, and an account and an id that are not there
		t.Errorf("%d questions have an answer", answered)
	}
}

// reach waits until ok.
func reach(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("waited a minute until " + what)
		}
	}
}

func BenchmarkFollowPostgres(b *testing.B) {
	benchmark(b, func(*testing.B) keeper { return newSchema(nil) })
}

func BenchmarkReadingsPostgres(b *testing.B) {
	readingBenchmark(b, func(*testing.B) keeper { return newSchema(nil) })
}
