//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lone is a node run by "dure start" as a process of its own, beside a demonstration network.
type lone struct {
	*network
	home string
	cmd  *exec.Cmd
	out  *output
}

func (l *lone) start(args ...string) {
	l.t.Helper()
	l.out = &output{}
	l.cmd = l.command(append([]string{"start", "--home", l.home}, args...)...)
	l.cmd.Stdout, l.cmd.Stderr = l.out, l.out
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := l.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(l.kill)
}

func (l *lone) kill() {
	if l.cmd == nil {
		return
	}
	_ = l.cmd.Process.Kill()
	_ = l.cmd.Wait()
	l.cmd = nil
	if l.t.Failed() {
		l.t.Log(l.out)
	}
}

// statusAt asks a node that may not answer yet.
func statusAt(url string) (s status, err error) {
	raw, err := fetch(url+"/dure.api.v1.LedgerService/GetStatus", "{}")
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	return s, err
}

// payments makes some and returns the id of the last.
func (n *network) payments(times int) (last string) {
	n.t.Helper()
	for range times {
		last = n.pay("10")
	}
	return last
}

// A fifth member joins by blocks and a sixth from a snapshot; the fifth is backed up while it runs, killed, restored
// elsewhere and has the others' state again.
func TestJoinBackupRestore(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.up()
	n.down()
	for _, member := range []string{"city", "bank", "broker", "insurer"} {
		f, err := os.OpenFile(filepath.Join(n.dir, member, "config.yaml"), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString("\nsnapshot.interval: 8\n")
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	n.up()
	old := n.payments(6)
	api, p2p := freeRange(t), freeRange(t)
	address := func(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", api+i) }
	join := func(i int, extra ...string) *lone {
		l := &lone{network: n, home: filepath.Join(t.TempDir(), "home")}
		key := fmt.Sprintf("member%d", i)
		n.dure("key", "new", key)
		args := append([]string{"join", "--genesis", filepath.Join(n.dir, "genesis.json"), "--name", key, "--member", key, "--home", l.home,
			"--api-listen", strings.TrimPrefix(address(i), "http://"), "--p2p-listen", fmt.Sprintf("127.0.0.1:%d", p2p+i)}, extra...)
		if out := n.dure(args...); !strings.Contains(out, "network propose") {
			t.Errorf("join says:\n%s", out)
		}
		n.voted([]string{"bank", "broker", "insurer"}[:2+i%2], "--add-member", filepath.Join(l.home, "member.json"))
		return l
	}
	same := func(url string) {
		t.Helper()
		eventually(t, time.Minute, func() bool {
			s, err := statusAt(url)
			return err == nil && s == n.statusOf(0)
		}, "%s does not catch up", url)
	}

	five := join(0)
	five.start()
	same(address(0))
	file := filepath.Join(t.TempDir(), "b.tar")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.dure("backup", "--home", five.home, "--out", file, "--with-keys", "--passphrase-file", secret)
	five.kill()
	n.payments(3)

	again := &lone{network: n, home: filepath.Join(t.TempDir(), "again")}
	t.Run("restored", func(t *testing.T) {
		unfinished := filepath.Join(again.home, "data.restoring")
		killOnce(t, n.command("restore", file, "--home", again.home, "--with-keys", "--passphrase-file", secret), unfinished)
		if _, err := os.Stat(unfinished); err == nil {
			if out, code := n.run("start", "--home", again.home); code == 0 || !strings.Contains(out, "dure restore") {
				t.Errorf("a home whose restore was killed: exit %d\n%s", code, out)
			}
		} else if err := os.RemoveAll(again.home); err != nil { // it was done sooner
			t.Fatal(err)
		}
		n.dure("restore", file, "--home", again.home, "--with-keys", "--passphrase-file", secret)
		again.start()
		same(address(0))
		n.dure("--node", address(0), "receipt", "get", old, "-o", filepath.Join(t.TempDir(), "r.dure"))
	})
	n.payments(8)
	six := join(1, "--from-snapshot", "--node", n.url(0)+","+n.url(1), "--key-type", "mldsa65")
	t.Run("from a snapshot", func(t *testing.T) {
		six.start()
		same(address(1))
		if !strings.Contains(six.out.String(), "the snapshot is verified and stored") {
			t.Errorf("it did not begin with a snapshot:\n%s", six.out)
		}
		paid := n.payments(1)
		n.dure("--node", address(1), "receipt", "get", paid, "-o", filepath.Join(t.TempDir(), "r.dure"))
	})
	t.Run("and votes with its ML-DSA-65 key", func(t *testing.T) {
		n.voted([]string{"bank", "broker", "insurer", "member0"}, "--power", n.address("member1")+"=10")
		paid := n.payments(3)
		same(address(1))
		file := filepath.Join(t.TempDir(), "r.dure")
		n.dure("--node", address(1), "receipt", "get", paid, "-o", file)
		n.dure("receipt", "verify", file, "--genesis", filepath.Join(n.dir, "genesis.json"))
	})
}

// voted makes the city propose a change, and these vote for it.
func (n *network) voted(voters []string, change ...string) {
	n.t.Helper()
	proposal := regexp.MustCompile(`proposal\s+(\d+)`).FindStringSubmatch(n.dure(append([]string{"network", "propose", "--by", "city"}, change...)...))
	if proposal == nil {
		n.t.Fatal("no proposal")
	}
	for _, voter := range voters {
		n.dure("network", "vote", proposal[1], "--by", voter)
	}
}

// killOnce kills a command once a folder is there, or it has ended.
func killOnce(t *testing.T, cmd *exec.Cmd, folder string) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	eventually(t, time.Minute, func() bool {
		select {
		case <-ended:
			return true
		default:
			_, err := os.Stat(folder)
			return err == nil
		}
	}, "%s did not come", folder)
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	<-ended
}
