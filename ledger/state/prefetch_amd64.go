//go:build gc && !purego

package state

import "unsafe" //dure:unsafe places in slabs are named to the processor

// prefetch asks the processor for the cache lines of n places of so many bytes each, which begin a line if they are more than one, and waits for none. A read would keep it from
// going on much sooner, as it has room for few instructions after one that waits.
//
//go:noescape
func prefetch(at *unsafe.Pointer, n, size int)
