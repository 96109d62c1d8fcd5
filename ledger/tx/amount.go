package tx

import (
	"fmt"
	"strings"

	"github.com/holiman/uint256"

	"github.com/dureledger/dure/ledger/fault"
)

// maxAmountDigits is the length of 2^128 - 1 in decimal.
const maxAmountDigits = 39

// MaxDecimals is the most digits after the point an asset may show.
const MaxDecimals = 18

// ParseAmount reads an amount of smallest units in its one form: decimal digits without sign, spaces or leading
// zeros, below 2^128; "0" is zero. Codes amount.malformed, amount.too_large.
func ParseAmount(s string) (uint256.Int, error) {
	var v uint256.Int
	if s == "" || s[0] == '0' && s != "0" || !allDigits(s) {
		return v, malformedAmount(s, "it must be decimal digits alone, without sign, point or leading zeros")
	}
	if len(s) > maxAmountDigits {
		return v, tooLarge(s)
	}
	if err := v.SetFromDecimal(s); err != nil || v.BitLen() > 128 {
		return uint256.Int{}, tooLarge(s)
	}
	return v, nil
}

// FormatAmount is the form ParseAmount reads.
func FormatAmount(amount uint256.Int) string { return amount.Dec() }

// ParseUnits reads an amount as people write it, such as 12.50 for an asset shown with 2 decimals, in smallest units
// (1250). A point is the only separator; there may be fewer digits after it than decimals, never more.
// Codes amount.malformed, amount.too_large.
func ParseUnits(s string, decimals uint32) (uint256.Int, error) {
	if decimals > MaxDecimals {
		return uint256.Int{}, malformedAmount(s, fmt.Sprintf("the asset has %d decimals, more than %d", decimals, MaxDecimals))
	}
	whole, fraction, point := strings.Cut(s, ".")
	switch {
	case !allDigits(whole) || whole == "" || whole[0] == '0' && whole != "0":
		return uint256.Int{}, malformedAmount(s, "write it like 12 or 12.50, with a point and no other signs")
	case point && (fraction == "" || !allDigits(fraction)):
		return uint256.Int{}, malformedAmount(s, "digits must follow the point")
	case len(fraction) > int(decimals):
		return uint256.Int{}, malformedAmount(s, fmt.Sprintf("the asset has %d digits after the point, no more", decimals))
	}
	digits := strings.TrimLeft(whole+fraction+strings.Repeat("0", int(decimals)-len(fraction)), "0")
	if digits == "" {
		digits = "0"
	}
	return ParseAmount(digits)
}

// FormatUnits shows an amount of smallest units to people with all its decimals: 1250 at 2 decimals is 12.50.
func FormatUnits(amount uint256.Int, decimals uint32) string {
	s := amount.Dec()
	if decimals == 0 {
		return s
	}
	if missing := int(decimals) + 1 - len(s); missing > 0 {
		s = strings.Repeat("0", missing) + s
	}
	return s[:len(s)-int(decimals)] + "." + s[len(s)-int(decimals):]
}

// ShowUnits is FormatUnits with thousands apart: 1,250.00.
func ShowUnits(amount uint256.Int, decimals uint32) string {
	whole, fraction, point := strings.Cut(FormatUnits(amount, decimals), ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if point {
		b.WriteString("." + fraction)
	}
	return b.String()
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func malformedAmount(s, why string) error {
	return fault.New("amount.malformed", fmt.Sprintf("%.64q is not an amount: %s.", s, why), "amount", s)
}

func tooLarge(s string) error {
	return fault.New("amount.too_large", fmt.Sprintf("The amount %.64s is too large: amounts are below 2^128. Use a smaller one.", s),
		"amount", s)
}
