package state

// The shape of a page or bundle of n parts is said by the n-1 bits at which neighbours differ: the subtree of several
// parts is split where that bit is lowest. So it has n-1 inner nodes, of which the i-th stands between parts i and i+1.

// parts is what has such a shape and keeps the hashes of its parts and inner nodes.
type parts interface {
	leafHash(i int) *[32]byte
	innerHash(i int) *[32]byte
}

// split is where the subtree of parts lo to hi-1, at least two, is split: between part s and part s+1.
func split(bits []uint16, lo, hi int) (s int) {
	s = lo
	for i := lo + 1; i < hi-1; i++ {
		if bits[i] < bits[s] {
			s = i
		}
	}
	return s
}

// toward is the part that following key's bits leads to.
func toward(bits []uint16, key []byte) int {
	at, low := 0, uint16(pageBit)
	for i, d := range bits {
		// low is the lowest bit since the walk went left: what comes before a lower one is beside the way.
		switch {
		case d > low:
		case bitAt(key, d) == 0:
			low = d
		default:
			at, low = i+1, pageBit
		}
	}
	return at
}

// rehash brings the hashes of inner nodes above stale parts up to date, in the subtree of parts lo to hi-1, and returns the topmost.
func rehash[P parts](p P, bits []uint16, stale uint32, lo, hi int) *[32]byte {
	if hi-lo == 1 {
		return p.leafHash(lo)
	}
	s := split(bits, lo, hi)
	h := p.innerHash(s)
	if stale>>lo&(1<<(hi-lo)-1) != 0 {
		*h = hashInner(rehash(p, bits, stale, lo, s+1), rehash(p, bits, stale, s+1, hi))
	}
	return h
}

// subtreeHash is the hash of the subtree of parts lo to hi-1.
func subtreeHash[P parts](p P, bits []uint16, lo, hi int) *[32]byte {
	if hi-lo == 1 {
		return p.leafHash(lo)
	}
	return p.innerHash(split(bits, lo, hi))
}
