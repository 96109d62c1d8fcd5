package reading_test

import (
	"bytes"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
)

// FuzzParse: what is accepted has one encoding, the one it came in, which a CBOR library finds deterministic too.
func FuzzParse(f *testing.F) {
	for _, g := range goods {
		f.Add(sign(f, g.kind, g.r))
	}
	for _, b := range bads {
		f.Add(b.raw(f))
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := reading.Parse(raw)
		if err != nil {
			if code := fault.Code(err); code != "reading.malformed" && code != "reading.too_large" {
				t.Fatal(err)
			}
			return
		}
		again, err := r.Encode()
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("a second encoding was accepted: %v\n%x\nof\n%x", err, raw, again)
		}
		var m cbor.Tag
		if err := cbor.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		if theirs, err := mode.Marshal(m); err != nil || !bytes.Equal(theirs, raw) {
			t.Fatalf("not deterministic: %v\n%x\n%x", err, raw, theirs)
		}
		for decimals := range reading.MaxDecimals + 1 {
			if units, err := r.Value.Units(decimals); err == nil {
				if d, err := reading.NewDecimal(units, -decimals); err != nil || d != r.Value {
					t.Fatalf("%v became %d with %d decimals", r.Value, units, decimals)
				}
			}
		}
		if d, err := reading.ParseDecimal(r.Value.String()); err != nil || d != r.Value {
			t.Fatalf("%v is written as %s: %v", r.Value, r.Value, err)
		}
	})
}
