//go:build cgo

package hardware

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Tokens write a point in an OCTET STRING, or plain.
func TestParsePoint(t *testing.T) {
	public := p256(t, elliptic.P256()).PublicKey
	point, err := public.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	edwards := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	for _, c := range []struct {
		params, point []byte
		code          string
	}{
		{params: paramsP256, point: point}, {params: paramsP256, point: append([]byte{4, 65}, point...)},
		{params: paramsEd25519, point: edwards}, {params: namedEd25519, point: append([]byte{4, 32}, edwards...)},
		{params: paramsP256, point: point[:64], code: "key.hardware_failed"}, {params: paramsEd25519, point: point, code: "key.hardware_failed"},
		{params: []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}, point: point, code: "key.unsupported"},
	} {
		got, err := parsePoint(c.params, c.point)
		if fault.Code(err) != c.code {
			t.Errorf("%x: %v", c.params, err)
		}
		switch key := got.(type) {
		case *ecdsa.PublicKey:
			if !key.Equal(&public) {
				t.Error("another P-256 key")
			}
		case ed25519.PublicKey:
			if !bytes.Equal(key, edwards) {
				t.Error("another Ed25519 key")
			}
		}
	}
}

func FuzzPoint(f *testing.F) {
	for _, params := range [][]byte{paramsP256, paramsEd25519, namedEd25519} {
		f.Add(params, append([]byte{4, 32}, make([]byte, 32)...))
		f.Add(params, slices.Concat([]byte{4, 65, 4}, make([]byte, 64)))
	}
	f.Fuzz(func(t *testing.T, params, point []byte) {
		public, err := parsePoint(params, point)
		if err != nil {
			if fault.Code(err) == "" {
				t.Fatal(err)
			}
			return
		}
		if key, err := tx.KeyOf(public); err == nil && !bytes.Contains(point, key.Public[len(key.Public)-32:]) {
			t.Fatalf("%x became %x", point, key.Public)
		}
	})
}

func TestModuleThatIsNone(t *testing.T) {
	for _, path := range []string{"/nowhere/module.so", keyFile(t, p256(t, elliptic.P256()))} {
		if _, err := Open("pkcs11:token=t;object=k?module-path="+path, nil); fault.Code(err) != "key.unreachable" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAnswersOfTokens(t *testing.T) {
	r := Reference{scheme: inToken, token: "meters"}
	for code, want := range map[uint]string{
		pkcs11.CKR_PIN_INCORRECT: "key.wrong_pin", pkcs11.CKR_PIN_LOCKED: "key.pin_locked", pkcs11.CKR_TOKEN_NOT_PRESENT: "key.unreachable", pkcs11.CKR_DEVICE_REMOVED: "key.unreachable",
		pkcs11.CKR_USER_PIN_NOT_INITIALIZED: "key.no_pin", pkcs11.CKR_MECHANISM_INVALID: "key.unsupported", pkcs11.CKR_DEVICE_MEMORY: "key.hardware_failed", pkcs11.CKR_GENERAL_ERROR: "key.hardware_failed",
	} {
		if err := r.failure("sign", pkcs11.Error(code)); fault.Code(err) != want || !strings.Contains(err.Error(), "meters") {
			t.Errorf("%#x: %v", code, err)
		}
	}
	if err := r.failure("sign", errors.New("odd")); fault.Code(err) != "" || !strings.Contains(err.Error(), "odd") {
		t.Error(err)
	}
}
