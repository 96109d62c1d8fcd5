package reading

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// MaxDecimals is the most digits after the point that a value may have.
const MaxDecimals = 9

// Decimal is Mantissa · 10^Exponent, exact. Exponent is -9 to 0, and a Mantissa with a negative Exponent does not end in 0, so that equal
// numbers are equal structs. NewDecimal and ParseDecimal make none but such.
type Decimal struct {
	Mantissa int64
	Exponent int
}

// NewDecimal is mantissa · 10^exponent, without digits that say nothing. Code reading.bad_value if the exponent is
// above 0, or below -9 for want of zeros to drop.
func NewDecimal(mantissa int64, exponent int) (Decimal, error) {
	if mantissa == 0 {
		return Decimal{}, nil
	}
	for exponent < 0 && mantissa%10 == 0 {
		mantissa, exponent = mantissa/10, exponent+1
	}
	if exponent > 0 || exponent < -MaxDecimals {
		return Decimal{}, badValue(fmt.Sprintf("%de%d", mantissa, exponent))
	}
	return Decimal{mantissa, exponent}, nil
}

// ParseDecimal reads a number such as 12, -0.5 or 12.50: digits, a point among them if there is one, and a minus before. Code reading.bad_value.
func ParseDecimal(s string) (Decimal, error) {
	whole, fraction, point := strings.Cut(s, ".")
	digits := strings.TrimPrefix(whole, "-")
	if digits == "" || point && fraction == "" || len(s) > 64 || strings.Trim(digits+fraction, "0123456789") != "" {
		return Decimal{}, badValue(s)
	}
	fraction = strings.TrimRight(fraction, "0")
	mantissa, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return Decimal{}, badValue(s)
	}
	return NewDecimal(mantissa, -len(fraction))
}

func badValue(s string) error {
	return fault.New("reading.bad_value", fmt.Sprintf("%.40q is no value of a reading: it is a decimal number with at most %d digits after the point, "+
		"that fits in 64 bits without it.", s, MaxDecimals), "value", s)
}

// String writes the number with as many digits as it has, such as -0.5.
func (d Decimal) String() string { return FormatUnits(d.Mantissa, -d.Exponent) }

// FormatUnits writes a whole number of 10^-decimals with all digits after the point, such as 1250 of 2 as 12.50.
func FormatUnits(units int64, decimals int) string {
	s := strconv.FormatInt(units, 10)
	if decimals <= 0 {
		return s
	}
	digits, minus := strings.CutPrefix(s, "-")
	if short := decimals + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	s = digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:]
	if minus {
		s = "-" + s
	}
	return s
}

// Units is the number as a whole number of 10^-decimals, exact. Codes reading.too_precise if it has more digits after the point,
// reading.overflow if that number does not fit in 64 bits.
func (d Decimal) Units(decimals int) (int64, error) {
	shift := decimals + d.Exponent
	if shift < 0 {
		return 0, fault.New("reading.too_precise", fmt.Sprintf("%s has %d digits after the point; %d are allowed.", d, -d.Exponent, decimals),
			"value", d, "decimals", decimals)
	}
	magnitude := uint64(d.Mantissa)
	if d.Mantissa < 0 {
		magnitude = -magnitude
	}
	limit := uint64(math.MaxInt64)
	if d.Mantissa < 0 {
		limit++
	}
	for range shift {
		high, low := bits.Mul64(magnitude, 10)
		if high != 0 || low > limit {
			return 0, fault.New("reading.overflow", fmt.Sprintf("%s is beyond 64 bits with %d digits after the point.", d, decimals),
				"value", d, "decimals", decimals)
		}
		magnitude = low
	}
	if d.Mantissa < 0 {
		return int64(-magnitude), nil
	}
	return int64(magnitude), nil
}
