package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dureledger/dure/client/clienttest"
	"github.com/dureledger/dure/ledger/tx"
)

var update = flag.Bool("update", false, "write golden files and docs/cli.md anew")

// testClock stands still unless someone sleeps or moves it.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) Sleep(ctx context.Context, d time.Duration) error {
	c.move(d)
	return ctx.Err()
}

func (c *testClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// people are the keys of the tests, by name; the seed is the name's first letter.
var people = []string{"alice", "bob", "mallory", "notary"}

// stage is a ledger with a node, a keystore and a folder to work in.
type stage struct {
	t      *testing.T
	clock  *testClock
	ledger *clienttest.Ledger
	node   *clienttest.Node
	dir    string
	env    map[string]string
	ctx    context.Context
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, clock: &testClock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}, dir: t.TempDir(), ctx: t.Context()}
	s.ledger = clienttest.New("test", s.clock.Now)
	s.node = s.ledger.Serve()
	t.Cleanup(s.node.Server.Close)
	s.env = map[string]string{"DURE_HOME": filepath.Join(s.dir, "home"), "DURE_NODE": s.node.URL, "DURE_PASSPHRASE": "correct horse", "DURE_ACCOUNT": "alice"}
	t.Chdir(s.dir)
	for _, name := range people {
		s.write(name+".hex", hex.EncodeToString(bytes.Repeat([]byte{name[0]}, 32)))
		s.do("key", "import", name, name+".hex", "--secret", "ed25519").want(t, 0, "Imported")
		if name != "mallory" { // she has a key and no account
			s.ledger.Open(s.key(name).Key())
		}
	}
	s.ledger.Fund("krw", 0, s.key("alice").Key().Address(), "1000000")
	s.ledger.Fund("eur", 2, s.key("alice").Key().Address(), "500000")
	return s
}

func (s *stage) key(name string) tx.Signer {
	signer, err := tx.NewEd25519Signer(bytes.Repeat([]byte{name[0]}, 32))
	if err != nil {
		s.t.Fatal(err)
	}
	return signer
}

func (s *stage) address(name string) string { return s.key(name).Key().Address().String() }

func (s *stage) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) read(name string) string {
	s.t.Helper()
	content, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(content)
}

// result is what a command line did.
type result struct {
	args     []string
	code     int
	out, err string
}

func (s *stage) do(args ...string) result { return s.doWith("", args...) }

func (s *stage) doWith(input string, args ...string) result {
	var out, errOut bytes.Buffer
	code := run(s.ctx, console{
		in: strings.NewReader(input), out: &out, err: &errOut, getenv: func(k string) string { return s.env[k] }, workFactor: 1, clock: s.clock,
	}, args)
	return result{args, code, out.String(), errOut.String()}
}

// want checks the exit code and that each text is in what was printed.
func (r result) want(t *testing.T, code int, texts ...string) result {
	t.Helper()
	if r.code != code {
		t.Errorf("dure %s: exit code %d, want %d\n%s%s", strings.Join(r.args, " "), r.code, code, r.out, r.err)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			t.Errorf("dure %s: %q is not in\n%s%s", strings.Join(r.args, " "), text, r.out, r.err)
		}
	}
	return r
}

var (
	longHex  = regexp.MustCompile(`\b(0x)?[0-9a-f]{64}\b`)
	shortHex = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
)

// masks replaces ids, which differ from run to run, by numbered names.
type masks map[string]string

func (m masks) apply(text string) string {
	for _, kind := range []struct {
		pattern *regexp.Regexp
		name    string
	}{{longHex, "ID"}, {shortHex, "SHORT"}} {
		text = kind.pattern.ReplaceAllStringFunc(text, func(found string) string {
			if m[found] == "" {
				m["#"+kind.name] += "I"
				m[found] = fmt.Sprintf("<%s-%d>", kind.name, len(m["#"+kind.name]))
			}
			return m[found]
		})
	}
	return text
}

// golden compares text with a file of testdata, or writes it.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if string(want) != text {
		t.Errorf("%s is not what is printed now (go test -update, and look at the difference):\n%s", path, firstDifference(string(want), text))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n  want %q\n  have %q", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
