package sdjwt

import "testing"

// FuzzParse: whatever is read is bounded, written as it was read, and read again the same.
func FuzzParse(f *testing.F) {
	_, examples := vectors(f)
	for _, v := range examples {
		f.Add(v.SDJWT)
	}
	f.Add(bind(f, makeToken(f, issuerKey), "name").String())
	f.Fuzz(func(t *testing.T, text string) {
		token, err := Parse(text)
		if err != nil {
			return
		}
		if token.String() != text {
			t.Fatalf("%q is written as %q", text, token)
		}
		none, err := token.Select(func(Disclosure) bool { return false })
		if err != nil || len(none.Disclosures) != 0 {
			t.Fatalf("without disclosures: %v", err)
		}
		all, err := token.Select(func(Disclosure) bool { return true })
		if err != nil || len(all.Disclosures) != len(token.Disclosures) {
			t.Fatalf("with all disclosures: %v", err)
		}
	})
}
