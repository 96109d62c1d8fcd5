//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// After an idle hour, and after a night, a payment is committed within a second, and there were no blocks in between.
// The hours pass by a build of dure in which the clock of consensus is ahead by as much as a file says.
func TestIdleHours(t *testing.T) {
	n := newNetwork(t)
	n.binary = movedBinary(t)
	clock := &movedClock{file: filepath.Join(t.TempDir(), "shift")}
	clock.move(t, 0)
	n.env = []string{clock.env()}
	n.up()
	c, err := client.Dial(client.Config{Addresses: []string{n.url(0)}, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := n.signer("alice"), n.signer("bob").Key().Address()
	n.transfer(c, alice, bob)
	for _, hours := range []int{1, 9} {
		idle := n.quiet()
		clock.move(t, time.Duration(hours)*time.Hour)
		began := time.Now()
		o := n.transfer(c, alice, bob)
		took := time.Since(began)
		t.Logf("%d h after the start: committed in %v, at height %d after %d", hours, took.Round(time.Millisecond), o.GetHeight(), idle)
		if took > time.Second {
			t.Errorf("a payment took %v", took)
		}
		// One empty block brings block time up to date, the next holds the payment.
		if o.GetHeight() > idle+2 {
			t.Errorf("idle at height %d, paid at %d", idle, o.GetHeight())
		}
		if at, err := time.Parse(time.RFC3339, o.GetTime()); err != nil || clock.Now().Sub(at) > time.Minute {
			t.Errorf("the block's time is %s, %v", o.GetTime(), err)
		}
	}
}

// quiet waits until no block has come for two seconds and returns the height.
func (n *network) quiet() int64 {
	n.t.Helper()
	var last status
	since := time.Now()
	eventually(n.t, time.Minute, func() bool {
		if s := n.status(); s != last {
			last, since = s, time.Now()
		}
		return time.Since(since) > 2*time.Second
	}, "blocks keep coming")
	return last.Height
}

func (n *network) transfer(c *client.Client, from tx.Signer, to tx.Address) *apiv1.Outcome {
	n.t.Helper()
	name, err := c.Network(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	o, err := c.Do(n.t.Context(), client.NewTransaction(name).Transfer(from.Key().Address(), to, "krw", "1"), from)
	if err != nil || client.Check(o) != nil {
		n.t.Fatal(o, err)
	}
	return o
}

// movedClock is ahead of this machine's, as the members' clocks are once they have read the file.
type movedClock struct {
	file  string
	ahead atomic.Int64
}

func (c *movedClock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *movedClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (c *movedClock) move(t *testing.T, by time.Duration) {
	t.Helper()
	c.ahead.Store(int64(by))
	if err := os.WriteFile(c.file+".new", fmt.Append(nil, int64(by)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(c.file+".new", c.file); err != nil {
		t.Fatal(err)
	}
}

// env tells a process to use this clock.
func (c *movedClock) env() string { return "MOVED_CLOCK=" + c.file }

var movedBuild struct {
	sync.Once
	file string
}

// movedBinary is a dure whose consensus and commands have a clock that can be moved, built once for all tests.
func movedBinary(t *testing.T) string {
	t.Helper()
	movedBuild.Do(func() {
		file := filepath.Join(filepath.Dir(binary), "dure-moved")
		if err := build(file, "-modfile="+movedModules(t), "-overlay="+movedCommands(t)); err != nil {
			t.Fatal(err)
		}
		movedBuild.file = file
	})
	if movedBuild.file == "" {
		t.Fatal("the dure with a clock that can be moved was not built")
	}
	return movedBuild.file
}

// movedModules writes a go.mod in which CometBFT is a copy whose clock reads the file in MOVED_CLOCK each time.
func movedModules(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cometbft/cometbft").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	comet := filepath.Join(dir, "cometbft")
	if err := os.CopyFS(comet, os.DirFS(strings.TrimSpace(string(out)))); err != nil {
		t.Fatal(err)
	}
	clock := filepath.Join(comet, "types", "time", "time.go")
	replaceIn(t, clock, "return Canonical(time.Now())", "return Canonical(time.Now().Add(ahead()))")
	replaceIn(t, clock, "import (", "import (\n\t\"os\"\n\t\"strconv\"")
	replaceIn(t, clock, "// WeightedTime for", readAhead+"\n// WeightedTime for")
	// Block time is checked against another clock, which does not move.
	replaceIn(t, filepath.Join(comet, "state", "validation.go"), "time.Now().Add(tol)", "time.Now().Add(tol + 30*24*time.Hour)")
	mod, sum := filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")
	for file, from := range map[string]string{mod: "../../go.mod", sum: "../../go.sum"} {
		raw, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if file == mod {
			raw = fmt.Appendf(raw, "\nreplace github.com/cometbft/cometbft => %s\n", comet)
		}
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return mod
}

// movedCommands writes an overlay in which the clock of clients and commands reads the file in MOVED_CLOCK each time.
func movedCommands(t *testing.T) string {
	t.Helper()
	dir, root := t.TempDir(), ""
	var err error
	if root, err = filepath.Abs("../.."); err != nil {
		t.Fatal(err)
	}
	replaced := map[string]string{}
	for _, change := range []struct{ file, old, new string }{
		{"client/config.go", "func (systemClock) Now() time.Time { return time.Now() }", readAhead + "\nfunc (systemClock) Now() time.Time { return time.Now().Add(ahead()) }"},
		{"cmd/dure/app.go", "\treturn time.Now()\n}", "\treturn time.Now().Add(ahead())\n}\n\n" + readAhead},
	} {
		raw, err := os.ReadFile(filepath.Join(root, change.file))
		if err != nil {
			t.Fatal(err)
		}
		moved := filepath.Join(dir, strings.ReplaceAll(change.file, "/", "-"))
		if err := os.WriteFile(moved, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		replaceIn(t, moved, change.old, change.new)
		for _, name := range []string{"os", "strconv"} {
			if !strings.Contains(string(raw), "\""+name+"\"\n") {
				replaceIn(t, moved, "import (", "import (\n\t\""+name+"\"")
			}
		}
		replaced[filepath.Join(root, change.file)] = moved
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const readAhead = `func ahead() time.Duration {
	file := os.Getenv("MOVED_CLOCK")
	if file == "" {
		return 0
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		panic(err)
	}
	return time.Duration(n)
}
`

// replaceIn changes the one place in a source file that reads like old.
func replaceIn(t *testing.T, file, old, new string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(raw), old) != 1 {
		t.Fatalf("%s does not have %q once any more; adapt this test", file, old)
	}
	if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, []byte(strings.Replace(string(raw), old, new, 1)), 0o600)); err != nil {
		t.Fatal(err)
	}
}
