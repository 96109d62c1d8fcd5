//go:build e2e

package e2e

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

// hostedNode is one member's node, run as an operator's service manager would.
type hostedNode struct {
	n      *network
	home   string
	url    string
	binary string
	args   []string
	cmd    *exec.Cmd
	out    *output
}

// members makes a demonstration network and returns its four nodes in the order of their ports, none of them running.
func (n *network) members() []*hostedNode {
	n.t.Helper()
	n.up()
	n.down()
	files, err := filepath.Glob(filepath.Join(n.dir, "*", "config.yaml"))
	if err != nil || len(files) != 4 {
		n.t.Fatal(files, err)
	}
	all := make([]*hostedNode, 4)
	for _, file := range files {
		c, err := node.Load(file, func(string) (string, bool) { return "", false }, nil)
		if err != nil {
			n.t.Fatal(err)
		}
		m := &hostedNode{n: n, home: filepath.Dir(file), url: "http://" + c.APIListen, binary: n.binary, out: &output{}}
		for i := range all {
			if m.url == n.url(i) {
				all[i] = m
			}
		}
		n.t.Cleanup(m.kill)
	}
	return all
}

func (m *hostedNode) start() {
	m.n.t.Helper()
	m.cmd = exec.Command(m.binary, append([]string{"start", "--home", m.home}, m.args...)...)
	m.cmd.Env = append(os.Environ(), m.n.env...)
	m.cmd.Stdout, m.cmd.Stderr = m.out, m.out
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		m.n.t.Fatal(err)
	}
}

func (m *hostedNode) ready() {
	m.n.t.Helper()
	eventually(m.n.t, time.Minute, func() bool {
		res, err := http.Get(m.url + "/readyz")
		if err != nil {
			return false
		}
		_, _ = io.Copy(io.Discard, res.Body)
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	}, "%s is not ready: %s", m.home, m.out)
}

// stop ends the node as systemd does and says how long that took.
func (m *hostedNode) stop() time.Duration {
	m.n.t.Helper()
	began := time.Now()
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.n.t.Fatal(err)
	}
	if err := m.cmd.Wait(); err != nil {
		m.n.t.Errorf("%s ended badly: %v\n%s", m.home, err, m.out)
	}
	m.cmd = nil
	return time.Since(began)
}

func (m *hostedNode) kill() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
	}
	if m.n.t.Failed() {
		m.n.t.Logf("%s:\n%s", m.home, m.out)
	}
}

// load pays one won after another, several at a time, until stop is called; every call must succeed.
type load struct {
	stop  context.CancelFunc
	done  sync.WaitGroup
	paid  atomic.Int64
	worst atomic.Int64 // nanoseconds
}

func startLoad(n *network, c *client.Client, from tx.Signer, to tx.Address, workers int) *load {
	n.t.Helper()
	network, err := c.Network(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(n.t.Context())
	l := &load{stop: cancel}
	for range workers {
		l.done.Add(1)
		go func() {
			defer l.done.Done()
			for ctx.Err() == nil { // a call that has begun is waited for
				began := time.Now()
				s, err := c.Sign(client.NewTransaction(network).Transfer(from.Key().Address(), to, "krw", "1"), from)
				if err != nil {
					n.t.Error(err)
					return
				}
				o, err := c.Submit(n.t.Context(), s)
				if err == nil {
					err = client.Check(o)
				}
				if err != nil {
					n.t.Errorf("a call failed: %v", err)
					continue
				}
				l.paid.Add(1)
				l.worst.Store(max(l.worst.Load(), int64(time.Since(began))))
			}
		}()
	}
	return l
}

func (l *load) end() { l.stop(); l.done.Wait() }

// Every member is stopped and started again, one after the other, while payments go on: no call fails, each payment
// happens once.
func TestRollingRestart(t *testing.T) {
	n := newNetwork(t)
	all := n.members()
	var addresses []string
	for _, m := range all {
		m.start()
		addresses = append(addresses, m.url)
	}
	for _, m := range all {
		m.ready()
	}
	c, err := client.Dial(client.Config{Addresses: addresses})
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := n.signer("alice"), n.signer("bob").Key().Address()
	before := n.won(c, bob)
	l := startLoad(n, c, alice, bob, 4)
	for i, m := range all {
		enough := l.paid.Load() + 20
		eventually(t, time.Minute, func() bool { return l.paid.Load() >= enough }, "no payments before member %d is stopped", i)
		took := m.stop()
		enough = l.paid.Load() + 20
		eventually(t, time.Minute, func() bool { return l.paid.Load() >= enough }, "no payments while member %d is away", i)
		if took > 5*time.Second {
			t.Errorf("member %d took %v to stop", i, took)
		}
		m.start()
		m.ready()
		t.Logf("member %d: stopped within %v", i, took.Round(time.Millisecond))
	}
	l.end()
	t.Logf("%d payments, the slowest took %v", l.paid.Load(), time.Duration(l.worst.Load()).Round(time.Millisecond))
	eventually(t, 20*time.Second, func() bool { return n.won(c, bob)-before == l.paid.Load() }, "%d payments were acknowledged", l.paid.Load())
	n.sameRoots()
}

// won is the balance of an account, as each node that c may ask has it.
func (n *network) won(c *client.Client, account tx.Address) int64 {
	n.t.Helper()
	b, _, err := c.Balance(n.t.Context(), "krw", account, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	amount, err := strconv.ParseInt(b.GetAmount(), 10, 64)
	if err != nil {
		n.t.Fatal(err)
	}
	return amount
}
