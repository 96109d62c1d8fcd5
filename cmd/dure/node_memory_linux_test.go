package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestHugeHeap sees in the kernel's own table that huge pages are asked for under the heap, and that asking takes no memory.
func TestHugeHeap(t *testing.T) {
	before := resident(t)
	size := hugeHeap()
	if size == 0 {
		if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err == nil {
			t.Fatal("the system has huge pages and is not asked for any")
		}
		return
	}
	if grown := resident(t) - before; grown > size/4 {
		t.Errorf("asking for %d MiB took %d MiB", size>>20, grown>>20)
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	advised := 0
	for _, m := range regexp.MustCompile(`(?m)^([0-9a-f]+)-([0-9a-f]+) rw(?:.*\n[A-Z].*)*?\nVmFlags:.* hg\b`).FindAllSubmatch(maps, -1) {
		from, _ := strconv.ParseUint(string(m[1]), 16, 64)
		to, _ := strconv.ParseUint(string(m[2]), 16, 64)
		advised += int(to - from)
	}
	if advised < size {
		t.Errorf("%d MiB are advised, want %d", advised>>20, size>>20)
	}
}

// resident is how many bytes of memory this process has.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	kib, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
