package torture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// namespaces give each member a network namespace with one cable to a switch, which is a namespace too, with two
// bridges: members on the same bridge reach each other. Nothing of this touches the machine's own network.
type namespaces struct {
	size int
	name string // prefix of the namespaces' names
}

// networks counts the networks of this process, so that several can be there at once.
var networks atomic.Int64

func newNamespaces(size int, _ uint64) (fabric, error) {
	n := &namespaces{size: size, name: fmt.Sprintf("dure%d-%d", os.Getpid(), networks.Add(1))}
	if err := n.make(); err != nil {
		return nil, errors.Join(fmt.Errorf("torture: network namespaces need root and iproute2: %w", err), n.close())
	}
	return n, nil
}

func (n *namespaces) hub() string           { return n.name + "-hub" }
func (n *namespaces) of(i int) string       { return fmt.Sprintf("%s-m%d", n.name, i) }
func (n *namespaces) ip(i int) string       { return fmt.Sprintf("10.44.0.%d", i+1) }
func port(i int) string                     { return fmt.Sprintf("port%d", i) }
func (n *namespaces) peer(_, to int) string { return n.ip(to) + ":26656" }
func (n *namespaces) listen(i int) (_, _ string) {
	return fmt.Sprintf("127.0.0.1:%d", 8080+i), n.peer(i, i) // its own loopback; the port tells members apart
}

func (n *namespaces) make() error {
	commands := [][]string{
		{"netns", "add", n.hub()},
		{"-n", n.hub(), "link", "add", "one", "type", "bridge"},
		{"-n", n.hub(), "link", "add", "two", "type", "bridge"},
		{"-n", n.hub(), "link", "set", "one", "up"},
		{"-n", n.hub(), "link", "set", "two", "up"},
	}
	for i := range n.size {
		commands = append(commands,
			[]string{"netns", "add", n.of(i)},
			[]string{"-n", n.hub(), "link", "add", port(i), "type", "veth", "peer", "name", "cable", "netns", n.of(i)},
			[]string{"-n", n.hub(), "link", "set", port(i), "master", "one", "up"},
			[]string{"-n", n.of(i), "address", "add", n.ip(i) + "/24", "dev", "cable"},
			[]string{"-n", n.of(i), "link", "set", "cable", "up"},
			[]string{"-n", n.of(i), "link", "set", "lo", "up"},
		)
	}
	for _, c := range commands {
		if err := run("ip", c...); err != nil {
			return err
		}
	}
	return nil
}

// run calls a program of the system.
func run(program string, args ...string) error {
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w %s", program, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (n *namespaces) command(i int, program string, args ...string) *exec.Cmd {
	// nsenter becomes the program, so the process is the program's.
	cmd := exec.Command("nsenter", append([]string{"--net=/run/netns/" + n.of(i), program}, args...)...)
	cmd.Env = withoutSettings(os.Environ())
	return cmd
}

// dial makes the socket in the member's namespace: a thread goes there and comes back.
func (n *namespaces) dial(ctx context.Context, i int, address string) (net.Conn, error) {
	runtime.LockOSThread()
	here, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("torture: %w", err)
	}
	defer here.Close()
	there, err := os.Open("/run/netns/" + n.of(i))
	if err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("torture: %w", err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("torture: %w", err)
	}
	d := net.Dialer{Timeout: 2 * time.Second}
	c, err := d.DialContext(ctx, "tcp", address)
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back != nil {
		return nil, fmt.Errorf("torture: %w", back) // the thread stays locked and ends with this goroutine
	}
	runtime.UnlockOSThread()
	return c, err
}

// cut moves the side's cables to the other bridge. Both styles are the same here: nothing arrives.
func (n *namespaces) cut(side []int, _ cutStyle) error {
	for i := range n.size {
		if slices.Contains(side, i) {
			if err := run("ip", "-n", n.hub(), "link", "set", port(i), "master", "two"); err != nil {
				return err
			}
		}
	}
	return nil
}

// weather bounds what each member's cable carries, both ways, with a short queue: what does not fit is lost.
func (n *namespaces) weather(w weather) error {
	if w.rate == 0 {
		return nil
	}
	for i := range n.size {
		limit := []string{"root", "tbf", "rate", fmt.Sprintf("%dmbit", w.rate), "burst", "32kb", "latency", "20ms"}
		if err := errors.Join(
			run("tc", append([]string{"-n", n.of(i), "qdisc", "replace", "dev", "cable"}, limit...)...),
			run("tc", append([]string{"-n", n.hub(), "qdisc", "replace", "dev", port(i)}, limit...)...)); err != nil {
			return err
		}
	}
	return nil
}

func (n *namespaces) heal() error {
	for i := range n.size {
		if err := run("ip", "-n", n.hub(), "link", "set", port(i), "master", "one"); err != nil {
			return err
		}
		// There may be no limit to take away.
		_ = run("tc", "-n", n.of(i), "qdisc", "del", "dev", "cable", "root")
		_ = run("tc", "-n", n.hub(), "qdisc", "del", "dev", port(i), "root")
	}
	return nil
}

// close deletes the namespaces, and with them all else.
func (n *namespaces) close() error {
	for i := range n.size {
		_ = run("ip", "netns", "del", n.of(i)) // it may not have been made
	}
	_ = run("ip", "netns", "del", n.hub())
	return nil
}
