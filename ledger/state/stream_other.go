//go:build !amd64 || !gc || purego

package state

import "unsafe" //dure:unsafe places in slabs are written as bytes

// stream copies whole units, as many as size bytes begin.
func stream(to, from unsafe.Pointer, size int) {
	size = (size + unit - 1) / unit * unit
	copy(unsafe.Slice((*byte)(to), size), unsafe.Slice((*byte)(from), size))
}

func streamed() {}
