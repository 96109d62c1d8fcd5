package main

import (
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Of the machine's memory so much, and no more than hugeMost, is asked for as huge pages: a fraction, as systems that promise no more memory than
// they have count it as taken.
const (
	hugeMost  = 1 << 30
	hugeShare = 8
	hugePage  = 2 << 20
)

// hugeHeap asks the system for huge pages under the first part of the heap, and returns the bytes of it. A node with many accounts reads its memory all over
// the place, and a page of 4 KiB costs as much as several hashes when it is touched for the first time, and something whenever the processor has forgotten where
// it is. The runtime asks for none by itself. Where the system gives none, all is as it was.
//
// The part is what one allocation gets, which is not touched and given back at once: what the system was told of it still holds when the runtime uses it.
func hugeHeap() int {
	var machine unix.Sysinfo_t
	if unix.Sysinfo(&machine) != nil {
		return 0
	}
	size := min(hugeMost, int(machine.Totalram)*int(machine.Unit)/hugeShare) / hugePage * hugePage
	part := make([]byte, size)
	err := unix.Madvise(part, unix.MADV_HUGEPAGE)
	runtime.KeepAlive(part)
	if err != nil {
		return 0
	}
	debug.FreeOSMemory()
	return size
}
