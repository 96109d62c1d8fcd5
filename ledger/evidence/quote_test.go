package evidence_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/google/go-tpm/tpm2"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// attested is a quote as go-tpm writes it.
func attested(change func(*tpm2.TPMSAttest, *tpm2.TPMSQuoteInfo)) []byte {
	nonce, digest := filled(1), filled(2)
	info := tpm2.TPMSQuoteInfo{
		PCRSelect: tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{
			{Hash: tpm2.TPMAlgSHA256, PCRSelect: tpm2.PCClientCompatible.PCRs(0, 7, 16)},
		}},
		PCRDigest: tpm2.TPM2BDigest{Buffer: digest[:]},
	}
	a := tpm2.TPMSAttest{
		Magic: tpm2.TPMGeneratedValue, Type: tpm2.TPMSTAttestQuote, QualifiedSigner: tpm2.TPM2BName{Buffer: bytes.Repeat([]byte{3}, 34)},
		ExtraData: tpm2.TPM2BData{Buffer: nonce[:]}, ClockInfo: tpm2.TPMSClockInfo{Clock: 9, ResetCount: 5, RestartCount: 6, Safe: true},
		FirmwareVersion: 7,
	}
	change(&a, &info)
	a.Attested = tpm2.NewTPMUAttest(a.Type, &info)
	return tpm2.Marshal(a)
}

// signatureOf is a TPMT_SIGNATURE as go-tpm writes it.
func signatureOf(t testing.TB, quote []byte) []byte {
	t.Helper()
	key, digest := keyOf(t, accountv1.KeyKind_KEY_KIND_P256).(*ecdsa.PrivateKey), sha256.Sum256(quote)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return tpm2.Marshal(tpm2.TPMTSignature{SigAlg: tpm2.TPMAlgECDSA, Signature: tpm2.NewTPMUSignature(tpm2.TPMAlgECDSA, &tpm2.TPMSSignatureECC{
		Hash: tpm2.TPMAlgSHA256, SignatureR: tpm2.TPM2BECCParameter{Buffer: r.Bytes()}, SignatureS: tpm2.TPM2BECCParameter{Buffer: s.Bytes()},
	})})
}

func asIs(*tpm2.TPMSAttest, *tpm2.TPMSQuoteInfo) {}

func TestQuoteIsWhatGoTPMWrites(t *testing.T) {
	public := txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 1).Key().Public
	raw := attested(asIs)
	q, err := evidence.ParseQuote(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := evidence.Quote{Nonce: filled(1), Resets: 5, Restarts: 6, Firmware: 7, PCRs: 1 | 1<<7 | 1<<16, Digest: filled(2)}
	if *q != want || q.Boot() != 5<<32|6 {
		t.Errorf("%+v, want %+v", *q, want)
	}
	for range 8 { // a half of the signatures has a high s
		if err := evidence.VerifyQuote(public, raw, signatureOf(t, raw)); err != nil {
			t.Error(err)
		}
	}
	other := bytes.Clone(raw)
	other[len(other)-1]++
	if err := evidence.VerifyQuote(public, other, signatureOf(t, raw)); fault.Code(err) != "evidence.bad_signature" {
		t.Error(err)
	}
}

func TestQuotesThatAreRefused(t *testing.T) {
	good := attested(asIs)
	for _, test := range []struct {
		name, code string
		raw        []byte
	}{
		{"nothing", "evidence.malformed", nil},
		{"cut off", "evidence.malformed", good[:len(good)-1]},
		{"a byte more", "evidence.malformed", append(bytes.Clone(good), 0)},
		{"not by a TPM", "evidence.malformed", attested(func(a *tpm2.TPMSAttest, _ *tpm2.TPMSQuoteInfo) { a.Magic++ })},
		{"a short nonce", "evidence.malformed", attested(func(a *tpm2.TPMSAttest, _ *tpm2.TPMSQuoteInfo) { a.ExtraData.Buffer = []byte{1} })},
		{"a long name", "evidence.malformed", attested(func(a *tpm2.TPMSAttest, _ *tpm2.TPMSQuoteInfo) { a.QualifiedSigner.Buffer = make([]byte, 67) })},
		{"a digest of SHA-1", "evidence.malformed", attested(func(_ *tpm2.TPMSAttest, q *tpm2.TPMSQuoteInfo) { q.PCRDigest.Buffer = make([]byte, 20) })},
		{"another bank", "evidence.unsupported", attested(func(_ *tpm2.TPMSAttest, q *tpm2.TPMSQuoteInfo) { q.PCRSelect.PCRSelections[0].Hash = tpm2.TPMAlgSHA1 })},
		{"two banks", "evidence.unsupported", attested(func(_ *tpm2.TPMSAttest, q *tpm2.TPMSQuoteInfo) {
			q.PCRSelect.PCRSelections = append(q.PCRSelect.PCRSelections, q.PCRSelect.PCRSelections[0])
		})},
		{"too large", "evidence.too_large", make([]byte, evidence.MaxQuote+1)},
	} {
		if _, err := evidence.ParseQuote(test.raw); fault.Code(err) != test.code {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	certified := slices.Replace(bytes.Clone(good), 4, 6, 0x80, 0x17)
	if _, err := evidence.ParseQuote(certified); fault.Code(err) != "evidence.malformed" {
		t.Error("certified: ", err)
	}
}

func TestQuoteSignaturesThatAreRefused(t *testing.T) {
	quote, public := attested(asIs), txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 1).Key().Public
	good := signatureOf(t, quote)
	for _, test := range []struct {
		name, code string
		raw        []byte
	}{
		{"nothing", "evidence.malformed", nil},
		{"cut off", "evidence.malformed", good[:len(good)-1]},
		{"a byte more", "evidence.malformed", append(bytes.Clone(good), 0)[:min(len(good)+1, evidence.MaxQuoteSignature)]},
		{"RSA", "evidence.unsupported", slices.Replace(bytes.Clone(good), 0, 2, 0, 0x14)},
		{"SHA-384", "evidence.unsupported", slices.Replace(bytes.Clone(good), 2, 4, 0, 0x0c)},
		{"too large", "evidence.too_large", make([]byte, evidence.MaxQuoteSignature+1)},
		{"zeros", "evidence.bad_signature", []byte{0, 0x18, 0, 0x0b, 0, 1, 0, 0, 1, 0}},
	} {
		if test.name == "a byte more" && len(good) == evidence.MaxQuoteSignature {
			test.code = "evidence.too_large"
			test.raw = append(bytes.Clone(good), 0)
		}
		if err := evidence.VerifyQuote(public, quote, test.raw); fault.Code(err) != test.code {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if err := evidence.VerifyQuote(nil, quote, good); fault.Code(err) != "evidence.bad_signature" {
		t.Error(err)
	}
}
