// Package text says which strings people may put on the ledger: bounded, readable and what they seem to be.
package text

import (
	"fmt"
	"unicode/utf8"

	"github.com/dureledger/dure/ledger/fault"
)

// Check refuses s, named field in the refusal, unless it is valid UTF-8 of least to most bytes without control
// characters, line breaks, or characters that reorder or hide text (a title must read the same to everyone).
// The refusal has the code given.
func Check(code, field, s string, least, most int) error {
	switch {
	case len(s) < least && least == 1:
		return fault.New(code, "The "+field+" is empty; it must say something.", "field", field)
	case len(s) < least || len(s) > most:
		return fault.New(code, fmt.Sprintf("The %s has %d bytes; it may have %d to %d.", field, len(s), least, most),
			"field", field, "bytes", len(s), "most", most)
	case !utf8.ValidString(s):
		return fault.New(code, "The "+field+" is not UTF-8 text.", "field", field)
	}
	for i, r := range s {
		if forbidden(r) {
			return fault.New(code, fmt.Sprintf("The %s has the character %U at byte %d: control characters, line breaks and "+
				"marks that reorder text are not allowed.", field, r, i), "field", field, "character", fmt.Sprintf("%U", r), "byte", i)
		}
	}
	return nil
}

// forbidden lists ranges itself, so that every binary agrees whatever Unicode tables it was built with.
func forbidden(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f: // C0, delete, C1
		return true
	case r == 0x2028, r == 0x2029: // line and paragraph separators
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidirectional embeddings, overrides and isolates
		return true
	case r == 0xfeff, r >= 0xfff9 && r <= 0xfffb: // byte order mark, interlinear annotation
		return true
	}
	return false
}
