package evidence_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"math"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

var kinds = []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_P256}

// keyOf is the test key of a kind, as the standard library has it.
func keyOf(t testing.TB, kind accountv1.KeyKind) crypto.Signer {
	t.Helper()
	if kind == accountv1.KeyKind_KEY_KIND_ED25519 {
		return ed25519.NewKeyFromSeed(txtest.Secret(1))
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), txtest.Secret(1))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func filled(b byte) [32]byte { return [32]byte(bytes.Repeat([]byte{b}, 32)) }

func example(kind accountv1.KeyKind, boot uint64) *evidence.Token {
	return &evidence.Token{Device: txtest.Signer(kind, 1).Key().Address(), Nonce: filled(1), Boot: boot, Firmware: filled(2)}
}

func signed(t testing.TB, kind accountv1.KeyKind, boot uint64) []byte {
	t.Helper()
	raw, err := evidence.Sign(txtest.NetworkID, example(kind, boot), keyOf(t, kind))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTokenComesBack(t *testing.T) {
	for _, kind := range kinds {
		for _, boot := range []uint64{0, 1, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64} {
			raw := signed(t, kind, boot)
			got, err := evidence.ParseToken(raw)
			if err != nil {
				t.Fatal(err)
			}
			want := example(kind, boot)
			want.Key, want.Signature = txtest.Signer(kind, 1).Key(), got.Signature
			if !got.Key.Equal(want.Key) || got.Device != want.Device || got.Nonce != want.Nonce || got.Boot != want.Boot || got.Firmware != want.Firmware {
				t.Errorf("%+v came back as %+v", want, got)
			}
			if err := evidence.VerifyToken(txtest.NetworkID, got); err != nil {
				t.Error(err)
			}
		}
	}
}

// claims of an Entity Attestation Token, as a CBOR library reads them.
type claims struct {
	Nonce        []byte `cbor:"10,keyasint"`
	UEID         []byte `cbor:"256,keyasint"`
	BootCount    uint64 `cbor:"267,keyasint"`
	Measurements []struct {
		_      struct{} `cbor:",toarray"`
		Format uint64
		Digest []byte
	} `cbor:"273,keyasint"`
}

// A token is what go-cose makes of the same claims, byte for byte where signatures are without chance, and go-cose verifies it.
func TestTokenIsCOSE(t *testing.T) {
	for _, kind := range kinds {
		key, token := keyOf(t, kind), example(kind, 300)
		raw := signed(t, kind, 300)
		algorithm := cose.AlgorithmEdDSA
		if kind == accountv1.KeyKind_KEY_KIND_P256 {
			algorithm = cose.AlgorithmES256
		}
		var got cose.Sign1Message
		if err := got.UnmarshalCBOR(raw); err != nil {
			t.Fatal(err)
		}
		verifier, err := cose.NewVerifier(algorithm, key.Public())
		if err != nil {
			t.Fatal(err)
		}
		external := evidence.External(txtest.NetworkID, token.Device)
		if err := got.Verify(external, verifier); err != nil {
			t.Errorf("%v: go-cose says %v", kind, err)
		}
		var read claims
		if err := cbor.Unmarshal(got.Payload, &read); err != nil {
			t.Fatal(err)
		}
		ueid := slices.Concat([]byte{1}, token.Device[:], make([]byte, 4))
		if !bytes.Equal(read.Nonce, token.Nonce[:]) || !bytes.Equal(read.UEID, ueid) || read.BootCount != 300 ||
			len(read.Measurements) != 1 || read.Measurements[0].Format != 42 || !bytes.Equal(read.Measurements[0].Digest, token.Firmware[:]) {
			t.Errorf("%v: cbor reads %+v", kind, read)
		}

		mode, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			t.Fatal(err)
		}
		theirs := cose.NewSign1Message()
		theirs.Headers.Protected.SetAlgorithm(algorithm)
		theirs.Headers.Protected[cose.HeaderLabelKeyID] = txtest.Signer(kind, 1).Key().Public
		if theirs.Payload, err = mode.Marshal(read); err != nil {
			t.Fatal(err)
		}
		signer, err := cose.NewSigner(algorithm, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := theirs.Sign(rand.Reader, external, signer); err != nil {
			t.Fatal(err)
		}
		if kind == accountv1.KeyKind_KEY_KIND_P256 {
			theirs.Signature = got.Signature // theirs is by chance
		}
		if made, err := theirs.MarshalCBOR(); err != nil || !bytes.Equal(made, raw) {
			t.Errorf("%v: go-cose makes\n%x, %v; we make\n%x", kind, made, err, raw)
		}
	}
}

// refusedToken is bytes that are no token, or not signed for the test network and device.
type refusedToken struct {
	name, code string
	raw        []byte
}

func refusedTokens(t *testing.T) []refusedToken {
	t.Helper()
	good := signed(t, kinds[0], 5)
	boot := bytes.Index(good, []byte{0x19, 0x01, 0x0b, 5}) + 3
	ueid := bytes.Index(good, []byte{0x58, 0x19, 0x01}) + 2
	change := func(at int, b ...byte) []byte { return slices.Replace(bytes.Clone(good), at, at+len(b), b...) }
	other, err := evidence.Sign("other-000102030405060708090a0b0c0d0e0f", example(kinds[0], 5), keyOf(t, kinds[0]))
	if err != nil {
		t.Fatal(err)
	}
	return []refusedToken{
		{"nothing", "evidence.malformed", nil},
		{"cut off", "evidence.malformed", good[:len(good)-1]},
		{"a byte more", "evidence.malformed", append(bytes.Clone(good), 0)},
		{"untagged", "evidence.malformed", good[1:]},
		{"another algorithm", "evidence.malformed", change(6, 0x25)},
		{"length of the header", "evidence.malformed", change(3, 0x27)},
		{"a UEID of another type", "evidence.malformed", change(ueid, 2)},
		{"a UEID filled up otherwise", "evidence.malformed", change(ueid+24, 1)},
		{"start not in its shortest form", "evidence.malformed", slices.Replace(bytes.Clone(good), boot, boot+1, 0x18, 5)},
		{"start negative", "evidence.malformed", change(boot, 0x24)},
		{"too large", "evidence.too_large", make([]byte, evidence.MaxToken+1)},
		{"another device", "evidence.bad_signature", change(ueid+1, 0)},
		{"another start", "evidence.bad_signature", change(boot, 6)},
		{"for another network", "evidence.bad_signature", other},
	}
}

// A token counts on one network, for one device, by the key that it names.
func TestTokenIsBound(t *testing.T) {
	for _, kind := range kinds {
		for name, change := range map[string]func(*evidence.Token){
			"device": func(t *evidence.Token) { t.Device[0]++ }, "nonce": func(t *evidence.Token) { t.Nonce[0]++ },
			"boot": func(t *evidence.Token) { t.Boot++ }, "firmware": func(t *evidence.Token) { t.Firmware[0]++ },
			"key": func(t *evidence.Token) { t.Key = txtest.Signer(kind, 2).Key() }, "signature": func(t *evidence.Token) { t.Signature[5]++ },
		} {
			token, err := evidence.ParseToken(signed(t, kind, 5))
			if err != nil {
				t.Fatal(err)
			}
			change(token)
			if code := fault.Code(evidence.VerifyToken(txtest.NetworkID, token)); code != "evidence.bad_signature" {
				t.Errorf("%v with another %s: %q", kind, name, code)
			}
		}
		token, err := evidence.ParseToken(signed(t, kind, 5))
		if err != nil {
			t.Fatal(err)
		}
		if evidence.VerifyToken("other-000102030405060708090a0b0c0d0e0f", token) == nil {
			t.Error("good on another network")
		}
	}
}

func TestSignRefusesOtherKeys(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Sign(txtest.NetworkID, &evidence.Token{}, key); fault.Code(err) != "evidence.bad_key" {
		t.Error(err)
	}
	if tx.VerifyMessage(tx.Key{Kind: accountv1.KeyKind_KEY_KIND_SECP256K1}, nil, nil) {
		t.Error("another kind of key signs messages")
	}
}
