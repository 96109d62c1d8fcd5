package tx

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// Address names an account: 20 bytes, shown as 0x and 40 hex digits with EIP-55 capitals.
type Address [20]byte

// String is the EIP-55 form.
func (a Address) String() string {
	digits := []byte(hex.EncodeToString(a[:]))
	sum := keccak256(digits)
	for i, c := range digits {
		nibble := sum[i/2] >> 4
		if i%2 == 1 {
			nibble = sum[i/2] & 15
		}
		if c >= 'a' && nibble >= 8 {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}

// ParseAddress reads 0x and 40 hex digits. Mixed-case input must carry the right EIP-55 capitals, so that a
// mistyped address is refused. Code address.malformed.
func ParseAddress(s string) (Address, error) {
	var a Address
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 40 {
		return Address{}, badAddress(s, "an address is 0x and 40 hex digits. Check that it was copied whole")
	}
	if _, err := hex.Decode(a[:], []byte(digits)); err != nil {
		return Address{}, badAddress(s, "an address is 0x and 40 hex digits. Check that it was copied whole")
	}
	if mixed := digits != strings.ToLower(digits) && digits != strings.ToUpper(digits); mixed && a.String() != s {
		return Address{}, badAddress(s, "its capitals do not match its digits (EIP-55). Check for a typing mistake")
	}
	return a, nil
}

// ToAddress takes 20 bytes. Code address.malformed.
func ToAddress(b []byte) (Address, error) {
	if len(b) != len(Address{}) {
		return Address{}, fault.New("address.malformed", fmt.Sprintf("An address is 20 bytes, this has %d. "+
			"Check that it was copied whole.", len(b)), "bytes", len(b))
	}
	return Address(b), nil
}

func badAddress(s, why string) error {
	return fault.New("address.malformed", fmt.Sprintf("%.64q is not an address: %s.", s, why), "address", s)
}
