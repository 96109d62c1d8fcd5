package keystore

import (
	"bytes"
	"testing"
	"time"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// FuzzKeyFile: a key file that is accepted is written back to one that reads the same; opening it never panics and, with a
// secret that is not its own, never succeeds.
func FuzzKeyFile(f *testing.F) {
	p256 := txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 1)
	for _, kind := range txtest.Kinds {
		key := txtest.Signer(kind, 1).Key()
		b, err := keyFile{Entry: Entry{"alice", key, key.Address(), time.Unix(1_700_000_000, 0), ""}, secret: "age"}.bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	inTPM, err := keyFile{Entry: Entry{"meter", p256.Key(), p256.Key().Address(), time.Unix(1_700_000_000, 0), "tpm:0x81010005"}}.bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(inTPM)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{}{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parseFile(b)
		if err != nil {
			return
		}
		written, err := k.bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseFile(written)
		if err != nil {
			return // a file that grows past the limit when written: names are escaped
		}
		if second, err := again.bytes(); err != nil || !bytes.Equal(second, written) {
			t.Fatalf("%q\n%q: %v", written, second, err)
		}
		if k.Hardware == "" && len(k.secret) < 64 {
			if _, err := k.open("x"); fault.Code(err) == "" {
				t.Fatalf("opened without a code: %v", err)
			}
		}
	})
}
