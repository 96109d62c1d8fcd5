package state

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// lead is a key to be put in order: eight bytes of it, and where it is.
type lead struct {
	bytes uint64
	at    uint32
}

// inOrder returns where the keys of writes are, in order. The keys of a block have long prefixes in common and lie all over the memory. So what is compared
// is eight bytes of each, side by side, from where they are not all the same.
func inOrder(writes []write) []lead {
	leads := make([]lead, len(writes))
	for i := range leads {
		leads[i].at = uint32(i)
	}
	arrange(writes, leads, 0)
	return leads
}

// few is how many keys are compared as they are.
const few = 8

// arrange puts leads in order of their keys, which share their first skip bytes.
func arrange(writes []write, leads []lead, skip int) {
	whole := func(a, b lead) int { return strings.Compare(writes[a.at].key, writes[b.at].key) }
	if len(leads) <= few {
		slices.SortFunc(leads, whole)
		return
	}
	first := writes[leads[0].at].key
	shared := len(first)
	for _, l := range leads[1:] {
		shared = agree(first[:shared], writes[l.at].key, skip)
	}
	for i, l := range leads {
		leads[i].bytes = eight(writes[l.at].key[shared:])
	}
	slices.SortFunc(leads, func(a, b lead) int { return cmp.Compare(a.bytes, b.bytes) })
	for to := 0; to < len(leads); {
		from, ended := to, false
		for ; to < len(leads) && leads[to].bytes == leads[from].bytes; to++ {
			ended = ended || len(writes[leads[to].at].key) < shared+8
		}
		switch same := leads[from:to]; {
		case len(same) == 1:
		case ended: // a byte that is not there has counted as 0
			slices.SortFunc(same, whole)
		default:
			arrange(writes, same, shared+8)
		}
	}
}

// agree is how many bytes a and b begin with that are the same; the first skip are known to be.
func agree(a, b string, skip int) int {
	n := min(len(a), len(b))
	if a[skip:n] == b[skip:n] {
		return n
	}
	for skip < n && a[skip] == b[skip] {
		skip++
	}
	return skip
}

// eight is the first eight bytes of s as a number that orders like them, with zeros after its end.
func eight(s string) uint64 {
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}
