//go:build gc && !purego

package state

import "unsafe" //dure:unsafe places in slabs are written by assembly

// stream copies whole units, as many as size bytes begin, to a place that begins one. All but the first go past the processor's caches, which need not get first what is
// overwritten, nor forget something else for it. What others read of them waits for streamed.
//
//go:noescape
func stream(to, from unsafe.Pointer, size int)

// streamed has all that was streamed be there for other processors before what is written afterwards.
func streamed()
