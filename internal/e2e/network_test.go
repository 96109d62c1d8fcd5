//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The README's first minute, and a restart.
func TestFirstMinute(t *testing.T) {
	n := newNetwork(t)
	began := time.Now()
	n.up()
	n.dure("asset", "transfer", "krw", "12500", "--from", "alice", "--to", "bob", "--memo", "lunch")
	t.Logf("from up to the first committed payment: %v", time.Since(began).Round(10*time.Millisecond))
	if lines := strings.Count(n.out.String(), "\n"); lines > 20 {
		t.Errorf("up says %d lines", lines)
	}

	t.Run("a document", func(t *testing.T) { document(t, n) })
	t.Run("down and up again", func(t *testing.T) {
		before := n.status()
		n.down()
		n.up()
		after := n.status()
		if after.StateRoot != before.StateRoot || after.Height < before.Height {
			t.Errorf("before %+v, after %+v", before, after)
		}
		n.dure("asset", "transfer", "krw", "1", "--from", "alice", "--to", "bob")
	})
}

func document(t *testing.T, n *network) {
	n.dure("record", "add", "../../README.md")
	if out, code := n.run("record", "check", "../../README.md"); code != 0 || !strings.Contains(strings.ToLower(out), "original") {
		t.Errorf("the recorded file: exit %d\n%s", code, out)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme[len(readme)/2] ^= 1
	changed := filepath.Join(t.TempDir(), "README.md")
	never := filepath.Join(t.TempDir(), "never-seen.txt")
	for name, content := range map[string][]byte{changed: readme, never: []byte("nobody recorded this")} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := n.run("record", "check", changed); code != 3 || !strings.Contains(strings.ToLower(out), "altered") {
		t.Errorf("a copy with one bit changed: exit %d\n%s", code, out)
	}
	if out, code := n.run("record", "check", never); code != 3 || !strings.Contains(strings.ToLower(out), "unknown") {
		t.Errorf("a file never recorded: exit %d\n%s", code, out)
	}
}

// status is what a member says of itself.
type status struct {
	Height      int64  `json:"height,string"`
	StateRoot   string `json:"stateRoot"`
	HistoryRoot string `json:"historyRoot"`
}

func (n *network) status() status {
	n.t.Helper()
	return n.statusOf(0)
}

func (n *network) statusOf(member int) (s status) {
	n.t.Helper()
	post(n.t, n.url(member)+"/dure.api.v1.LedgerService/GetStatus", "{}", &s)
	return s
}

// sameRoots waits until four members have one height and state.
func (n *network) sameRoots() {
	n.t.Helper()
	eventually(n.t, time.Minute, func() bool {
		first := n.statusOf(0)
		return first == n.statusOf(1) && first == n.statusOf(2) && first == n.statusOf(3)
	}, "the members' states differ")
}

// What cannot start says why and starts nothing.
func TestUpRefuses(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	t.Run("a port that is taken", func(t *testing.T) {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", n.api+2))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		refused(t, n, l.Addr().String()+" is in use")
	})
	n.up()
	t.Run("a second copy", func(t *testing.T) { refused(t, n, "running already") })
	n.dure("status")
	t.Run("a folder that cannot be written", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		other := &network{t: t, binary: n.binary, dir: filepath.Join(dir, "net"), api: n.api + 10, p2p: n.p2p + 10}
		cmd := other.upCommand()
		if os.Geteuid() == 0 { // root may write anywhere
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
			open(t, filepath.Dir(n.binary), filepath.Dir(dir), dir)
		}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "cannot be made") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// open lets another user pass through folders made for this one.
func open(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o055 != 0o055 {
				if err := os.Chmod(dir, info.Mode().Perm()|0o055); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func refused(t *testing.T, n *network, says string) {
	t.Helper()
	out, err := n.upCommand().CombinedOutput()
	if err == nil || !strings.Contains(string(out), says) || !strings.Contains(string(out), "nothing was started") {
		t.Errorf("%v\n%s", err, out)
	}
}

// JSON over HTTP as curl would send it.
func post(t *testing.T, url, body string, into any) {
	t.Helper()
	raw, err := fetch(url, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v\n%s", url, err, raw)
	}
}
