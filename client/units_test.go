package client_test

import (
	"strings"
	"testing"

	"github.com/dureledger/dure/client"
)

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals uint32
		want     string // "": refused
	}{
		{"12", 0, "12"}, {"12.50", 2, "1250"}, {"0.05", 2, "5"}, {" 7 ", 2, "700"}, {"1,250", 0, "1250"}, {"1,250", 2, "125000"},
		{"1,250", 3, ""}, {"1,250.000", 3, "1250000"}, {"1,250,000", 6, "1250000000000"}, {"12,50", 2, ""}, {"1,25,000", 0, ""},
		{"1 250 000", 0, "1250000"}, {"1'000", 0, "1000"}, {"1_000", 0, "1000"}, {"0001", 0, "1"}, {"12.5", 0, ""}, {"12.0", 0, "12"},
		{"12.345", 2, ""}, {"12.340", 2, "1234"}, {"-1", 0, ""}, {"+1", 0, ""}, {"", 0, ""}, {".5", 2, ""}, {"5.", 2, ""}, {"1e3", 0, ""},
		{"0x10", 0, ""}, {"1.2.3", 2, ""}, {"１２", 0, ""}, {"0", 2, "0"}, {"340282366920938463463374607431768211455", 0, "340282366920938463463374607431768211455"},
		{"340282366920938463463374607431768211456", 0, ""}, {"1,2 3", 0, ""},
	} {
		got, err := client.ParseUnits(c.text, c.decimals)
		if (err == nil) != (c.want != "") || err == nil && got != c.want {
			t.Errorf("%q with %d decimals: %q, %v; want %q", c.text, c.decimals, got, err, c.want)
		}
	}
	for _, c := range []struct {
		units    string
		decimals uint32
		want     string
	}{{"0", 0, "0"}, {"5", 2, "0.05"}, {"125050", 2, "1,250.50"}, {"1000000", 0, "1,000,000"}, {"999", 3, "0.999"}, {"x", 2, "x"}} {
		if got := client.FormatUnits(c.units, c.decimals); got != c.want {
			t.Errorf("%s with %d decimals: %q, want %q", c.units, c.decimals, got, c.want)
		}
	}
}

func FuzzUnits(f *testing.F) {
	f.Add("1,250.50", uint32(2))
	f.Add("12", uint32(0))
	f.Fuzz(func(t *testing.T, text string, decimals uint32) {
		decimals %= 19
		units, err := client.ParseUnits(text, decimals)
		if err != nil {
			return
		}
		back, err := client.ParseUnits(client.FormatUnits(units, decimals), decimals)
		if shown := client.FormatUnits(units, decimals); err != nil && !strings.Contains(err.Error(), "two ways") || err == nil && back != units {
			t.Errorf("%q is %s, shown as %s, read back as %s, %v", text, units, shown, back, err)
		}
	})
}
