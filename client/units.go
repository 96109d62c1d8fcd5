package client

import (
	"fmt"
	"strings"

	"github.com/dureledger/dure/ledger/tx"
)

// ParseUnits turns an amount as people write it, such as "1,250.50", into the decimal string of the smallest unit
// of an asset with that many decimals. A comma or a space may group thousands before the point if every group has
// three digits; anything that could be read two ways, a sign, or more decimals than the asset has, is refused.
func ParseUnits(text string, decimals uint32) (string, error) {
	text = strings.TrimSpace(text)
	whole, fraction, pointed := strings.Cut(text, ".")
	// Where a comma is the decimal point, 1,250 is one and a quarter.
	if !pointed && decimals >= 3 && strings.Count(whole, ",") == 1 {
		return "", fmt.Errorf("amount %q could be read in two ways; write it without the comma, or with a point", text)
	}
	digits, err := ungroup(whole)
	if err != nil {
		return "", fmt.Errorf("amount %q: %w", text, err)
	}
	if pointed && (fraction == "" || !allDigits(fraction)) {
		return "", fmt.Errorf("amount %q: want digits after the point", text)
	}
	if rest := strings.TrimRight(fraction, "0"); uint32(len(rest)) > decimals {
		return "", fmt.Errorf("amount %q: the asset has %d decimals, this has %d", text, decimals, len(rest))
	}
	if uint32(len(fraction)) > decimals {
		fraction = fraction[:decimals]
	}
	units := digits + fraction + strings.Repeat("0", int(decimals)-len(fraction))
	if units = strings.TrimLeft(units, "0"); units == "" {
		units = "0"
	}
	if _, err := tx.ParseAmount(units); err != nil {
		return "", fmt.Errorf("amount %q: %w", text, err)
	}
	return units, nil
}

// ungroup removes thousands separators.
func ungroup(whole string) (string, error) {
	for _, separator := range []string{",", " ", "_", "'"} {
		if !strings.Contains(whole, separator) {
			continue
		}
		groups := strings.Split(whole, separator)
		for i, group := range groups {
			if !allDigits(group) || (i == 0 && len(group) > 3) || (i > 0 && len(group) != 3) {
				return "", fmt.Errorf("%q does not group thousands here; write a point for decimals", separator)
			}
		}
		return strings.Join(groups, ""), nil
	}
	if !allDigits(whole) {
		return "", fmt.Errorf("want digits, such as 12 or 12.50")
	}
	return whole, nil
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// FormatUnits shows an amount of smallest units with its point and thousands separators, such as "1,250.50".
// What is not a plain number comes back as it is.
func FormatUnits(units string, decimals uint32) string {
	if !allDigits(units) || decimals > 77 {
		return units
	}
	n := int(decimals)
	if len(units) <= n {
		units = strings.Repeat("0", n-len(units)+1) + units
	}
	whole, fraction := units[:len(units)-n], units[len(units)-n:]
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if n > 0 {
		b.WriteString("." + fraction)
	}
	return b.String()
}
