package hardware

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// keyFile writes a key to a file.
func keyFile(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func p256(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A key in a file signs readings and transactions that verify.
func TestFile(t *testing.T) {
	for name, secret := range map[string]any{"p256": p256(t, elliptic.P256()), "ed25519": ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))} {
		key, err := Open(keyFile(t, secret), nil)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := key.Signer()
		if err != nil {
			t.Fatal(err)
		}
		public := signer.Key()
		r := &reading.Reading{Boot: 1, Sequence: 1, Feed: "speed", Unit: "km/h", Time: reading.MinTime}
		if _, err := reading.Sign("test", public.Address(), r, key); err != nil {
			t.Fatal(err)
		}
		if err := tx.VerifyReading("test", public.Address(), public, r); err != nil || tx.KindName(public.Kind) != name {
			t.Errorf("%s: %v", name, err)
		}
		if w, err := signer.Sign([32]byte{1}); err != nil || len(w.GetSignature()) != 64 {
			t.Errorf("%s: %v", name, err)
		}
		if err := key.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	nothing := filepath.Join(dir, "nothing.pem")
	if err := os.WriteFile(nothing, []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for uri, code := range map[string]string{
		filepath.Join(dir, "none.pem"): "key.unreachable", nothing: "key.not_found", keyFile(t, p256(t, elliptic.P384())): "key.malformed",
		"tpm:0x81010005?device=" + filepath.Join(dir, "none"): "key.unreachable", "tpm:0x81010005?device=" + nothing: "key.unreachable", "tpm:1": "key.bad_uri",
	} {
		if _, err := Open(uri, nil); fault.Code(err) != code {
			t.Errorf("%s: %v", uri, err)
		}
	}
	for uri, code := range map[string]string{nothing: "key.bad_uri", "tpm:0x81010005": "key.unsupported"} {
		if _, err := Make(uri, accountv1.KeyKind_KEY_KIND_ED25519, nil); fault.Code(err) != code {
			t.Errorf("%s: %v", uri, err)
		}
	}
	if _, err := Make("tpm:0x81010005", accountv1.KeyKind_KEY_KIND_SECP256K1, nil); fault.Code(err) != "key.unsupported" {
		t.Error(err)
	}
}

// broken is a chip that signs nothing, or something else.
type broken struct{ signature []byte }

func (b broken) sign([]byte) ([]byte, error) {
	if b.signature == nil {
		return nil, errors.New("gone")
	}
	return b.signature, nil
}

func (broken) close() error { return nil }

func TestSignaturesAreVerified(t *testing.T) {
	for _, public := range []crypto.PublicKey{&p256(t, elliptic.P256()).PublicKey, ed25519.NewKeyFromSeed(make([]byte, 32)).Public()} {
		var opts crypto.SignerOpts = crypto.SHA256
		if _, ok := public.(ed25519.PublicKey); ok {
			opts = crypto.Hash(0)
		}
		for _, c := range []struct {
			chip broken
			code string
		}{{broken{}, ""}, {broken{[]byte{1}}, "key.hardware_failed"}, {broken{bytes.Repeat([]byte{1}, 64)}, "key.hardware_failed"}} {
			key := &Key{public: public, chip: c.chip, reference: Reference{scheme: inTPM}}
			if _, err := key.Sign(nil, make([]byte, 32), opts); err == nil || fault.Code(err) != c.code {
				t.Errorf("%T: %v", public, err)
			}
		}
	}
}

// What is asked for wrongly is refused before the chip is asked; of longer digests the first half counts.
func TestSignOptions(t *testing.T) {
	secret := p256(t, elliptic.P256())
	key, err := Open(keyFile(t, secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha512.Sum512([]byte("x"))
	signature, err := key.Sign(nil, digest[:], crypto.SHA512)
	if err != nil || !ecdsa.VerifyASN1(&secret.PublicKey, digest[:], signature) {
		t.Error(err)
	}
	edwards, err := Open(keyFile(t, ed25519.NewKeyFromSeed(make([]byte, 32))), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, try := range []func() ([]byte, error){
		func() ([]byte, error) { return key.Sign(nil, digest[:20], crypto.SHA1) },
		func() ([]byte, error) { return key.Sign(nil, digest[:33], crypto.SHA256) },
		func() ([]byte, error) { return edwards.Sign(nil, digest[:], crypto.SHA512) },
		func() ([]byte, error) { return edwards.Sign(nil, digest[:], &ed25519.Options{Context: "c"}) },
	} {
		if _, err := try(); fault.Code(err) != "key.unsupported" {
			t.Error(err)
		}
	}
}

func TestPIN(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pin")
	for content, code := range map[string]string{"4711\nmore": "", "": "key.no_pin", "\n": "key.no_pin", strings.Repeat("1", maxPIN+1): "key.no_pin"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if pin, err := (Reference{scheme: inTPM, pinSource: file}).pinFrom(nil)(); fault.Code(err) != code || err == nil && pin != "4711" {
			t.Errorf("%.10q: %v", content, err)
		}
	}
	for name, ask := range map[string]AskPIN{"nobody": nil, "nothing": func(string) (string, error) { return "", nil }} {
		if _, err := (Reference{scheme: inTPM}).pinFrom(ask)(); fault.Code(err) != "key.no_pin" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReply: whatever comes from a socket is a whole reply or an error.
func FuzzReply(f *testing.F) {
	f.Add([]byte{0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0})
	f.Add([]byte{0x80, 1, 0, 0, 0, 12, 0, 0, 0, 0, 1, 2})
	f.Add([]byte{0x80, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, sent []byte) {
		here, there := net.Pipe()
		defer here.Close()
		go func() {
			_, _ = there.Write(sent)
			_ = there.Close()
		}()
		reply := make([]byte, 4096)
		if n, err := (&socketTPM{here}).Read(reply); err == nil && !bytes.HasPrefix(sent, reply[:n]) {
			t.Fatalf("%x became %x", sent, reply[:n])
		}
	})
}
