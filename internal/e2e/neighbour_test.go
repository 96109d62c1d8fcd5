//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/client/witness"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
)

// freeUDP is a UDP port that nobody has.
func freeUDP(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// home is a device's own folder: its key and the genesis file, and nothing else of the network.
func (g *gatewayPlace) home(car string) string {
	g.t.Helper()
	home, from := g.file("home-"+car), filepath.Join(g.network.dir, "client")
	if err := os.CopyFS(filepath.Join(home, "keys"), os.DirFS(filepath.Join(from, "keys"))); err != nil {
		g.t.Fatal(err)
	}
	for _, name := range []string{"passphrase", "genesis.json"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(home, name), content, 0o600)
		}
		if err != nil {
			g.t.Fatal(err)
		}
	}
	return home
}

// as runs dure as a device that reaches no node.
func (g *gatewayPlace) as(home string, args ...string) *exec.Cmd {
	cmd := exec.Command(g.binary, append(args, "--home", home, "--node", "http://127.0.0.1:1")...)
	cmd.Env = append(os.Environ(), "DURE_HOME="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	return cmd
}

// neighbours starts a device that serves others, and returns its address.
func (g *gatewayPlace) neighbours(home, car string, args ...string) (address string, stop func()) {
	g.t.Helper()
	address = fmt.Sprintf("127.0.0.1:%d", freeUDP(g.t))
	log := &output{}
	cmd := g.as(home, append([]string{"device", "neighbour", "serve", "--as", car, "--listen", address, "--every", "200ms"}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	stop = func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait()
		}
	}
	g.t.Cleanup(stop)
	eventually(g.t, 20*time.Second, func() bool { return strings.Contains(log.String(), "neighbours may ask") }, "it does not serve: %s", log)
	return address, stop
}

// ask asks a neighbour and returns what was printed and the exit code.
func (g *gatewayPlace) ask(home, car, address string, args ...string) (string, int) {
	g.t.Helper()
	cmd := g.as(home, append([]string{"device", "neighbour", "ask", address}, append(args, "--as", car)...)...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// Three devices, each a process with a folder of its own. One reaches the gateway; the second asks it and reaches nobody else; the third asks the second,
// which has nothing but what it was given. Each verifies all of it by the genesis file.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	g := newGatewayPlace(t)
	g.dure("key", "new", "car-83")
	g.dure("account", "open", "car-83", "--sponsor", "bank")
	id := transactionIn(t, g.postReading("car-81", g.reading("car-81", "52.3", 4, 17)))
	first, second, third := g.home("car-81"), g.home("car-82"), g.home("car-83")
	one, stopOne := g.neighbours(first, "car-81", "--allow", "car-82", "--gateway", fmt.Sprintf("coaps://127.0.0.1:%d", g.coapPort()), "--gateway-cert", g.file("gw.pem"))

	if out, code := g.ask(second, "car-82", one); code != 0 || !strings.Contains(out, "Took a checkpoint") || !strings.Contains(out, "genesis keys") {
		t.Fatalf("the first checkpoint: %d %s", code, out)
	}
	if out, code := g.ask(second, "car-82", one, id, "-o", filepath.Join(second, "r.dure"), "--expect", "car-81"); code != 0 || !strings.Contains(out, id) {
		t.Fatalf("the receipt: %d %s", code, out)
	}
	out, err := g.as(second, "receipt", "verify", filepath.Join(second, "r.dure")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), id) {
		t.Errorf("offline: %v %s", err, out)
	}
	if out, code := g.ask(third, "car-83", one); code == 0 {
		t.Errorf("who is not allowed got %s", out)
	}
	if out, code := g.ask(second, "car-82", one, id, "--expect", "car-83"); code == 0 {
		t.Errorf("another than who was expected: %s", out)
	}
	// The ledger goes on; the neighbour has the newer checkpoint, with a proof that its history begins with the one that is known.
	g.postReading("car-81", g.reading("car-81", "53", 4, 18))
	eventually(t, 30*time.Second, func() bool {
		out, code := g.ask(second, "car-82", one)
		return code == 0 && strings.Contains(out, "Took a checkpoint") && strings.Contains(out, "a checkpoint of ")
	}, "nothing newer")
	if out, code := g.ask(second, "car-82", one); code != 0 || !strings.Contains(out, "Took") && !strings.Contains(out, "nothing newer") {
		t.Errorf("once more: %d %s", code, out)
	}
	stopOne()

	two, _ := g.neighbours(second, "car-82", "--allow", "car-83", "--alone", "--receipt", filepath.Join(second, "r.dure"))
	if out, code := g.ask(third, "car-83", two); code != 0 || !strings.Contains(out, "Took a checkpoint") {
		t.Errorf("from hand to hand: %d %s", code, out)
	}
	if out, code := g.ask(third, "car-83", two, strings.Repeat("0", 64)); code != 1 || !strings.Contains(out, "no such proof") {
		t.Errorf("of nothing: %d %s", code, out)
	}
	fresh := g.file("fresh") // one that knows no checkpoint newer than the receipt's header
	if err := os.CopyFS(fresh, os.DirFS(third)); err != nil {
		t.Fatal(err)
	}
	for _, kept := range glob(t, filepath.Join(fresh, "checkpoint-*")) {
		if err := os.Remove(kept); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := g.ask(fresh, "car-83", two, id); code != 0 || !strings.Contains(out, id) {
		t.Errorf("the receipt, from hand to hand: %d %s", code, out)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// liar is a neighbour's source that changes what the network says.
type liar struct {
	neighbour.Node
	old   []byte
	wrong bool
}

func (l *liar) Checkpoint(ctx context.Context, w neighbour.Want) (*proof.Extension, error) {
	if l.old != nil {
		return &proof.Extension{Old: w.Size, Checkpoint: l.old}, nil
	}
	e, err := l.Node.Checkpoint(ctx, w)
	if err == nil && l.wrong {
		e.Path = append(e.Path, bytes.Repeat([]byte{1}, 32))
	}
	return e, err
}

func (l *liar) Receipt(ctx context.Context, id string, trusted int64) ([]byte, error) {
	file, err := l.Node.Receipt(ctx, id, trusted)
	if err == nil {
		file = bytes.Clone(file)
		file[len(file)/2] ^= 1
	}
	return file, err
}

// A neighbour that shows a tampered receipt, an old checkpoint, or a wrong proof is refused with the reason, exit code 3, and nothing of it is taken.
func TestLyingNeighbour(t *testing.T) {
	t.Parallel()
	g := newGatewayPlace(t)
	id := transactionIn(t, g.postReading("car-81", g.reading("car-81", "52.3", 4, 17)))
	store, passphrase := g.store()
	key, err := store.DeviceKey("car-81", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	home := g.home("car-82")
	genesis, err := os.ReadFile(filepath.Join(home, "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := light.FromGenesis(genesis)
	if err != nil {
		t.Fatal(err)
	}
	one, err := client.Dial(client.Config{Addresses: []string{g.url(0)}})
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{Node: neighbour.Node{Client: one}}
	s, err := neighbour.Serve(neighbour.Config{
		Address: g.address["car-81"], Key: key, Allow: []tx.Address{g.address["car-82"]}, Source: l,
		Asker: &neighbour.Asker{Memory: witness.Memory{File: g.file("liar"), Anchor: anchor}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	refused := func(name, why string, args ...string) {
		t.Helper()
		if out, code := g.ask(home, "car-82", s.Listening(), args...); code != 3 || !strings.Contains(out, why) {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
	refused("a tampered receipt", "NOT VERIFIED", id)
	old, err := one.Checkpoint(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if out, code := g.ask(home, "car-82", s.Listening()); code != 0 {
		t.Fatal(out)
	}
	g.postReading("car-81", g.reading("car-81", "53", 4, 18))
	l.wrong = true
	var out string
	eventually(t, 30*time.Second, func() bool {
		var code int
		out, code = g.ask(home, "car-82", s.Listening())
		return code == 3
	}, "a wrong proof is taken: %s", out)
	if !strings.Contains(out, "not shown that its history begins") {
		t.Error(out)
	}
	l.wrong = false
	if out, code := g.ask(home, "car-82", s.Listening()); code != 0 || !strings.Contains(out, "Took a checkpoint") {
		t.Errorf("the truth: %d %s", code, out)
	}
	l.old = old
	refused("an old checkpoint", "older than the one of height")
}
