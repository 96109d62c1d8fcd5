//go:build e2e

package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/index/indextest"
)

// Members keep their indexes in one PostgreSQL, each in a schema of its own. When the server dies payments go on, a
// search says what is wrong, and when the server is back nothing is missing. Its password is written nowhere.
func TestIndexInPostgreSQL(t *testing.T) {
	t.Parallel()
	server, err := indextest.StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	n := newNetwork(t)
	n.up()
	n.down()
	configs, err := filepath.Glob(filepath.Join(n.dir, "*", "config.yaml"))
	if err != nil || len(configs) != 4 {
		t.Fatal(configs, err)
	}
	for i, name := range configs {
		n.appendTo(name, fmt.Sprintf("\nindex.database: %q\nindex.schema: member_%d\n", server.URL("postgres"), i))
	}
	n.up()
	c, err := client.Dial(client.Config{Addresses: []string{n.url(0)}})
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := n.signer("alice"), n.signer("bob").Key().Address()
	for range 3 {
		n.transfer(c, alice, bob)
	}
	eventually(t, 20*time.Second, func() bool { return n.listed() == 3 }, "the payments are not listed: %s", n.out)

	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		n.transfer(c, alice, bob)
	}
	if out, code := n.run("tx", "list"); code == 0 || !strings.Contains(out, "cannot reach the database") {
		t.Errorf("a list without a database: exit %d\n%s", code, out)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func() bool { return n.listed() == 6 }, "the payments are not listed after the server is back")

	db, err := sql.Open("pgx", server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range configs {
		query := fmt.Sprintf("SELECT count(*) FROM member_%d.tx WHERE status = 1", i)
		count := 0
		eventually(t, time.Minute, func() bool { return db.QueryRow(query).Scan(&count) == nil && count == 6 }, "member %d has indexed %d", i, count)
	}
	n.crash()
	n.up()
	n.transfer(c, alice, bob)
	eventually(t, time.Minute, func() bool { return n.listed() == 7 }, "the payments are not listed after a crash of the members")
	for _, name := range configs {
		log, err := os.ReadFile(filepath.Join(filepath.Dir(name), "node.log"))
		if err != nil || strings.Contains(string(log), indextest.PostgresPassword) {
			t.Errorf("the password is in %s's log, or there is none: %v", filepath.Dir(name), err)
		}
	}
}

// listed is how many payments the first member lists.
func (n *network) listed() int {
	out, code := n.run("tx", "list")
	if code != 0 {
		return -1
	}
	return strings.Count(out, "krw")
}

func (n *network) appendTo(name, text string) {
	n.t.Helper()
	raw, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, append(raw, text...), 0o600)
	}
	if err != nil {
		n.t.Fatal(err)
	}
}
