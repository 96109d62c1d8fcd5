//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dureledger/dure/internal/torture"
)

// hostBlock is a block of commands in the guide that says on which hosts it is typed.
var hostBlock = regexp.MustCompile("(?s)```sh\n# on: ([a-z ]+)\n(.*?)```")

// The guide for operators, followed as written on four hosts, gives a running network.
func TestOperate(t *testing.T) {
	guide, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := hostBlock.FindAllStringSubmatch(string(guide), -1)
	if all := strings.Count(string(guide), "```sh\n"); len(blocks) != all || all < 10 {
		t.Fatalf("%d of %d blocks say where they are typed", len(blocks), all)
	}
	f := newFirms(t, "bank", "broker", "insurer", "city")
	printed := ""
	for _, b := range blocks {
		names := strings.Fields(b[1])
		if b[1] == "every host" {
			names = f.names
		}
		printed = f.enter(names, b[2])
	}

	if want := "12,500 krw"; !strings.Contains(printed, want) {
		t.Errorf("the broker does not see the payment at its own node:\n%s", printed)
	}
	f.agree(t)
	for _, name := range f.names {
		if out, err := f.command(name, "curl -sS --max-time 5 http://"+name+".example:8443/healthz").CombinedOutput(); err == nil && strings.Contains(string(out), `"ok":true`) {
			t.Errorf("%s answers without TLS: %s", name, out)
		}
	}
	if out, err := f.command("city", "dure --node https://bank.example:8443 status").CombinedOutput(); err == nil {
		t.Errorf("the city's client trusts a certificate that it does not know:\n%s", out)
	}
}

// firms are hosts, each with its own network, name, folders and processes.
type firms struct {
	t     *testing.T
	names []string
	dir   string
	hosts *torture.Hosts
	// holders are processes that keep what belongs to a host; with them all of the host's processes end.
	holders map[string]*exec.Cmd
}

// hostScript makes a host of a process in new namespaces: folders that an engineer writes to are its own.
const hostScript = `set -e
mount --bind "$1/bin" /usr/local/bin
mount --bind "$1/lib" /var/lib
mount --bind "$1/../hosts" /etc/hosts
hostname "$2"
echo made
exec sleep infinity`

// copyScript stands for scp: no ssh server runs on the hosts. It takes FILE HOST.example:NAME, as the guide gives it.
const copyScript = `#!/bin/sh
to=${2#*:}; host=${2%%:*}
exec cp "$1" "DIR/${host%.example}/home/$to"
`

func newFirms(t *testing.T, names ...string) *firms {
	t.Helper()
	hosts, err := torture.NewHosts(len(names))
	if err != nil {
		t.Fatal(err)
	}
	f := &firms{t: t, names: names, dir: t.TempDir(), hosts: hosts, holders: map[string]*exec.Cmd{}}
	t.Cleanup(f.close)
	table := "127.0.0.1 localhost\n"
	for i, name := range names {
		table += fmt.Sprintf("%s %s.example\n", hosts.IP(i), name)
	}
	f.write("hosts", table, 0o644)
	for i, name := range names {
		for _, part := range []string{"home", "lib", "bin"} {
			if err := os.MkdirAll(filepath.Join(f.dir, name, part), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		f.write(name+"/bin/scp", strings.ReplaceAll(copyScript, "DIR", f.dir), 0o755)
		f.write(name+"/home/.profile", "", 0o644)
		if err := os.Symlink(binary, filepath.Join(f.dir, name, "home", "dure")); err != nil {
			t.Fatal(err)
		}
		f.boot(i, name)
	}
	return f
}

func (f *firms) write(name, content string, mode os.FileMode) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(content), mode); err != nil {
		f.t.Fatal(err)
	}
}

// boot starts the process that holds the host's namespaces.
func (f *firms) boot(i int, name string) {
	f.t.Helper()
	cmd := f.hosts.Command(i, "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child",
		"sh", "-c", hostScript, "sh", filepath.Join(f.dir, name), name)
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.holders[name] = cmd
	eventually(f.t, 20*time.Second, func() bool { return strings.Contains(out.String(), "made") }, "host %s was not made: %s", name, out)
}

// command prepares commands as typed on a host by its engineer, who logs in for them.
func (f *firms) command(host, commands string) *exec.Cmd {
	pid := fmt.Sprint(f.holders[host].Process.Pid)
	home := filepath.Join(f.dir, host, "home")
	cmd := exec.Command("nsenter", "--target", pid, "--net", "--mount", "--uts", "--pid", "--wd="+home,
		"sh", "-e", "-c", ". ./.profile\n"+commands)
	// The passphrase stands for what is typed when dure asks.
	cmd.Env = []string{"HOME=" + home, "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "DURE_PASSPHRASE=only for this test"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// enter types commands on hosts, on all at the same time. All must succeed; it returns what they printed.
func (f *firms) enter(names []string, commands string) string {
	f.t.Helper()
	began := time.Now()
	out, errs := make([]string, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			raw, err := f.command(name, commands).CombinedOutput()
			out[i], errs[i] = string(raw), err
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			f.t.Fatalf("on %s: %v\n%s\n%s\nlog:\n%s", names[i], err, commands, out[i], f.log(names[i]))
		}
	}
	all := strings.Join(out, "\n")
	f.t.Logf("on %v, %v:\n%s%s", names, time.Since(began).Round(time.Millisecond), commands, all)
	return all
}

func (f *firms) log(host string) string {
	raw, err := os.ReadFile(filepath.Join(f.dir, host, "lib", "dure", "node.log"))
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// agree waits until all nodes have three peers and one state.
func (f *firms) agree(t *testing.T) {
	t.Helper()
	type status struct {
		Network, Height, StateRoot, HistoryRoot, Transactions string
		Peers                                                 int
	}
	var seen []status
	eventually(t, 30*time.Second, func() bool {
		seen = seen[:0]
		for _, name := range f.names {
			out, err := f.command(name, "dure status --json").Output()
			var s status
			if err != nil || json.Unmarshal(out, &s) != nil || s.Peers != len(f.names)-1 {
				return false
			}
			seen = append(seen, s)
		}
		return len(slices.Compact(slices.Clone(seen))) == 1 && seen[0].Transactions == "3"
	}, "the four do not agree: %+v", &seen)
}

func (f *firms) close() {
	for _, h := range f.holders {
		_ = h.Process.Kill() // its child, the host's first process, is killed with it, and with that all others
		_ = h.Wait()
	}
	if err := f.hosts.Close(); err != nil {
		f.t.Error(err)
	}
}
