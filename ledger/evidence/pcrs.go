package evidence

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// FormatPCRs writes a set of registers, bit n for PCR n, as tpm2_quote -l takes it: sha256:0,7; empty for none.
func FormatPCRs(set uint32) string {
	var b strings.Builder
	for separator := "sha256:"; set != 0; separator = "," {
		n := bits.TrailingZeros32(set)
		b.WriteString(separator + strconv.Itoa(n))
		set &^= 1 << n
	}
	return b.String()
}

// ParsePCRs reads what FormatPCRs writes, in any order. Code evidence.unsupported.
func ParsePCRs(text string) (uint32, error) {
	numbers, ok := strings.CutPrefix(text, "sha256:")
	set := uint32(0)
	for _, s := range strings.Split(numbers, ",") {
		n, err := strconv.ParseUint(s, 10, 8)
		ok = ok && err == nil && n < PCRs
		set |= 1 << (n % PCRs)
	}
	if !ok {
		return 0, fault.New("evidence.unsupported", fmt.Sprintf("%.40q: want registers 0 to %d of the SHA-256 bank, such as sha256:0,7.", text, PCRs-1), "pcrs", text)
	}
	return set, nil
}
