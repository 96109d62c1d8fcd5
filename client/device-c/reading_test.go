package devicec

import (
	"bytes"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// readings is ledger/reading/testdata/vectors.json.
type readings struct {
	NetworkID string `json:"network_id"`
	Keys      []struct {
		Kind, Secret, Device string
		Public               string `json:"public_key"`
	}
	Good []struct {
		Name, Kind, Feed, Unit   string
		Boot, Sequence, Mantissa string
		Exponent                 int
		Time                     string `json:"time_ms"`
		Message                  string
	}
	Refused []struct{ Name, Kind, Code, Message string }
}

// device is a key of the vectors, and its public key as the C library takes it.
type device struct {
	kind           []byte // as test/check.c has it
	secret, public []byte
	address        []byte
	key            tx.Key
	networkID      string
}

func readingVectors(t testing.TB) (readings, map[string]device) {
	t.Helper()
	var v readings
	if err := json.Unmarshal(read(t, "../../ledger/reading/testdata", "vectors.json"), &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Good) == 0 || len(v.Refused) == 0 {
		t.Fatal("no vectors")
	}
	devices := map[string]device{}
	for _, k := range v.Keys {
		d := device{kind: []byte(k.Kind[:1]), secret: unhex(t, k.Secret), public: unhex(t, k.Public), address: unhex(t, k.Device), networkID: v.NetworkID}
		d.key = tx.Key{Kind: accountv1.KeyKind_KEY_KIND_ED25519, Public: d.public}
		if k.Kind == "p256" {
			d.key.Kind = accountv1.KeyKind_KEY_KIND_P256
			x, y := elliptic.UnmarshalCompressed(elliptic.P256(), d.public)
			d.public = append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
		}
		devices[k.Kind] = d
	}
	return v, devices
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// check is what C says of a message.
func (d device) check(c *checker, message []byte) (code, rest string) {
	return c.ask('m', d.kind, d.public, []byte(d.networkID), d.address, message)
}

// goCheck is what Go says of a message.
func (d device) goCheck(message []byte) error {
	r, err := reading.Parse(message)
	if err != nil {
		return err
	}
	return tx.VerifyReading(d.networkID, tx.Address(d.address), d.key, r)
}

func TestGoodReadings(t *testing.T) {
	c := newChecker(t)
	v, devices := readingVectors(t)
	for _, g := range v.Good {
		d := devices[g.Kind]
		kinds := [][]byte{d.kind}
		if g.Kind == "p256" {
			kinds = append(kinds, []byte("s")) // in a secure element
		}
		for _, kind := range kinds {
			code, rest := c.ask('s', kind, d.secret, []byte(d.networkID), d.address, []byte(g.Boot), []byte(g.Sequence), []byte(g.Feed), []byte(g.Unit),
				[]byte(g.Mantissa), []byte(strconv.Itoa(g.Exponent)), []byte(g.Time))
			if code != "" || !strings.HasPrefix(rest, "message="+g.Message+" ") {
				t.Errorf("%s, key %s: signs %q %s, want %s", g.Name, kind, code, rest, g.Message)
			}
			if want := " key=" + hex.EncodeToString(d.public); kind[0] != 's' && !strings.HasSuffix(rest, want) {
				t.Errorf("%s: %s, want%s", g.Name, rest, want)
			}
		}
		want := "boot=" + g.Boot + " sequence=" + g.Sequence + " feed=" + g.Feed + " mantissa=" + g.Mantissa + " exponent=" +
			strconv.Itoa(g.Exponent) + " time=" + g.Time + " unit=" + hex.EncodeToString([]byte(g.Unit))
		message := unhex(t, g.Message)
		if code, rest := d.check(c, message); code != "" || rest != want {
			t.Errorf("%s: %q %s, want %s", g.Name, code, rest, want)
		}
		other := d
		other.address = bytes.Repeat([]byte{1}, 20)
		if code, _ := other.check(c, message); code != "reading.bad_signature" {
			t.Errorf("%s, for another device: code %q", g.Name, code)
		}
	}
}

func TestRefusedReadings(t *testing.T) {
	c := newChecker(t)
	v, devices := readingVectors(t)
	for _, r := range v.Refused {
		if code, _ := devices[r.Kind].check(c, unhex(t, r.Message)); code != r.Code {
			t.Errorf("%s: code %q, want %q", r.Name, code, r.Code)
		}
	}
}

func TestEveryByteOfAReadingChanged(t *testing.T) {
	c := newChecker(t)
	v, devices := readingVectors(t)
	for _, g := range v.Good {
		d, message := devices[g.Kind], unhex(t, g.Message)
		for i := range message {
			message[i] ^= 1 << (i % 8)
			d.agree(t, c, g.Name, message)
			message[i] ^= 1 << (i % 8)
			d.agree(t, c, g.Name, message[:i])
		}
	}
}

func (d device) agree(t testing.TB, c *checker, name string, message []byte) {
	t.Helper()
	want := fault.Code(d.goCheck(message))
	if code, _ := d.check(c, message); code != want {
		t.Errorf("%s, changed to %x: C says %q, Go %q", name, message, code, want)
	}
}

// What cannot be written is refused before it is signed.
func TestReadingsThatCannotBeWritten(t *testing.T) {
	c := newChecker(t)
	_, devices := readingVectors(t)
	d := devices["ed25519"]
	good := []string{"1", "1", "feed", "m", "1", "0", "1790000000000"}
	for _, test := range []struct {
		at          int
		value, code string
	}{
		{0, "1", ""}, {0, "0", "reading.malformed"}, {0, "-1", "reading.malformed"}, {1, "0", "reading.malformed"}, {2, "", "reading.malformed"},
		{2, "Feed", "reading.malformed"}, {2, "1feed", "reading.malformed"}, {3, "", "reading.malformed"}, {3, "\xff", "reading.malformed"},
		{3, "°C", ""}, {3, "\xed\xa0\x80", "reading.malformed"}, {3, "\xf0\x9f\x8c\xa1", ""}, {3, "\xc0\x80", "reading.malformed"},
		{4, "-9223372036854775808", ""}, {5, "1", "reading.bad_value"}, {5, "-9", ""}, {5, "-10", "reading.bad_value"},
		{6, "268435455999", "reading.malformed"}, {6, "268435456000", ""}, {6, "9223372036854775807", ""},
	} {
		f := append([]string{}, good...)
		f[test.at] = test.value
		fields := [][]byte{d.kind, d.secret, []byte(d.networkID), d.address}
		for _, s := range f {
			fields = append(fields, []byte(s))
		}
		code, rest := c.ask('s', fields...)
		if code != test.code {
			t.Errorf("field %d %q: code %q, want %q", test.at, test.value, code, test.code)
		}
		if code != "" {
			continue
		}
		message, _, _ := strings.Cut(strings.TrimPrefix(rest, "message="), " ")
		if err := d.goCheck(unhex(t, message)); err != nil {
			t.Errorf("field %d %q: Go refuses what C signed: %v", test.at, test.value, err)
		}
	}
	order := unhex(t, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
	for _, scalar := range [][]byte{make([]byte, 32), order, bytes.Repeat([]byte{0xff}, 32)} {
		if code, _ := c.ask('s', []byte("p"), scalar, []byte(d.networkID), d.address, []byte("1"), []byte("1"), []byte("f"), []byte("m"), []byte("1"),
			[]byte("0"), []byte("1790000000000")); code != "reading.bad_key" {
			t.Errorf("scalar %x: code %q", scalar, code)
		}
	}
}
