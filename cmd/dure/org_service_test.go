package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// A service's key is made once, for its owner's eyes, and read again as a private or a public key; no other key is taken.
func TestServiceKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clinic.pem")
	made, err := serviceKey(path)
	if err != nil || tx.CheckKey(tx.Key{Kind: accountv1.KeyKind_KEY_KIND_P256, Public: made}) != nil {
		t.Fatalf("%x, %v", made, err)
	}
	if again, err := serviceKey(path); err != nil || string(again) != string(made) {
		t.Errorf("read again it is %x, %v", again, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	write := func(kind string, der []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	secret, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(secret.(*ecdsa.PrivateKey).Public())
	if public, err := serviceKey(write("PUBLIC KEY", der, err)); err != nil || string(public) != string(made) {
		t.Errorf("the public half is %x, %v", public, err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err = x509.MarshalPKCS8PrivateKey(other)
	for name, file := range map[string]string{
		"another curve": write("PRIVATE KEY", der, err), "a certificate": write("CERTIFICATE", der, nil), "no key": write("PRIVATE KEY", []byte("no"), nil), "a folder that is not there": filepath.Join(dir, "no", "key.pem"),
	} {
		if key, err := serviceKey(file); err == nil {
			t.Errorf("%s is taken: %x", name, key)
		}
	}
}
