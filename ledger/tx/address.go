package tx

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/sha3"
)

// Address names an account: 20 bytes, shown as 0x and 40 hex digits with EIP-55 capitals.
type Address [20]byte

// String is the EIP-55 form.
func (a Address) String() string {
	digits := []byte(hex.EncodeToString(a[:]))
	h := sha3.NewLegacyKeccak256()
	h.Write(digits)
	sum := h.Sum(nil)
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
// mistyped address is refused.
func ParseAddress(s string) (Address, error) {
	var a Address
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 40 {
		return a, fmt.Errorf("address %q: want 0x and 40 hex digits", s)
	}
	if _, err := hex.Decode(a[:], []byte(digits)); err != nil {
		return a, fmt.Errorf("address %q: want 0x and 40 hex digits", s)
	}
	if mixed := digits != strings.ToLower(digits) && digits != strings.ToUpper(digits); mixed && a.String() != s {
		return Address{}, fmt.Errorf("address %q: its capitals do not match (EIP-55); check for a typing mistake", s)
	}
	return a, nil
}

// ToAddress takes 20 bytes.
func ToAddress(b []byte) (Address, error) {
	if len(b) != 20 {
		return Address{}, errors.New("address: want 20 bytes")
	}
	return Address(b), nil
}
