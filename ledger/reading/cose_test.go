package reading_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"math/big"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// A COSE library that knows nothing of ours verifies what we sign.
func TestCoseVerifiesOurs(t *testing.T) {
	for _, g := range goods {
		raw := sign(t, g.kind, g.r)
		var m cose.Sign1Message
		if err := m.UnmarshalCBOR(raw); err != nil {
			t.Errorf("%s: %v", g.name, err)
			continue
		}
		key, err := reading.Key(g.kind, txtest.Secret(1))
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := cose.NewVerifier(coseAlg(g.kind), key.Public())
		if err != nil {
			t.Fatal(err)
		}
		_, address := device(t, g.kind)
		if err := m.Verify(reading.External(nil, txtest.NetworkID, address, g.r.Boot), verifier); err != nil {
			t.Errorf("%s: %v", g.name, err)
		}
		if err := m.Verify(reading.External(nil, txtest.NetworkID, address, g.r.Boot+1), verifier); err == nil {
			t.Errorf("%s: verified for another start", g.name)
		}
	}
}

// What it signs, we read. Half of its P-256 signatures have the higher s; it is for the signer to turn them.
func TestWeReadWhatCoseSigns(t *testing.T) {
	for _, g := range goods {
		key, err := reading.Key(g.kind, txtest.Secret(1))
		if err != nil {
			t.Fatal(err)
		}
		_, address := device(t, g.kind)
		raw := coseSign(t, key, g.kind, reading.External(nil, txtest.NetworkID, address, g.r.Boot), &g.r)
		r, err := check(t, g.kind, raw)
		if err != nil {
			t.Errorf("%s: %v", g.name, err)
			continue
		}
		want := g.r
		want.Alg, want.Signature = reading.Alg(coseAlg(g.kind)), r.Signature
		if *r != want {
			t.Errorf("%s: %+v", g.name, r)
		}
	}
}

func coseAlg(kind accountv1.KeyKind) cose.Algorithm {
	if kind == ed {
		return cose.AlgorithmEdDSA
	}
	return cose.AlgorithmES256
}

// coseSign writes a reading with libraries alone.
func coseSign(t testing.TB, key crypto.Signer, kind accountv1.KeyKind, external []byte, r *reading.Reading) []byte {
	t.Helper()
	number := func(mantissa int64, exponent int) any {
		if exponent == 0 {
			return mantissa
		}
		return cbor.Tag{Number: 4, Content: []int64{int64(exponent), mantissa}}
	}
	taken := number(r.Time, -3)
	if r.Time%1000 == 0 {
		taken = number(r.Time/1000, 0)
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	payload, err := mode.Marshal([]map[int]any{{0: r.Feed, 1: r.Unit, 2: number(r.Value.Mantissa, r.Value.Exponent), 6: taken}})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cose.NewSigner(coseAlg(kind), key)
	if err != nil {
		t.Fatal(err)
	}
	m := cose.NewSign1Message()
	m.Payload = payload
	m.Headers.Protected = cose.ProtectedHeader{
		cose.HeaderLabelAlgorithm: coseAlg(kind), int64(-70001): r.Boot, int64(-70002): r.Sequence,
	}
	if err := m.Sign(rand.Reader, external, signer); err != nil {
		t.Fatal(err)
	}
	if half := new(big.Int).Rsh(elliptic.P256().Params().N, 1); kind == p256 && new(big.Int).SetBytes(m.Signature[32:]).Cmp(half) > 0 {
		s := m.Signature[32:]
		new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(s)).FillBytes(s)
	}
	raw, err := m.MarshalCBOR()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The Sig_structure is what the library would write of the same parts.
func TestSignedBytesAreASigStructure(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goods {
		raw := sign(t, g.kind, g.r)
		var parts struct {
			_                  struct{} `cbor:",toarray"`
			Protected          []byte
			Unprotected        map[int]any
			Payload, Signature []byte
		}
		if err := cbor.Unmarshal(raw, &parts); err != nil {
			t.Fatal(err)
		}
		_, address := device(t, g.kind)
		want, err := mode.Marshal([]any{"Signature1", parts.Protected, reading.External(nil, txtest.NetworkID, address, g.r.Boot), parts.Payload})
		if err != nil {
			t.Fatal(err)
		}
		r, err := reading.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.SignedBytes(txtest.NetworkID, address); !bytes.Equal(got, want) {
			t.Errorf("%s: signed\n%x, want\n%x", g.name, got, want)
		}
	}
}

// A P-256 key that does not sign in our way, such as a secure element's, makes good readings all the same.
func TestSignersThatDrawLots(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for range 8 { // half of the signatures have the higher s at first
		r := speed()
		raw, err := reading.Sign(txtest.NetworkID, [20]byte{1}, &r, random{key})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reading.Parse(raw); err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(r.SignedBytes(txtest.NetworkID, [20]byte{1}))
		s := new(big.Int).SetBytes(r.Signature[32:])
		if !ecdsa.Verify(&key.PublicKey, digest[:], new(big.Int).SetBytes(r.Signature[:32]), s) || s.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) > 0 {
			t.Fatal("no good signature")
		}
	}
}

type random struct{ *ecdsa.PrivateKey }

func (r random) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return r.PrivateKey.Sign(rand.Reader, digest, opts)
}
