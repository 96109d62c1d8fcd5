package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/dureledger/dure/services/id/vault"
)

var (
	alice   = vault.Account{1}
	bob     = vault.Account{2}
	profile = vault.Profile{Name: "홍길동", Phone: "+821012345678", PhoneAt: 1, Bank: "088", BankAccount: "110123456789", BankAt: 2}
)

func open(t *testing.T, dir string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// The files are where they were asked for, also in folders whose names mean something in the URIs of SQLite.
func TestFolderNames(t *testing.T) {
	for _, name := range []string{"50%25", "really?", "#1", "두레 home"} {
		dir := filepath.Join(t.TempDir(), name)
		open(t, dir)
		for _, file := range []string{"keys.db", "people.db"} {
			if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
				t.Errorf("%s in %s: %v, %v", file, name, info, err)
			}
		}
	}
}

// What is kept comes back after a restart, and erasing one person leaves the others.
func TestKeepAndErase(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	v := open(t, dir)
	consent := vault.Consent{Service: "shop", Name: "Shop", Asked: []string{"phone", "profile"}, Agreed: []string{"phone"}, At: 5, Salt: []byte{9}}
	for _, a := range []vault.Account{alice, bob} {
		for _, err := range []error{
			v.SaveProfile(ctx, a, profile, 1), v.SaveConsent(ctx, a, consent), v.SaveCount(ctx, a, "key", 7, 3),
			v.Append(ctx, a, vault.Entry{What: "asked", Service: "Shop", At: 3}), v.Append(ctx, a, vault.Entry{What: "agreed", Service: "Shop", At: 4}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = open(t, dir)
	if p, err := v.Profile(ctx, alice); err != nil || p != profile {
		t.Errorf("profile %+v, %v", p, err)
	}
	if c, err := v.Consent(ctx, alice, "shop"); err != nil || c.Digest(alice) != consent.Digest(alice) || c.Digest(alice) == c.Digest(bob) {
		t.Errorf("consent %+v, %v", c, err)
	}
	if !consent.Covers([]string{"profile"}) || consent.Covers([]string{"profile", "bank_account"}) {
		t.Error("a consent covers what was asked, and nothing else")
	}
	if log, err := v.Log(ctx, alice); err != nil || len(log) != 2 || log[0].What != "agreed" {
		t.Errorf("log %+v, %v", log, err)
	}
	if n, err := v.Count(ctx, alice, "key"); err != nil || n != 7 {
		t.Errorf("count %d, %v", n, err)
	}
	if err := v.Withdraw(ctx, alice, "shop"); err != nil {
		t.Error(err)
	}
	if err := v.Withdraw(ctx, alice, "shop"); !errors.Is(err, vault.ErrUnknown) {
		t.Errorf("a second withdrawal: %v", err)
	}
	if err := errors.Join(v.Erase(ctx, alice), v.Erase(ctx, alice)); err != nil {
		t.Error(err)
	}
	if _, err := v.Profile(ctx, alice); !errors.Is(err, vault.ErrUnknown) {
		t.Errorf("after erasure: %v", err)
	}
	if p, err := v.Profile(ctx, bob); err != nil || p != profile {
		t.Errorf("the other's profile %+v, %v", p, err)
	}
}

// No file has what a person said in clear, or their account; and when one is erased, their key is in none.
func TestFilesSayNothing(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	v := open(t, dir)
	account := vault.Account([]byte("account-of-a-person!"))
	if err := errors.Join(v.SaveProfile(ctx, account, profile, 1), v.SaveConsent(ctx, account, vault.Consent{Service: "shop-of-secrets"})); err != nil {
		t.Fatal(err)
	}
	wrapped, err := v.Wrapped()
	if err != nil {
		t.Fatal(err)
	}
	scan := func(words ...[]byte) (found []string) {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) < 3 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range words {
				if bytes.Contains(raw, w) {
					found = append(found, fmt.Sprintf("%s has %q", filepath.Base(f), w))
				}
			}
		}
		return found
	}
	if found := scan([]byte("홍길동"), []byte("1012345678"), []byte("110123456789"), []byte("shop-of-secrets"), account[:]); found != nil {
		t.Error(found)
	}
	if found := scan(wrapped); len(found) != 1 {
		t.Errorf("the wrapped key should be in one file: %v", found)
	}
	if err := v.Erase(ctx, account); err != nil {
		t.Fatal(err)
	}
	if found := scan(wrapped); found != nil {
		t.Error(found)
	}
}

func TestManyAtOnce(t *testing.T) {
	v := open(t, t.TempDir())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := v.Append(context.Background(), alice, vault.Entry{What: "read", At: int64(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if log, err := v.Log(context.Background(), alice); err != nil || len(log) != 8 {
		t.Errorf("%d lines, %v", len(log), err)
	}
}

func TestBadMasterKey(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vault.key"), []byte("12"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(dir); err == nil {
		t.Error("a short master key was taken")
	}
}

// What the ledger is to say of consents outlives the process, says nothing of whose they are, and is taken off only if it has not changed since.
func TestReceipts(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	v := open(t, dir)
	consent := vault.Consent{Service: "shop", Name: "Shop", Asked: []string{"phone"}, Agreed: []string{"phone"}, At: 1, Salt: []byte("0123456789abcdef")}
	next := consent
	next.At, next.Salt = 2, []byte("fedcba9876543210")
	list := func() []vault.Receipt {
		t.Helper()
		out, err := v.Receipts(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if err := errors.Join(v.SaveConsent(ctx, alice, consent), v.SaveConsent(ctx, bob, consent)); err != nil {
		t.Fatal(err)
	}
	before := list()
	if len(before) != 2 || before[0].Digest != consent.Digest(alice) || before[0].Withdrawn || before[0].Size != before[1].Size || before[0].Size%1024 != 0 {
		t.Fatalf("%+v", before)
	}
	if err := errors.Join(v.SaveConsent(ctx, alice, next), v.Close()); err != nil { // in place of the first
		t.Fatal(err)
	}
	v = open(t, dir)
	if err := v.Recorded(ctx, before); err != nil {
		t.Fatal(err)
	}
	if left := list(); len(left) != 2 || left[0].Digest != consent.Digest(alice) || !left[0].Withdrawn || left[1].Digest != next.Digest(alice) || left[1].Withdrawn {
		t.Errorf("after the first was replaced: %+v", left)
	}
	if err := errors.Join(v.Recorded(ctx, list()), v.Withdraw(ctx, alice, "shop"), v.Erase(ctx, bob)); err != nil {
		t.Fatal(err)
	}
	left := list()
	if len(left) != 2 || left[0].Digest != next.Digest(alice) || !left[0].Withdrawn || left[1].Digest != consent.Digest(bob) || !left[1].Withdrawn {
		t.Errorf("withdrawn and erased: %+v", left)
	}
	// However many answers come at once, one stands, and the ledger hears of the end of every other.
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			c := consent
			c.Salt = []byte{byte(i)}
			if err := v.SaveConsent(ctx, alice, c); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	standing := 0
	for _, r := range list()[2:] {
		if !r.Withdrawn {
			standing++
		}
	}
	if standing != 1 {
		t.Errorf("%d consents stand", standing)
	}
	if most, err := v.Receipts(ctx, 1); err != nil || len(most) != 1 {
		t.Errorf("at most one: %+v, %v", most, err)
	}
}
