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
	Good    []goodReading
	Refused []struct{ Name, Kind, Code, Message string }
}

type goodReading struct {
	Name, Kind, Feed, Unit   string
	Boot, Sequence, Mantissa string
	Exponent                 int
	Time                     string `json:"time_ms"`
	Message                  string
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

// signFields and checkFields are requests to sign with a key of some kind, and to check.
func (d device) signFields(kind []byte, g goodReading) [][]byte {
	fields := [][]byte{kind, d.secret, []byte(d.networkID), d.address}
	for _, s := range []string{g.Boot, g.Sequence, g.Feed, g.Unit, g.Mantissa, strconv.Itoa(g.Exponent), g.Time} {
		fields = append(fields, []byte(s))
	}
	return fields
}

func (d device) checkFields(message []byte) [][]byte {
	return [][]byte{d.kind, d.public, []byte(d.networkID), d.address, message}
}

// check is what C says of a message.
func (d device) check(c *checker, message []byte) (code, rest string) {
	return c.ask('m', d.checkFields(message)...)
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
			code, rest := c.ask('s', d.signFields(kind, g)...)
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
	good := goodReading{Boot: "1", Sequence: "1", Feed: "feed", Unit: "m", Mantissa: "1", Time: "1790000000000"}
	const malformed, badValue = "reading.malformed", "reading.bad_value"
	for name, test := range map[string]struct {
		change func(g *goodReading)
		code   string
	}{
		"good":              {func(*goodReading) {}, ""},
		"boot 0":            {func(g *goodReading) { g.Boot = "0" }, malformed},
		"boot too large":    {func(g *goodReading) { g.Boot = "-1" }, malformed},
		"sequence 0":        {func(g *goodReading) { g.Sequence = "0" }, malformed},
		"no feed":           {func(g *goodReading) { g.Feed = "" }, malformed},
		"capital":           {func(g *goodReading) { g.Feed = "Feed" }, malformed},
		"digit first":       {func(g *goodReading) { g.Feed = "1feed" }, malformed},
		"no unit":           {func(g *goodReading) { g.Unit = "" }, malformed},
		"not UTF-8":         {func(g *goodReading) { g.Unit = "\xff" }, malformed},
		"a surrogate":       {func(g *goodReading) { g.Unit = "\xed\xa0\x80" }, malformed},
		"a NUL in two":      {func(g *goodReading) { g.Unit = "\xc0\x80" }, malformed},
		"degrees":           {func(g *goodReading) { g.Unit = "°C" }, ""},
		"four bytes":        {func(g *goodReading) { g.Unit = "🌡" }, ""},
		"least value":       {func(g *goodReading) { g.Mantissa = "-9223372036854775808" }, ""},
		"exponent 1":        {func(g *goodReading) { g.Exponent = 1 }, badValue},
		"nine digits":       {func(g *goodReading) { g.Exponent = -9 }, ""},
		"ten digits":        {func(g *goodReading) { g.Exponent = -10 }, badValue},
		"ten, one a zero":   {func(g *goodReading) { g.Mantissa, g.Exponent = "10", -10 }, ""},
		"before SenML":      {func(g *goodReading) { g.Time = "268435455999" }, malformed},
		"SenML's beginning": {func(g *goodReading) { g.Time = "268435456000" }, ""},
		"the end of time":   {func(g *goodReading) { g.Time = "9223372036854775807" }, ""},
	} {
		g := good
		test.change(&g)
		code, rest := c.ask('s', d.signFields(d.kind, g)...)
		if code != test.code {
			t.Errorf("%s: code %q, want %q", name, code, test.code)
		}
		if code != "" {
			continue
		}
		message, _, _ := strings.Cut(strings.TrimPrefix(rest, "message="), " ")
		if err := d.goCheck(unhex(t, message)); err != nil {
			t.Errorf("%s: Go refuses what C signed: %v", name, err)
		}
	}
	order := unhex(t, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
	for _, scalar := range [][]byte{make([]byte, 32), order, bytes.Repeat([]byte{0xff}, 32)} {
		d.secret = scalar
		if code, _ := c.ask('s', d.signFields([]byte("p"), good)...); code != "reading.bad_key" {
			t.Errorf("scalar %x: code %q", scalar, code)
		}
	}
}
