package text_test

import (
	"strings"
	"testing"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
)

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name, s     string
		least, most int
		ok          bool
	}{
		{"plain", "rent, May", 1, 9, true},
		{"one byte too long", "rent, May!", 1, 9, false},
		{"bytes are counted, not letters", "두레", 1, 5, false},
		{"Korean", "두레", 1, 6, true},
		{"empty allowed", "", 0, 9, true},
		{"empty refused", "", 1, 9, false},
		{"not UTF-8", "a\xff", 0, 9, false},
		{"cut in a letter", "두"[:2], 0, 9, false},
		{"line feed", "a\nb", 0, 9, false},
		{"nul", "a\x00", 0, 9, false},
		{"C1 control", "a\u0085", 0, 9, false},
		{"right-to-left override", "fdp.\u202egpj", 0, 20, false},
		{"isolate", "a\u2066b", 0, 9, false},
		{"joined emoji", "👩‍🌾", 0, 20, true},
		{"Arabic", "اتفاق", 0, 20, true},
	} {
		err := text.Check("record.bad_text", "title", tc.s, tc.least, tc.most)
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil && (fault.Code(err) != "record.bad_text" || !strings.Contains(err.Error(), "title")) {
			t.Errorf("%s: refusal does not name code and field: %v", tc.name, err)
		}
	}
}
