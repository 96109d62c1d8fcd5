//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dureledger/dure/internal/ports"
)

// binary is the dure that was built for these tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "dure-e2e-*")
	if err == nil {
		binary = filepath.Join(dir, "dure")
		err = build(binary)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func build(to string, flags ...string) error {
	cmd := exec.Command("go", append(append([]string{"build", "-buildvcs=false", "-o", to}, flags...), "./cmd/dure")...)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// network is a demonstration network run by "dure up" as a process of its own.
type network struct {
	t        *testing.T
	binary   string
	dir      string
	api, p2p int
	// mqtt is the port of the gateway; 0: there is none.
	mqtt int
	// signin is the first port for signing in; 0: nobody can.
	signin int
	env    []string
	// more are further arguments of "dure up".
	more []string

	cmd *exec.Cmd
	out *output
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// newNetwork chooses a folder and free ports.
func newNetwork(t *testing.T) *network {
	n := &network{t: t, binary: binary, dir: filepath.Join(t.TempDir(), "net")}
	n.api, n.p2p = freeRange(t), freeRange(t)
	t.Cleanup(n.stop)
	return n
}

// portRange is how many ports a test is given in a row.
const portRange = 16

// freeRange finds ports in a row that nobody else is given until the test ends.
func freeRange(t *testing.T) int {
	t.Helper()
	port, giveBack, err := ports.Row(portRange)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(giveBack)
	return port
}

// up starts the network and waits until it says that it runs.
func (n *network) up() {
	n.t.Helper()
	n.out = &output{}
	n.cmd = n.upCommand()
	n.cmd.Stdout, n.cmd.Stderr = n.out, n.out
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	eventually(n.t, time.Minute, func() bool { return strings.Contains(n.out.String(), "Ctrl-C stops all") }, "the network did not start: %s", n.out)
}

func (n *network) upCommand() *exec.Cmd {
	cmd := exec.Command(n.binary, "up", "--dir", n.dir, "--api-port", fmt.Sprint(n.api), "--p2p-port", fmt.Sprint(n.p2p), "--gateway="+fmt.Sprint(n.mqtt != 0), "--mqtt-port", fmt.Sprint(n.mqtt),
		"--signin="+fmt.Sprint(n.signin != 0))
	if n.signin != 0 {
		cmd.Args = append(cmd.Args, "--signin-port", fmt.Sprint(n.signin))
	}
	cmd.Args = append(cmd.Args, n.more...)
	cmd.Env = append(os.Environ(), n.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	return cmd
}

// down stops the network as Ctrl-C does.
func (n *network) down() {
	n.t.Helper()
	if err := n.cmd.Process.Signal(os.Interrupt); err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Wait(); err != nil {
		n.t.Errorf("up ended badly: %v\n%s", err, n.out)
	}
	n.cmd = nil
}

// crash kills all four members and their parent at once.
func (n *network) crash() {
	n.t.Helper()
	members, err := exec.Command("pgrep", "-P", fmt.Sprint(n.cmd.Process.Pid)).Output()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Process.Kill(); err != nil {
		n.t.Fatal(err)
	}
	for _, pid := range strings.Fields(string(members)) {
		_ = exec.Command("kill", "-9", pid).Run()
	}
	_ = n.cmd.Wait()
	n.cmd = nil
	eventually(n.t, 20*time.Second, func() bool {
		return ports.Free(n.api, 4) && ports.Free(n.p2p, 4) && (n.mqtt == 0 || ports.Free(n.mqtt, 1))
	}, "the members did not die")
}

func (n *network) stop() {
	if n.cmd != nil {
		_ = n.cmd.Process.Signal(os.Interrupt)
		_ = n.cmd.Wait()
	}
	if n.t.Failed() && n.out != nil {
		n.t.Log(n.out.String())
	}
}

// command prepares a call of dure by a user of the network.
func (n *network) command(args ...string) *exec.Cmd {
	cmd := exec.Command(n.binary, args...)
	cmd.Env = append(os.Environ(), "DURE_HOME="+filepath.Join(n.dir, "client"))
	return cmd
}

// run calls dure and returns what it printed and its exit code.
func (n *network) run(args ...string) (string, int) {
	n.t.Helper()
	out, err := n.command(args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		n.t.Fatal(err)
	}
	if exit != nil {
		return string(out), exit.ExitCode()
	}
	return string(out), 0
}

// dure calls dure, which must succeed, and returns what it printed.
func (n *network) dure(args ...string) string {
	n.t.Helper()
	out, code := n.run(args...)
	if code != 0 {
		n.t.Fatalf("dure %s: exit %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

func (n *network) url(member int) string { return fmt.Sprintf("http://127.0.0.1:%d", n.api+member) }

func eventually(t *testing.T, within time.Duration, ok func() bool, format string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf(format, args...)
		case <-tick.C:
		}
	}
}
