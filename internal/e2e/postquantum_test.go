//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Four members whose validators sign with ML-DSA-65: a payment's receipt is verified where there is no network and refused with a changed
// byte; a member is killed and comes back, and is made anew from a backup; an account goes to an ML-DSA-65 key and stays at its address;
// another asks for both kinds of key.
func TestPostQuantum(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.more = []string{"--key-type", "mldsa65"}
	members := n.members()
	for _, m := range members {
		m.start()
	}
	for _, m := range members {
		m.ready()
	}
	if key, err := os.ReadFile(filepath.Join(members[0].home, "keys", "validator.key")); err != nil || !strings.HasPrefix(string(key), "ml-dsa-65:") {
		t.Fatalf("the validator's key is not ML-DSA-65: %v", err)
	}
	genesis := filepath.Join(n.dir, "genesis.json")
	n.verifiedAlone(n.pay("250"), genesis)

	t.Run("a member is killed and comes back", func(t *testing.T) {
		members[3].kill()
		last := n.payments(3)
		members[3].start()
		members[3].ready()
		n.dure("tx", "show", last, "--wait", "--node", members[3].url) // what it missed it gets from the others
		file := filepath.Join(t.TempDir(), "r.dure")
		n.dure("receipt", "get", last, "-o", file, "--node", members[3].url)
		n.dure("receipt", "verify", file, "--genesis", genesis)
	})
	t.Run("a member is made anew from a backup with its keys", func(t *testing.T) {
		m, dir := members[3], t.TempDir()
		file, secret := filepath.Join(dir, "b.tar"), filepath.Join(dir, "secret")
		if err := os.WriteFile(secret, []byte("four words make one"), 0o600); err != nil {
			t.Fatal(err)
		}
		n.dure("backup", "--home", m.home, "--out", file, "--with-keys", "--passphrase-file", secret) // while it runs
		before, err := os.ReadFile(filepath.Join(m.home, "keys", "validator.key"))
		if err != nil {
			t.Fatal(err)
		}
		m.kill()
		last := n.payments(1)
		if err := os.Rename(m.home, filepath.Join(dir, "lost")); err != nil {
			t.Fatal(err)
		}
		n.dure("restore", file, "--home", m.home, "--with-keys", "--passphrase-file", secret)
		if after, err := os.ReadFile(filepath.Join(m.home, "keys", "validator.key")); err != nil || string(after) != string(before) {
			t.Errorf("the validator's key is another: %v", err)
		}
		m.start()
		m.ready()
		n.dure("tx", "show", last, "--wait", "--node", m.url)
	})
	t.Run("an account goes to ML-DSA-65", func(t *testing.T) {
		n.dure("key", "new", "alice-pq", "--kind", "mldsa65")
		n.dure("account", "rotate-key", "alice", "--to", "alice-pq")
		shown := n.dure("account", "show", "alice")
		if !regexp.MustCompile(`kind of key +ml-dsa-65`).MatchString(shown) {
			t.Errorf("alice is not moved:\n%s", shown)
		}
		n.verifiedAlone(n.pay("1"), genesis) // from alice's address still
	})
	t.Run("an account asks for both kinds", func(t *testing.T) { bothKinds(t, n) })
}

// An account whose rule asks for an Ed25519 and an ML-DSA-65 key: either alone moves nothing, both do, from the address that it had.
func bothKinds(t *testing.T, n *network) {
	rule := filepath.Join(t.TempDir(), "both.yaml")
	if err := os.WriteFile(rule, []byte("keys: {bob-now: 1, bob-pq: 1}\nspend: 2\nmanage: 2\nother: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.dure("key", "new", "bob-now")
	n.dure("key", "new", "bob-pq", "--kind", "mldsa65")
	n.dure("account", "rule", "set", "bob", rule)
	if shown := n.dure("account", "rule", "show", "bob"); !strings.Contains(shown, "ml-dsa-65") || !strings.Contains(shown, "ed25519") {
		t.Errorf("the rule:\n%s", shown)
	}
	transfer := []string{"asset", "transfer", "krw", "7", "--from", "bob", "--to", "alice"}
	for key, refusal := range map[string]string{"bob-now": "account.too_few_keys", "bob-pq": "account.too_few_keys", "bob": "account.not_authorised"} {
		if out, code := n.run(append(transfer, "--key", key)...); code != 1 || !strings.Contains(out, refusal) {
			t.Errorf("by %s alone: exit %d\n%s", key, code, out)
		}
	}
	n.dure(append(transfer, "--key", "bob-now,bob-pq")...)
	n.dure(transfer...)              // it finds both
	n.dure("key", "new", "bob-next") // it signs that it wants to be the account's
	if out, code := n.run("account", "rotate-key", "bob", "--to", "bob-next", "--key", "bob-pq"); code != 1 || !strings.Contains(out, "account.too_few_keys") {
		t.Errorf("one key alone leaves the rule: exit %d\n%s", code, out)
	}
}

// verifiedAlone verifies a transaction's receipt without a network, and sees a changed one refused.
func (n *network) verifiedAlone(id, genesis string) {
	n.t.Helper()
	file := filepath.Join(n.t.TempDir(), "r.dure")
	n.dure("receipt", "get", id, "-o", file)
	cmd := exec.Command("unshare", "--net", "--map-root-user", n.binary, "receipt", "verify", file, "--genesis", genesis)
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Errorf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		n.t.Fatal(err)
	}
	if raw[4] != 3 {
		n.t.Errorf("a receipt of version %d", raw[4])
	}
	raw[len(raw)-4000] ^= 1 // within a signature
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		n.t.Fatal(err)
	}
	if out, code := n.run("receipt", "verify", file, "--genesis", genesis); code != 3 || !strings.Contains(out, "signature on a header is not good") {
		n.t.Errorf("exit %d\n%s", code, out)
	}
}
