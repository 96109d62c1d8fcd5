package reading_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// signFor signs by the first Ed25519 key for another network or device.
func signFor(t testing.TB, network string, of uint64) []byte {
	t.Helper()
	if network == "" {
		network = txtest.NetworkID
	}
	key, err := reading.Key(ed, txtest.Secret(1))
	if err != nil {
		t.Fatal(err)
	}
	r := speed()
	raw, err := reading.Sign(network, txtest.Ed25519(of).Key().Address(), &r, key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The bytes that the broken readings are made from are a good one's, written by hand.
func TestBrokenReadingsAreOneStepFromAGoodOne(t *testing.T) {
	r := speed()
	r.Alg, r.Signature = reading.EdDSA, [64]byte(bytes.Repeat([]byte{0x11}, 64))
	want, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got := good().raw(t); !bytes.Equal(got, want) {
		t.Errorf("written by hand\n%x\nby Encode\n%x", got, want)
	}
}

func TestSignRefuses(t *testing.T) {
	key, err := reading.Key(ed, txtest.Secret(1))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*reading.Reading){
		"boot 0":            func(r *reading.Reading) { r.Boot = 0 },
		"sequence 2^63":     func(r *reading.Reading) { r.Sequence = 1 << 63 },
		"feed":              func(r *reading.Reading) { r.Feed = "Speed" },
		"long feed":         func(r *reading.Reading) { r.Feed = strings.Repeat("a", 33) },
		"no unit":           func(r *reading.Reading) { r.Unit = "" },
		"unit not UTF-8":    func(r *reading.Reading) { r.Unit = "\xff" },
		"zeros":             func(r *reading.Reading) { r.Value = reading.Decimal{Mantissa: 10, Exponent: -1} },
		"zero with a point": func(r *reading.Reading) { r.Value = reading.Decimal{Exponent: -1} },
		"exponent":          func(r *reading.Reading) { r.Value = reading.Decimal{Mantissa: 1, Exponent: 1} },
		"digits":            func(r *reading.Reading) { r.Value = reading.Decimal{Mantissa: 1, Exponent: -10} },
		"time":              func(r *reading.Reading) { r.Time = reading.MinTime - 1 },
	} {
		r := with(change)
		if _, err := reading.Sign(txtest.NetworkID, tx.Address{}, &r, key); fault.Code(err) != "reading.malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := reading.Key(ed, nil); fault.Code(err) != "reading.bad_key" {
		t.Error(err)
	}
	if _, err := reading.Key(p256, make([]byte, 32)); fault.Code(err) != "reading.bad_key" {
		t.Error(err)
	}
	if _, err := reading.Key(0, make([]byte, 32)); fault.Code(err) != "reading.bad_key" {
		t.Error(err)
	}
}

func TestDecimals(t *testing.T) {
	for s, want := range map[string]string{
		"12": "12", "-0.5": "-0.5", "12.50": "12.5", "0.000": "0", "-0": "0", "1200": "1200", "0.000000001": "0.000000001", "007": "7", "1.0000000000000": "1",
		"9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808", "-9.223372036854775808": "",
		"9223372036854775808": "", "0.0000000001": "", "": "", "-": "", ".5": "", "5.": "", "1e3": "", "+1": "", "--1": "", "1.-5": "", "1_000": "",
	} {
		d, err := reading.ParseDecimal(s)
		switch {
		case want == "" && fault.Code(err) != "reading.bad_value":
			t.Errorf("%q: %v %v", s, d, err)
		case want != "" && (err != nil || d.String() != want):
			t.Errorf("%q: %v %v, want %s", s, d, err, want)
		}
	}
	if d, err := reading.NewDecimal(0, 7); err != nil || d != (reading.Decimal{}) {
		t.Error(d, err)
	}
	if _, err := reading.NewDecimal(1, 1); fault.Code(err) != "reading.bad_value" {
		t.Error(err)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		d        reading.Decimal
		decimals int
		want     int64
		code     string
	}{
		{reading.Decimal{Mantissa: 125, Exponent: -1}, 2, 1250, ""},
		{reading.Decimal{Mantissa: 125, Exponent: -1}, 1, 125, ""},
		{reading.Decimal{Mantissa: 125, Exponent: -1}, 0, 0, "reading.too_precise"},
		{reading.Decimal{Mantissa: -5, Exponent: 0}, 9, -5_000_000_000, ""},
		{reading.Decimal{Mantissa: math.MaxInt64, Exponent: 0}, 0, math.MaxInt64, ""},
		{reading.Decimal{Mantissa: math.MinInt64, Exponent: 0}, 0, math.MinInt64, ""},
		{reading.Decimal{Mantissa: math.MinInt64, Exponent: 0}, 1, 0, "reading.overflow"},
		{reading.Decimal{Mantissa: 922337203685477581, Exponent: 0}, 1, 0, "reading.overflow"},
		{reading.Decimal{Mantissa: -922337203685477580, Exponent: 0}, 1, -9223372036854775800, ""},
		{reading.Decimal{}, 9, 0, ""},
	} {
		got, err := c.d.Units(c.decimals)
		if got != c.want || fault.Code(err) != c.code {
			t.Errorf("%v with %d: %d, %v", c.d, c.decimals, got, err)
		}
	}
	if got := reading.FormatUnits(-5, 2); got != "-0.05" {
		t.Error(got)
	}
}

// Every path leads to the root, and the checker of receipts finds it.
func TestAnchorPaths(t *testing.T) {
	_, address := device(t, ed)
	var leaves [][32]byte
	for n := 1; n <= 9; n++ {
		leaves = append(leaves, merkle.LeafHash(reading.LeafData(address, 0x10, 1, uint64(n), sign(t, ed, speed()))))
		for i := range leaves {
			root, err := proof.PathRoot(leaves[i], uint64(i), uint64(n), reading.Path(leaves, i))
			if err != nil || root != reading.Root(leaves) {
				t.Errorf("leaf %d of %d: %v", i, n, err)
			}
		}
	}
}
