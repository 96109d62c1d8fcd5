package keystore_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dureledger/dure/client/keystore"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

const (
	ed25519Kind = accountv1.KeyKind_KEY_KIND_ED25519
	passphrase  = "correct horse"
)

var made = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// open opens a keystore whose passphrases cost little.
func open(t *testing.T, dir string) *keystore.Store {
	t.Helper()
	s, err := keystore.Open(dir, keystore.WorkFactor(2), keystore.Clock(func() time.Time { return made }))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryKindComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	s := open(t, dir)
	for _, kind := range txtest.Kinds {
		name := tx.KindName(kind)
		e, err := s.New(name, kind, passphrase)
		if kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN {
			if fault.Code(err) != "key.malformed" {
				t.Errorf("a passkey in software: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Name != name || e.Address != e.Key.Address() || !e.Created.Equal(made) {
			t.Errorf("entry %+v", e)
		}
		for _, by := range []string{name, e.Address.String(), strings.ToLower(e.Address.String())} {
			signer, err := open(t, dir).Unlock(by, passphrase)
			if err != nil {
				t.Fatalf("%s: %v", by, err)
			}
			if !signer.Key().Equal(e.Key) {
				t.Errorf("%s: another key came back", by)
			}
			if got, err := s.Get(by); err != nil || got.Name != name {
				t.Errorf("get %s: %v %v", by, got.Name, err)
			}
		}
	}
	entries, err := s.List()
	if err != nil || len(entries) != 4 || entries[0].Name != "ed25519" || entries[3].Name != "secp256k1" {
		t.Errorf("list %v: %v", entries, err)
	}
}

func TestFilesAreTheOwnersAndHoldNoSecret(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	s := open(t, dir)
	secret := txtest.Secret(1)
	e, err := s.Import("alice", ed25519Kind, secret, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != "alice.json" {
		t.Fatalf("files %v: %v", files, err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "alice.json"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v: %v", path, info.Mode(), err)
		}
	}
	file, err := s.Export("alice")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte(hex.EncodeToString(secret))) || !bytes.Contains(file, []byte(e.Address.String())) ||
		!bytes.Contains(file, []byte("BEGIN AGE ENCRYPTED FILE")) {
		t.Errorf("file:\n%s", file)
	}
	signer, err := s.Unlock("alice", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if shown := fmt.Sprintf(verb, []any{e, s, signer}); strings.Contains(shown, hex.EncodeToString(secret)) ||
			strings.Contains(shown, strings.Trim(fmt.Sprint(secret), "[]")) {
			t.Errorf("%s shows the secret", verb)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := open(t, t.TempDir())
	alice, err := s.Import("alice", ed25519Kind, txtest.Secret(1), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	file, err := s.Export("alice")
	if err != nil {
		t.Fatal(err)
	}
	other := txtest.Ed25519(2).Key().Address().String()
	for _, c := range []struct {
		name, code string
		do         func() error
	}{
		{"name in use", "key.exists", func() error { _, err := s.New("alice", ed25519Kind, passphrase); return err }},
		{"same key again", "key.exists", func() error { _, err := s.Import("bob", ed25519Kind, txtest.Secret(1), passphrase); return err }},
		{"same file again", "key.exists", func() error { _, err := s.ImportFile("bob", file); return err }},
		{"no passphrase for a new key", "key.no_passphrase", func() error { _, err := s.New("bob", ed25519Kind, ""); return err }},
		{"no passphrase", "key.no_passphrase", func() error { _, err := s.Unlock("alice", ""); return err }},
		{"wrong passphrase", "key.wrong_passphrase", func() error { _, err := s.Unlock("alice", "Correct horse"); return err }},
		{"wrong passphrase to export", "key.wrong_passphrase", func() error { _, err := s.ExportPlain("alice", "x", keystore.Hex); return err }},
		{"unknown name", "key.unknown", func() error { _, err := s.Unlock("bob", passphrase); return err }},
		{"unknown address", "key.unknown", func() error { _, err := s.Get(other); return err }},
		{"mistyped address", "address.malformed", func() error { _, err := s.Get(alice.Address.String() + "0"); return err }},
		{"path as a name", "key.unknown", func() error { _, err := s.Get("../alice"); return err }},
		{"short secret", "key.malformed", func() error { _, err := s.Import("bob", ed25519Kind, make([]byte, 31), passphrase); return err }},
		{"no key file", "key.damaged", func() error { _, err := s.ImportFile("bob", []byte("{}")); return err }},
		{"no format", "key.malformed", func() error { _, err := s.ExportPlain("alice", passphrase, 0); return err }},
	} {
		if err := c.do(); fault.Code(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	for _, name := range []string{"", ".", "..", "Alice", "a/b", `a\b`, "0xalice", "-a", ".a", "a b", "김", strings.Repeat("a", 65), "a\x00"} {
		if _, err := s.New(name, ed25519Kind, passphrase); fault.Code(err) != "key.bad_name" {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if entries, err := s.List(); err != nil || len(entries) != 1 {
		t.Errorf("refusals left %v: %v", entries, err)
	}
}

func TestFileMovesToAnotherFolderUnderAnotherName(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	e, err := from.New("alice", ed25519Kind, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	file, err := from.Export(e.Address.String())
	if err != nil {
		t.Fatal(err)
	}
	moved, err := to.ImportFile("alice-2", file)
	if err != nil || moved.Name != "alice-2" || moved.Address != e.Address || !moved.Created.Equal(e.Created) {
		t.Fatalf("%+v: %v", moved, err)
	}
	if _, err := to.Unlock("alice-2", passphrase); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedFilesAreNamedAndHideNoOthers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i, name := range []string{"alice", "bob", "carol"} {
		if _, err := s.Import(name, ed25519Kind, txtest.Secret(uint64(i)), passphrase); err != nil {
			t.Fatal(err)
		}
	}
	bob := filepath.Join(dir, "bob.json")
	good, err := os.ReadFile(bob)
	if err != nil {
		t.Fatal(err)
	}
	carol, err := s.Export("carol")
	if err != nil {
		t.Fatal(err)
	}
	line := func(file []byte, field string) string {
		for _, l := range strings.Split(string(file), "\n") {
			if strings.Contains(l, `"`+field+`"`) {
				return l
			}
		}
		t.Fatalf("no field %s", field)
		return ""
	}
	swap := func(fields ...string) string {
		out := string(good)
		for _, f := range fields {
			out = strings.Replace(out, line(good, f), line(carol, f), 1)
		}
		return out
	}
	for name, content := range map[string]string{
		"empty": "", "cut off": string(good[:len(good)/2]), "two": string(good) + string(good), "huge": string(good) + strings.Repeat(" ", keystore.MaxFile),
		"later version": strings.Replace(string(good), `"version": 1`, `"version": 2`, 1), "other address": swap("address"),
		"other kind": strings.Replace(string(good), `"ed25519"`, `"p256"`, 1), "unknown field": strings.Replace(string(good), "{", `{"x":1,`, 1),
	} {
		if err := os.WriteFile(bob, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		entries, err := s.List()
		if fault.Code(err) != "key.damaged" || !strings.Contains(err.Error(), bob) || len(entries) != 2 {
			t.Errorf("%s: %v, %d entries", name, err, len(entries))
		}
		if _, err := s.Unlock("alice", passphrase); err != nil {
			t.Errorf("%s: another key: %v", name, err)
		}
	}
	// A public part that is consistent but not of the secret: whoever swapped it would make people open the wrong account.
	if err := os.WriteFile(bob, []byte(swap("public_key", "address")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unlock("bob", passphrase); fault.Code(err) != "key.damaged" {
		t.Errorf("swapped public key: %v", err)
	}
	if err := os.WriteFile(bob, []byte(strings.Replace(string(good), line(good, "secret"), `  "secret": "none"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unlock("bob", passphrase); fault.Code(err) != "key.damaged" {
		t.Errorf("no secret: %v", err)
	}
}

func TestOneOfManyMakesTheName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		s := open(t, dir)
		wg.Go(func() { _, errs[i] = s.Import("alice", ed25519Kind, txtest.Secret(uint64(i)), passphrase) })
	}
	wg.Wait()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
		} else if fault.Code(err) != "key.exists" {
			t.Error(err)
		}
	}
	if _, err := open(t, dir).Unlock("alice", passphrase); err != nil || winners != 1 {
		t.Errorf("%d winners: %v", winners, err)
	}
}

func TestExportPlain(t *testing.T) {
	s := open(t, t.TempDir())
	for _, kind := range txtest.Kinds {
		if kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN {
			continue
		}
		name := tx.KindName(kind)
		if _, err := s.Import(name, kind, txtest.Secret(1), passphrase); err != nil {
			t.Fatal(err)
		}
		digits, err := s.ExportPlain(name, passphrase, keystore.Hex)
		if err != nil || string(digits) != hex.EncodeToString(txtest.Secret(1))+"\n" {
			t.Errorf("%s: %q %v", name, digits, err)
		}
		text, err := s.ExportPlain(name, passphrase, keystore.PEM)
		if err != nil {
			t.Fatal(err)
		}
		block, rest := pem.Decode(text)
		if block == nil || block.Type != "PRIVATE KEY" || len(rest) != 0 || !bytes.Contains(block.Bytes, txtest.Secret(1)) {
			t.Errorf("%s: %s", name, text)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		switch key := parsed.(type) {
		case ed25519.PrivateKey:
			if !bytes.Equal(key.Seed(), txtest.Secret(1)) {
				t.Error("another Ed25519 key")
			}
		case *ecdsa.PrivateKey:
			if raw, err := key.Bytes(); err != nil || !bytes.Equal(raw, txtest.Secret(1)) {
				t.Errorf("another P-256 key: %v", err)
			}
		default:
			// The standard library knows the others not: their bytes are below, as RFC 5915 and RFC 9881 say.
			if want, ok := plainPEM[name]; !ok || want != hex.EncodeToString(block.Bytes) {
				t.Errorf("%s: %v %x", name, err, block.Bytes)
			}
		}
	}
}

// plainPEM is the DER of the kinds that the standard library does not read.
var plainPEM = map[string]string{
	"secp256k1": "303e020100301006072a8648ce3d020106052b8104000a0427302502010104" + "20" + hex.EncodeToString(txtest.Secret(1)),
	"ml-dsa-65": "3034020100300b0609608648016503040312" + "0422" + "8020" + hex.EncodeToString(txtest.Secret(1)),
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keystore.Open(file); err == nil {
		t.Error("opened a file as a folder")
	}
	for _, n := range []int{0, 23} {
		if _, err := keystore.Open(t.TempDir(), keystore.WorkFactor(n)); err == nil {
			t.Errorf("work factor %d", n)
		}
	}
	if entries, err := open(t, filepath.Join(t.TempDir(), "none")).List(); err != nil || len(entries) != 0 {
		t.Errorf("a folder that is not there: %v %v", entries, err)
	}
}

func TestDeviceKey(t *testing.T) {
	s := open(t, t.TempDir())
	for _, kind := range []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_P256, accountv1.KeyKind_KEY_KIND_SECP256K1} {
		name := tx.KindName(kind)
		entry, err := s.Import(name, kind, txtest.Secret(1), passphrase)
		if err != nil {
			t.Fatal(err)
		}
		key, err := s.DeviceKey(name, passphrase)
		if kind == accountv1.KeyKind_KEY_KIND_SECP256K1 {
			if fault.Code(err) != "reading.bad_key" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		r := &reading.Reading{Boot: 1, Sequence: 1, Feed: "speed", Unit: "km/h", Time: reading.MinTime}
		if _, err := reading.Sign(txtest.NetworkID, entry.Address, r, key); err != nil {
			t.Fatal(err)
		}
		if err := tx.VerifyReading(txtest.NetworkID, entry.Address, entry.Key, r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.DeviceKey(name, "wrong"); fault.Code(err) != "key.wrong_passphrase" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
