package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// request is a certificate request of a key, in PEM.
func request(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// Every mistake of a list is found, with its line, before anything is sent.
func TestEnrolList(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	write("p256.pem", request(t, p256))
	write("p384.pem", request(t, p384))
	write("ed.pem", request(t, ed))
	broken, _ := pem.Decode(request(t, ed))
	broken.Bytes[len(broken.Bytes)-1] ^= 1
	write("broken.pem", pem.EncodeToMemory(broken))
	resolve := func(name string) (party, error) {
		if name == "nobody" {
			return party{}, errors.New("there is none")
		}
		return party{name: name}, nil
	}
	_, err = parseEnrolFile([]byte("serial,owner,csr,public_key\nm-1,bob,broken.pem,\nm-2,bob,p256.pem,\nm-2,bob,ed.pem,\nm-4,bob,p384.pem,\nm-5,bob,p256.pem,"+
		"\nm-6,nobody,ed.pem,\n,bob,ed.pem,\nm-8,bob,,\nm-9,bob,none.pem,\nm-10,bob\nm-11,bob,,ed25519:00\n"), dir, resolve)
	for _, want := range []string{"line 2: ", "not signed by the key in it", "line 4: the serial number m-2 is that of line 3", "line 5: ", "P-256 or Ed25519",
		"line 6: the key is that of line 3", "line 7: owner: there is none", "line 8: The serial number is empty", "line 9: want either", "line 10: ",
		"line 11: 2 fields", "line 12: ", "nothing was sent"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	file, err := parseEnrolFile([]byte("\ufeffOwner,serial,csr\nbob,m-1,p256.pem\nbob,m-2,ed.pem\n"), dir, resolve)
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Rows) != 2 || !bytes.Equal(file.Rows[1].Key.Public, public) || file.Rows[0].Serial != "m-1" {
		t.Errorf("read %+v", file.Rows)
	}
}

func FuzzEnrolList(f *testing.F) {
	f.Add([]byte("serial,owner,public_key\nm-1,bob,ed25519:" + strings.Repeat("00", 32) + "\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := parseEnrolFile(content, t.TempDir(), func(name string) (party, error) { return party{name: name}, nil })
		if err == nil && len(file.Rows) == 0 {
			t.Error("no rows and no mistake")
		}
	})
}
