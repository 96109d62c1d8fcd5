package reading_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"os"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

var update = flag.Bool("update", false, "write testdata/vectors.json again; a change of it is a change of the format")

const vectorsFile = "testdata/vectors.json"

// vectors is the file that other implementations run. Bytes are hex.
type vectors struct {
	About     string       `json:"about"`
	NetworkID string       `json:"network_id"`
	MaxBytes  int          `json:"max_bytes"`
	Keys      []keyVector  `json:"keys"`
	Good      []goodVector `json:"good"`
	Refused   []badVector  `json:"refused"`
}

type keyVector struct {
	Kind   string `json:"kind"`
	Secret string `json:"secret"` // an Ed25519 seed, or a P-256 scalar, big endian
	Public string `json:"public_key"`
	Device string `json:"device"` // the address of the account that was opened for the key
}

type goodVector struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Alg      int64  `json:"alg"`
	Boot     uint64 `json:"boot,string"`
	Sequence uint64 `json:"sequence,string"`
	Feed     string `json:"feed"`
	Unit     string `json:"unit"`
	Mantissa int64  `json:"mantissa,string"`
	Exponent int    `json:"exponent"`
	Time     int64  `json:"time_ms,string"`
	Signed   string `json:"signed_bytes"` // the Sig_structure
	Message  string `json:"message"`
}

type badVector struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

const about = "Readings as docs/reading.md has them. A key's device is its address. 'good': the message made of these fields, signed by the key of " +
	"the kind for its device on the network; both kinds sign the same every time (RFC 8032; RFC 6979, then the lower s), so an " +
	"implementation that does so makes these bytes. 'refused': code reading.malformed or reading.too_large is for whoever parses, " +
	"reading.bad_signature for whoever checks with the key and device of the kind."

var ed, p256 = accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_P256

func kindOf(t testing.TB, name string) accountv1.KeyKind {
	t.Helper()
	kind, err := tx.ParseKind(name)
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

// device is the key that stands in the vectors for a kind, and its address.
func device(t testing.TB, kind accountv1.KeyKind) (tx.Key, tx.Address) {
	t.Helper()
	key := txtest.Signer(kind, 1).Key()
	return key, key.Address()
}

// sign signs with the device of a kind.
func sign(t testing.TB, kind accountv1.KeyKind, r reading.Reading) []byte {
	t.Helper()
	key, err := reading.Key(kind, txtest.Secret(1))
	if err != nil {
		t.Fatal(err)
	}
	_, address := device(t, kind)
	raw, err := reading.Sign(txtest.NetworkID, address, &r, key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// check parses and verifies.
func check(t testing.TB, kind accountv1.KeyKind, raw []byte) (*reading.Reading, error) {
	t.Helper()
	r, err := reading.Parse(raw)
	if err != nil {
		return nil, err
	}
	key, address := device(t, kind)
	return r, tx.VerifyReading(txtest.NetworkID, address, key, r)
}

func speed() reading.Reading {
	return reading.Reading{Boot: 4, Sequence: 1017, Feed: "speed.seoul", Unit: "km/h", Value: reading.Decimal{Mantissa: 625, Exponent: -1}, Time: 1_790_000_000_250}
}

func with(change func(*reading.Reading)) reading.Reading {
	r := speed()
	change(&r)
	return r
}

var goods = []struct {
	name string
	kind accountv1.KeyKind
	r    reading.Reading
}{
	{"a decimal fraction and milliseconds", ed, speed()},
	{"the same with P-256", p256, speed()},
	{"whole value and second", ed, with(func(r *reading.Reading) { r.Value, r.Time = reading.Decimal{Mantissa: 60}, 1_790_000_000_000 })},
	{"first of the first start, zero, shortest texts", p256, with(func(r *reading.Reading) {
		r.Boot, r.Sequence, r.Feed, r.Unit, r.Value = 1, 1, "a", "m", reading.Decimal{}
	})},
	{"a negative value", ed, with(func(r *reading.Reading) { r.Unit, r.Value = "Cel", reading.Decimal{Mantissa: -4, Exponent: -1} })},
	{"largest numbers, longest texts", ed, with(func(r *reading.Reading) {
		r.Boot, r.Sequence, r.Value = math.MaxInt64, math.MaxInt64, reading.Decimal{Mantissa: math.MaxInt64, Exponent: -9}
		r.Feed, r.Unit, r.Time = "a0123456789.-0123456789.-0123456", "0123456789abcdef", math.MaxInt64
	})},
	{"least value, first time", p256, with(func(r *reading.Reading) {
		r.Value, r.Time = reading.Decimal{Mantissa: math.MinInt64}, reading.MinTime
	})},
	{"numbers of one byte", ed, with(func(r *reading.Reading) {
		r.Boot, r.Sequence, r.Value = 24, 255, reading.Decimal{Mantissa: -25, Exponent: -9}
	})},
	{"numbers of two and four bytes", p256, with(func(r *reading.Reading) {
		r.Boot, r.Sequence, r.Value = 256, 65536, reading.Decimal{Mantissa: 65535}
	})},
	{"a unit beyond ASCII", ed, with(func(r *reading.Reading) { r.Unit = "두레/h" })},
}

func TestVectors(t *testing.T) {
	got, err := json.MarshalIndent(makeVectors(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(vectorsFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("the format has changed: %s is no longer what this code makes. If that is meant, run with -update.", vectorsFile)
	}
	var file vectors
	if err := json.Unmarshal(want, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Good {
		r, err := check(t, kindOf(t, v.Kind), unhex(t, v.Message))
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if again := describe(t, v.Name, kindOf(t, v.Kind), *r); again != v {
			t.Errorf("%s: read as %+v", v.Name, again)
		}
	}
	for _, v := range file.Refused {
		if _, err := check(t, kindOf(t, v.Kind), unhex(t, v.Message)); fault.Code(err) != v.Code {
			t.Errorf("%s: %v, want %s", v.Name, err, v.Code)
		}
	}
}

func makeVectors(t *testing.T) vectors {
	t.Helper()
	v := vectors{About: about, NetworkID: txtest.NetworkID, MaxBytes: reading.MaxBytes}
	for _, kind := range []accountv1.KeyKind{ed, p256} {
		key, address := device(t, kind)
		v.Keys = append(v.Keys, keyVector{tx.KindName(kind), hex.EncodeToString(txtest.Secret(1)), hex.EncodeToString(key.Public), hex.EncodeToString(address[:])})
	}
	for _, g := range goods {
		r, err := check(t, g.kind, sign(t, g.kind, g.r))
		if err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
		v.Good = append(v.Good, describe(t, g.name, g.kind, *r))
	}
	for _, b := range bads {
		v.Refused = append(v.Refused, badVector{b.name, tx.KindName(b.kind), b.code, hex.EncodeToString(b.raw(t))})
	}
	return v
}

func describe(t *testing.T, name string, kind accountv1.KeyKind, r reading.Reading) goodVector {
	t.Helper()
	raw, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	_, address := device(t, kind)
	return goodVector{
		name, tx.KindName(kind), int64(r.Alg), r.Boot, r.Sequence, r.Feed, r.Unit, r.Value.Mantissa, r.Value.Exponent, r.Time,
		hex.EncodeToString(r.SignedBytes(txtest.NetworkID, address)), hex.EncodeToString(raw),
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
