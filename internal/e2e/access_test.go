//go:build e2e

package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// One member of a real network answers by account: alice reads hers and not bob's, a member reads all, by the command and by curl,
// and when her sponsor freezes her account her reading ends.
func TestReadingByAccount(t *testing.T) {
	n := newNetwork(t)
	members := n.members()
	members[0].args = []string{"--api-access", "consortium"}
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

	alice := regexp.MustCompile(`0x[0-9a-fA-F]{40}`).FindString(n.dure("key", "show", "alice"))
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
