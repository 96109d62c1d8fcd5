//go:build !linux

package main

// hugeHeap asks for nothing on systems that give huge pages by themselves, or not at all.
func hugeHeap() int { return 0 }
