package tx_test

import (
	"strings"
	"testing"

	"github.com/holiman/uint256"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const most = "340282366920938463463374607431768211455" // 2^128 - 1

func TestAmount(t *testing.T) {
	for s, code := range map[string]string{
		"0": "", "1": "", "12500": "", most: "",
		"340282366920938463463374607431768211456": "amount.too_large",
		"999999999999999999999999999999999999999": "amount.too_large",
		"1" + strings.Repeat("0", 39):             "amount.too_large",
		strings.Repeat("9", 10_000):               "amount.too_large",
		"":                                        "amount.malformed", "00": "amount.malformed", "01": "amount.malformed", "-1": "amount.malformed",
		"+1": "amount.malformed", " 1": "amount.malformed", "1 ": "amount.malformed", "1.0": "amount.malformed",
		"1e3": "amount.malformed", "0x10": "amount.malformed", "1_000": "amount.malformed", "१": "amount.malformed",
	} {
		v, err := tx.ParseAmount(s)
		if fault.Code(err) != code {
			t.Errorf("%.50q: %v, want %q", s, err, code)
		}
		if err == nil && tx.FormatAmount(v) != s {
			t.Errorf("%s came back as %s", s, tx.FormatAmount(v))
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals uint32
		want     string // smallest units
		shown    string
	}{
		{"12.50", 2, "1250", "12.50"}, {"12.5", 2, "1250", "12.50"}, {"12", 2, "1200", "12.00"}, {"0.05", 2, "5", "0.05"},
		{"0", 2, "0", "0.00"}, {"0.00", 2, "0", "0.00"}, {"7", 0, "7", "7"}, {"0.000000000000000001", 18, "1", "0.000000000000000001"},
		{most[:21] + "." + most[21:], 18, most, most[:21] + "." + most[21:]},
	} {
		v, err := tx.ParseUnits(c.text, c.decimals)
		if err != nil || tx.FormatAmount(v) != c.want || tx.FormatUnits(v, c.decimals) != c.shown {
			t.Errorf("%s at %d: %s, shown %s: %v", c.text, c.decimals, tx.FormatAmount(v), tx.FormatUnits(v, c.decimals), err)
		}
	}
	for _, c := range []struct {
		text     string
		decimals uint32
		code     string
	}{
		{"12.505", 2, "amount.malformed"}, {"12.", 2, "amount.malformed"}, {".5", 2, "amount.malformed"}, {"", 2, "amount.malformed"},
		{"1,5", 2, "amount.malformed"}, {"1.2.3", 4, "amount.malformed"}, {"-1", 2, "amount.malformed"}, {"01", 2, "amount.malformed"},
		{"1.0", 0, "amount.malformed"}, {"1", 19, "amount.malformed"}, {most, 1, "amount.too_large"},
	} {
		if _, err := tx.ParseUnits(c.text, c.decimals); fault.Code(err) != c.code {
			t.Errorf("%s at %d: %v", c.text, c.decimals, err)
		}
	}
}

func TestFormatUnitsOfEverySize(t *testing.T) {
	for d := range uint32(tx.MaxDecimals + 1) {
		for _, n := range []uint64{0, 1, 9, 10, 12345, 1e18} {
			v := *uint256.NewInt(n)
			if back, err := tx.ParseUnits(tx.FormatUnits(v, d), d); err != nil || back != v {
				t.Errorf("%d at %d became %s: %v", n, d, tx.FormatUnits(v, d), err)
			}
		}
	}
}
