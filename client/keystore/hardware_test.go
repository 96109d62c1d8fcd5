package keystore_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/keystore"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// hardwareFile is the file of a key that a TPM has. What real chips do is tested in internal/e2e.
func hardwareFile(uri string) []byte {
	key := txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 1).Key()
	return []byte(`{"version": 2, "name": "meter", "kind": "p256", "public_key": "` + hex.EncodeToString(key.Public) + `", "address": "` + key.Address().String() +
		`", "created": "2026-05-01T12:00:00Z", "hardware": "` + uri + `"}`)
}

func TestHardwareFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	file := hardwareFile("tpm:0x81010005?device=/nowhere")
	if err := os.WriteFile(filepath.Join(dir, "meter.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := s.Get("meter")
	if err != nil || e.Hardware != "tpm:0x81010005?device=/nowhere" {
		t.Fatalf("%+v: %v", e, err)
	}
	if entries, err := s.List(); err != nil || len(entries) != 1 || entries[0].Hardware != e.Hardware {
		t.Errorf("%v: %v", entries, err)
	}
	for _, c := range []struct {
		code string
		do   func() error
	}{
		{"key.in_hardware", func() error { _, err := s.Export("meter"); return err }},
		{"key.in_hardware", func() error { _, err := s.ExportPlain("meter", passphrase, keystore.Hex); return err }},
		{"key.in_hardware", func() error { _, err := s.ImportFile("other", file); return err }},
		{"key.unreachable", func() error { _, err := s.Unlock(e.Address.String(), ""); return err }},
		{"key.unreachable", func() error { _, err := s.DeviceKey("meter", ""); return err }},
	} {
		if err := c.do(); fault.Code(err) != c.code {
			t.Errorf("want %s: %v", c.code, err)
		}
	}
}

func TestHardwareFilesThatAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	good := string(hardwareFile("tpm:0x81010005"))
	for name, content := range map[string]string{
		"a PIN in it": strings.Replace(good, "0x81010005", "0x81010005?pin-value=1", 1), "a file": strings.Replace(good, "tpm:0x81010005", "key.pem", 1),
		"no URI": strings.Replace(good, "tpm:0x81010005", "", 1), "version 1": strings.Replace(good, `"version": 2`, `"version": 1`, 1),
		"a secret too": strings.Replace(good, `"hardware"`, `"secret": "age", "hardware"`, 1), "no known URI": strings.Replace(good, "tpm:", "http:", 1),
	} {
		if _, err := s.ImportFile("meter", []byte(content)); fault.Code(err) != "key.damaged" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What can be refused is refused before a chip is touched.
func TestAddRefuses(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "taken.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, uri, code string }{
		{"Meter", "tpm:0x81010005?device=/nowhere", "key.bad_name"}, {"taken", "tpm:0x81010005?device=/nowhere", "key.exists"}, {"meter", "key.pem", "key.bad_uri"},
		{"meter", "tpm:0x81010005?pin-value=1", "key.bad_uri"}, {"meter", "tpm:0x81010005?device=/nowhere", "key.unreachable"},
	} {
		if _, err := s.Add(c.name, c.uri); fault.Code(err) != c.code {
			t.Errorf("add %s %s: %v", c.name, c.uri, err)
		}
		if _, err := s.NewIn(c.name, c.uri, accountv1.KeyKind_KEY_KIND_P256); fault.Code(err) != c.code {
			t.Errorf("new %s %s: %v", c.name, c.uri, err)
		}
	}
}
