//go:build !amd64 || !gc || purego

package state

import "unsafe" //dure:unsafe places in slabs are read as bytes

// prefetch reads a byte of each cache line of n places of so many bytes each.
func prefetch(at *unsafe.Pointer, n, size int) {
	var sum byte
	for _, p := range unsafe.Slice(at, n) {
		for off := 0; off < size; off += unit {
			sum += *(*byte)(unsafe.Add(p, off))
		}
	}
	look(sum)
}

// look takes what was read, so that no compiler leaves the reading out.
//
//go:noinline
func look(byte) {}
