//go:build linux || darwin

package sha2

import (
	"crypto/sha256"
	"os"
	"syscall"
	"testing"
)

// fenced is a page of memory between two that may be neither read nor written.
func fenced(t *testing.T) []byte {
	t.Helper()
	page := os.Getpagesize()
	all, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(all); err != nil {
			t.Error(err)
		}
	})
	for _, fence := range [][]byte{all[:page], all[2*page:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return all[page : 2*page]
}

// Nothing beyond the arguments is read or written: a byte further the processor stops the test.
func TestStaysInBounds(t *testing.T) {
	page := fenced(t)
	end := len(page)
	copy(page, contents(end)[2])
	eachWay(t, func(t *testing.T) {
		for size := range short + block {
			for _, message := range [][]byte{page[:size], page[end-size:]} {
				var got [32]byte
				if Sum(&got, message); got != sha256.Sum256(message) {
					t.Errorf("Sum of %d bytes: %x", size, got)
				}
			}
		}
		first, last := (*[32]byte)(page), (*[32]byte)(page[end-32:])
		for _, c := range []struct{ out, left, right *[32]byte }{
			{new([32]byte), first, last}, {new([32]byte), last, first}, {first, first, last}, {last, first, last},
		} {
			want := wantNode(c.left[:], c.right[:])
			if Node(c.out, c.left, c.right); *c.out != want {
				t.Errorf("Node: %x, want %x", *c.out, want)
			}
		}
	})
}

// The padded blocks are read to their end and no further.
func TestBlocksStayInBounds(t *testing.T) {
	if !extended {
		return // there are no blocks
	}
	page := fenced(t)
	for _, at := range []int{0, len(page) - 2*block} {
		padded := (*[2 * block]byte)(page[at:])
		for count := 1; count <= 2; count++ {
			size := count*block - 9
			copy(padded[:], contents(size)[2])
			padded[size] = 0x80
			padded[count*block-2], padded[count*block-1] = byte(size*8>>8), byte(size*8)
			var got [32]byte
			if blocks(&got, padded, count); got != sha256.Sum256(contents(size)[2]) {
				t.Errorf("%d blocks: %x", count, got)
			}
		}
	}
}
