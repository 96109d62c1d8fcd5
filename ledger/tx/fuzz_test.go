package tx_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// FuzzDecode: what is accepted has one encoding, the one it came in.
func FuzzDecode(f *testing.F) {
	for _, kind := range txtest.Kinds[:4] {
		f.Add(mustSign(f, transferBody(), txtest.Signer(kind, 1)))
	}
	f.Add(mustAnchor(f, of(source(f, edKind, 1, 2, txtest.NetworkID), source(f, p256Kind, 2, 1, txtest.NetworkID))).Raw)
	for _, r := range refusals {
		if raw := r.bytes(f); len(raw) < 4096 {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := tx.Decode(txtest.NetworkID, raw, maxBytes)
		if err != nil {
			if code := fault.Code(err); !strings.HasPrefix(code, "tx.") {
				t.Fatalf("refused without a code of this package: %v", err)
			}
			return
		}
		written := &txv1.Transaction{}
		if err := proto.Unmarshal(raw, written); err != nil {
			t.Fatal(err)
		}
		checkCanonical(t, written, raw)
		checkCanonical(t, d.Body, written.GetNative().Body)
		if err := d.Verify(); err != nil && fault.Code(err) != "tx.bad_signature" {
			t.Fatal(err)
		}
		for _, k := range d.Keys() {
			k.Address()
		}
	})
}

func checkCanonical(t *testing.T, m proto.Message, want []byte) {
	t.Helper()
	got, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("a second encoding was accepted:\n%x\nof\n%x", want, got)
	}
}

// FuzzParseAddress: what is accepted is shown in one form, which is accepted too.
func FuzzParseAddress(f *testing.F) {
	for _, s := range eip55 {
		f.Add(s)
		f.Add(strings.ToLower(s))
	}
	f.Add("0x")
	f.Add("0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := tx.ParseAddress(s)
		if err != nil {
			if fault.Code(err) != "address.malformed" {
				t.Fatal(err)
			}
			return
		}
		if b, err := tx.ParseAddress(a.String()); err != nil || b != a || !strings.EqualFold(a.String(), s) {
			t.Fatalf("%q became %s: %v", s, a, err)
		}
	})
}
