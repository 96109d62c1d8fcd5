package evidence_test

import (
	"bytes"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-tpm/tpm2"

	"github.com/dureledger/dure/ledger/evidence"
)

// FuzzToken: a token that is read has one encoding, which a CBOR library reads too.
func FuzzToken(f *testing.F) {
	for _, kind := range kinds {
		for _, boot := range []uint64{1, 300, 1 << 40} {
			f.Add(signed(f, kind, boot))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := evidence.ParseToken(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(token.Encode(), raw) {
			t.Fatalf("%x is written as %x", raw, token.Encode())
		}
		if err := cbor.Wellformed(raw); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzQuote: a quote that is read is one that go-tpm reads, and writes the same.
func FuzzQuote(f *testing.F) {
	quote := attested(asIs)
	f.Add(quote, signatureOf(f, quote))
	f.Fuzz(func(t *testing.T, quote, signature []byte) {
		key := bytes.Repeat([]byte{2}, 33)
		_ = evidence.VerifyQuote(key, quote, signature)
		q, err := evidence.ParseQuote(quote)
		if err != nil {
			return
		}
		a, err := tpm2.Unmarshal[tpm2.TPMSAttest](quote)
		if err != nil {
			t.Fatal(err)
		}
		info, err := a.Attested.Quote()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(info.PCRDigest.Buffer, q.Digest[:]) || !bytes.Equal(a.ExtraData.Buffer, q.Nonce[:]) || a.ClockInfo.ResetCount != q.Resets {
			t.Fatalf("go-tpm reads %+v, we read %+v", a, q)
		}
		if !bytes.Equal(tpm2.Marshal(a), quote) {
			t.Fatalf("go-tpm writes %x as %x", quote, tpm2.Marshal(a))
		}
	})
}
