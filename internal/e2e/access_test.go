//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// One member of a real network answers by account: alice reads hers and not bob's, a member reads all, by the command and by curl,
// and when her sponsor freezes her account her reading ends.
func TestReadingByAccount(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	members := n.members()
	n.dure("key", "new", "gateway-1")
	members[0].args = []string{"--api-access", "consortium", "--api-readers", n.address("gateway-1")}
	for _, m := range members {
		m.start()
	}
	for _, m := range members {
		m.ready()
	}
	closed := n.url(0)
	says := func(code int, words string, args ...string) {
		t.Helper()
		out, got := n.run(append(args, "--node", closed)...)
		if got != code || !strings.Contains(out, words) {
			t.Errorf("dure %s: exit %d, want %d and %q in\n%s", strings.Join(args, " "), got, code, words, out)
		}
	}
	says(0, "Transferred 12,500 krw", "asset", "transfer", "krw", "12500", "--from", "alice", "--to", "bob")
	says(0, "krw", "asset", "balance", "krw", "alice", "--as", "alice")
	says(1, "access.not_yours", "asset", "balance", "krw", "bob", "--as", "alice")
	says(0, "krw", "asset", "balance", "krw", "bob", "--as", "bank")
	says(0, "asset.transfer", "tx", "list", "--as", "bob", "--json")
	says(1, "access.not_yours", "account", "list", "--as", "alice")

	closedGateway(t, n, members[0])

	alice := n.address("alice")
	url := closed + "/dure.api.v1.AssetService/ListBalances"
	curl := func(headers string) string {
		cmd := exec.Command("curl", "-sS", "--max-time", "10", "-i", "-H", "@-", "-H", "Content-Type: application/json", "-d", `{"account":"`+alice+`"}`, url)
		cmd.Stdin = strings.NewReader(headers)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("curl: %v\n%s", err, out)
		}
		return string(out)
	}
	headers := n.dure("access", "headers", url, "--as", "alice")
	if out := curl(headers); !strings.Contains(out, "200 OK") || !strings.Contains(out, alice) {
		t.Errorf("curl: %s", out)
	}
	if out := curl(headers); !strings.Contains(out, "401 Unauthorized") || !strings.Contains(out, "access.proof_replayed") || !strings.Contains(strings.ToLower(out), "www-authenticate: dpop error=") {
		t.Errorf("curl with the same proof again: %s", out)
	}

	watch := n.command("tx", "watch", "--as", "alice", "--cursor", "0", "--node", closed)
	seen := &output{}
	watch.Stdout, watch.Stderr = seen, seen
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, func() bool { return strings.Contains(seen.String(), "12,500") }, "alice's watch shows nothing: %s", seen)
	says(0, "Froze", "account", "freeze", "alice", "--by", "bank", "--basis", "owner-request", "--reason", "key reported lost")
	if err := watch.Wait(); err == nil || !strings.Contains(seen.String(), "access.frozen") {
		t.Errorf("alice's watch ended with %v: %s", err, seen)
	}
	says(1, "access.frozen", "asset", "balance", "krw", "alice", "--as", "alice")
	for _, m := range members {
		m.stop()
	}
}

// A gateway whose only node answers by account reads there with the account that the operator has named, and goes on when that node has
// started again and knows none of its tokens. An account that is not named is told what to do.
func closedGateway(t *testing.T, n *network, closed *hostedNode) {
	t.Helper()
	open := func(args ...string) { t.Helper(); n.dure(append(args, "--node", n.url(1))...) }
	for _, name := range []string{"maker", "car-81"} {
		n.dure("key", "new", name)
	}
	for _, name := range []string{"maker", "gateway-1", "car-81"} {
		open("account", "open", name, "--sponsor", "bank")
	}
	open("device", "model", "sedan-3", "--title", "Sedan, third series", "--by", "maker")
	open("device", "firmware", "sedan-3", "1", strings.Repeat("a1", 32), "--version", "1.0.0", "--by", "maker")
	open("device", "enrol", "car-81", "--model", "sedan-3", "--serial", "81", "--firmware", "1", "--owner", "alice", "--by", "maker")
	open("stream", "open", "speed.ring", "--title", "Speed on the ring", "--unit", "km/h", "--least", "0", "--most", "300", "--by", "alice")
	open("stream", "admit", "speed.ring", "car-81", "--by", "alice")

	dir, port := t.TempDir(), freeRange(t)
	gatewayCertificate(t, dir)
	certificate := filepath.Join(dir, "gw.pem")
	gateway := func(as string) *exec.Cmd {
		return n.command("gateway", "--listen", fmt.Sprintf("127.0.0.1:%d", port), "--cert", certificate, "--cert-key", filepath.Join(dir, "gw-key.pem"), "--as", as, "--node", closed.url)
	}
	if out, err := gateway("maker").CombinedOutput(); err == nil || !strings.Contains(string(out), "api.readers") {
		t.Errorf("a gateway that may not read: %v\n%s", err, out)
	}
	cmd, log := gateway("gateway-1"), &output{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("the gateway ended with %v:\n%s", err, log)
		}
	}()
	eventually(t, 30*time.Second, func() bool { return strings.Contains(log.String(), "devices may come") }, "the gateway did not start: %s", log)
	for sequence := 1; sequence <= 2; sequence++ {
		file := filepath.Join(dir, fmt.Sprintf("%d.cbor", sequence))
		n.dure("device", "reading", "speed.ring", "52", "--unit", "km/h", "--boot", "4", "--sequence", fmt.Sprint(sequence), "--by", "car-81", "-o", file)
		if said := n.dure("device", "send", file, "--gateway", fmt.Sprintf("127.0.0.1:%d", port), "--gateway-ca", certificate, "--by", "car-81"); !strings.Contains(said, "accepted") {
			t.Errorf("reading %d: %s", sequence, said)
		}
		if sequence == 1 {
			closed.stop()
			closed.start()
			closed.ready()
		}
	}
	if readings := n.dure("stream", "show", "speed.ring", "--as", "gateway-1", "--node", closed.url); !strings.Contains(readings, "52") {
		t.Errorf("the feed: %s", readings)
	}
}
