package state

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Keys with long prefixes in common, ends within the eight bytes that are compared, and zeros where others have ended.
func TestInOrder(t *testing.T) {
	part := rapid.OneOf(
		rapid.SampledFrom([]string{"", "\x00", "\x00\x00", "asset/balance/", "asset/balance/krw", strings.Repeat("\x00", 8), "12345678", "1234567"}),
		rapid.StringN(0, 3, 20))
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(part, 0, 4)
		set := map[string]bool{}
		for range rapid.IntRange(0, 120).Draw(t, "n") {
			set[strings.Join(parts.Draw(t, "key"), "")] = true
		}
		var writes []write
		var want []string
		for key := range set { //dure:sorted below
			writes, want = append(writes, write{key: key}), append(want, key)
		}
		slices.Sort(want)
		for i, l := range inOrder(writes) {
			if got := writes[l.at].key; got != want[i] {
				t.Fatalf("%q is key %d of %q", got, i, want)
			}
		}
	})
}
