// Package tx is pure and says what it is for.
package tx

import (
	"maps"
	"slices"
	"unsafe" //dure:unsafe only the size of a byte
)

// Decode takes bytes apart.
func Decode(raw []byte) (int, bool) { return len(raw), len(raw) < 10 }

// Width of a byte.
const Width = unsafe.Sizeof(byte(0))

// Sum adds what a map holds, in sorted order and in any.
func Sum(m map[string]int) (total int) {
	for _, k := range slices.Sorted(maps.Keys(m)) { //dure:sorted by Sorted
		total += m[k]
	}
	for _, n := range m { //dure:sorted a sum has no order
		total += n
	}
	for _, n := range []int{1, 2} {
		total += n
	}
	return total
}
