//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/keystore"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// payees are a hundred accounts opened for the payments.
const (
	payees   = 100
	payments = 10_000
)

// A file of 10,000 payments, interrupted in the middle by a crash of the payer and by a crash of all four members, is
// run again to the end: every row is paid once.
func TestPayments(t *testing.T) {
	n := newNetwork(t)
	n.up()
	addresses := n.openAccounts(payees)
	file := filepath.Join(t.TempDir(), "salaries.csv")
	var rows strings.Builder
	rows.WriteString("to,amount,memo,reference\n")
	for i := range payments {
		fmt.Fprintf(&rows, "%s,1,salary,row-%d\n", addresses[i%payees], i)
	}
	if err := os.WriteFile(file, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"pay", "--batch", file, "--asset", "krw", "--from", "alice"}

	n.interrupt(args, 500, os.Kill)
	n.crashDuring(args, 3000)
	began := time.Now()
	out, code := n.run(args...)
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, out)
	}
	t.Logf("the rest in %v:\n%s", time.Since(began).Round(time.Millisecond), out)
	again, code := n.run(args...)
	if code != 0 {
		t.Errorf("run to the end again: exit %d\n%s", code, again)
	}
	n.sameRoots()
	for _, a := range addresses {
		if got := n.balance(a); got != fmt.Sprint(payments/payees) {
			t.Errorf("%s has %s", a, got)
		}
	}
	if got := n.balance(n.address("alice")); got != "990000" {
		t.Errorf("alice has %s", got)
	}
	var asset struct{ Asset struct{ Supply string } }
	post(t, n.url(1)+"/dure.api.v1.AssetService/GetAsset", `{"asset":"krw"}`, &asset)
	if asset.Asset.Supply != "1500000" {
		t.Errorf("the supply is %s", asset.Asset.Supply)
	}
}

// interrupt starts a command and sends it a signal once at least some payments are committed.
func (n *network) interrupt(args []string, after int, signal os.Signal) {
	n.t.Helper()
	cmd := n.command(args...)
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.untilPaid(after)
	if err := cmd.Process.Signal(signal); err != nil {
		n.t.Fatal(err)
	}
	_ = cmd.Wait()
}

// crashDuring kills all members while a command runs, and starts them again.
func (n *network) crashDuring(args []string, after int) {
	n.t.Helper()
	cmd := n.command(args...)
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.untilPaid(after)
	n.crash()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	n.up()
}

// untilPaid waits until alice has paid at least the given number.
func (n *network) untilPaid(count int) {
	n.t.Helper()
	alice := n.address("alice")
	eventually(n.t, time.Minute, func() bool {
		var left int
		_, err := fmt.Sscan(n.balance(alice), &left)
		return err == nil && 1_000_000-left >= count
	}, "%d payments were not reached", count)
}

func (n *network) balance(account string) string {
	n.t.Helper()
	var b struct{ Balance struct{ Amount string } }
	post(n.t, n.url(0)+"/dure.api.v1.AssetService/GetBalance", fmt.Sprintf(`{"asset":"krw","account":%q}`, account), &b)
	return b.Balance.Amount
}

// address is the account of a key of the demonstration.
func (n *network) address(name string) string {
	n.t.Helper()
	store, err := keystore.Open(filepath.Join(n.dir, "client", "keys"))
	if err != nil {
		n.t.Fatal(err)
	}
	e, err := store.Get(name)
	if err != nil {
		n.t.Fatal(err)
	}
	return e.Address.String()
}

// signer opens a key of the demonstration.
func (n *network) signer(name string) tx.Signer {
	n.t.Helper()
	secret, err := os.ReadFile(filepath.Join(n.dir, "client", "passphrase"))
	if err != nil {
		n.t.Fatal(err)
	}
	store, err := keystore.Open(filepath.Join(n.dir, "client", "keys"))
	if err != nil {
		n.t.Fatal(err)
	}
	s, err := store.Unlock(name, strings.TrimSpace(string(secret)))
	if err != nil {
		n.t.Fatal(err)
	}
	return s
}

// openAccounts opens new accounts, sponsored by the bank, in one transaction.
func (n *network) openAccounts(count int) []string {
	n.t.Helper()
	bank := n.signer("bank")
	c, err := client.Dial(client.Config{Addresses: []string{n.url(0)}})
	if err != nil {
		n.t.Fatal(err)
	}
	name, err := c.Network(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	draft, addresses := client.NewTransaction(name), make([]string, count)
	for i := range addresses {
		key := txtest.Ed25519(uint64(i)).Key()
		draft.OpenAccount(bank.Key().Address(), key)
		addresses[i] = key.Address().String()
	}
	if o, err := c.Do(n.t.Context(), draft, bank); err != nil || client.Check(o) != nil {
		n.t.Fatal(o, err)
	}
	return addresses
}
