package sha2

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
)

// eachWay runs a test by the processor's extensions, where it has them, and by crypto/sha256 alone.
func eachWay(t *testing.T, test func(t *testing.T)) {
	has := extended
	defer func() { extended = has }()
	if has {
		t.Run("extended", test)
	}
	extended = false
	t.Run("crypto", test)
}

// contents are size bytes each: zeros, ones, and some that look like chance, the same in every run.
func contents(size int) [][]byte {
	out := [][]byte{make([]byte, size), bytes.Repeat([]byte{0xff}, size)}
	for seed := range byte(4) {
		var b []byte
		for block := uint32(0); len(b) < size; block++ {
			digest := sha256.Sum256(binary.BigEndian.AppendUint32([]byte{seed}, block))
			b = append(b, digest[:]...)
		}
		out = append(out, b[:size])
	}
	return out
}

// wantNode is what the standard library makes of a node.
func wantNode(left, right []byte) [32]byte {
	return sha256.Sum256(slices.Concat([]byte{1}, left, right))
}

// The examples of FIPS 180 for SHA-256 of one and of two blocks (csrc.nist.gov, "Examples with Intermediate Values"), and of nothing.
func TestVectors(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		for message, want := range map[string]string{
			"":    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		} {
			var got [32]byte
			if Sum(&got, []byte(message)); hex.EncodeToString(got[:]) != want {
				t.Errorf("%q: %x, want %s", message, got, want)
			}
		}
	})
}

// Every length up to beyond the short ones, wherever the message begins.
func TestSum(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		for size := range short + 2*block {
			for _, content := range contents(size) {
				for offset := range 17 {
					message := append(make([]byte, offset, offset+size), content...)[offset:]
					want := sha256.Sum256(message)
					var got [32]byte
					if Sum(&got, message); got != want {
						t.Fatalf("%x at %d: %x, want %x", content, offset, got, want)
					}
				}
			}
		}
	})
}

// A digest may be written over what it was made of.
func TestSumInPlace(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		for size := 32; size < short+block; size++ {
			message := contents(size)[2]
			want := sha256.Sum256(message)
			if Sum((*[32]byte)(message[size-32:]), message); [32]byte(message[size-32:]) != want {
				t.Errorf("%d bytes: %x, want %x", size, message[size-32:], want)
			}
		}
	})
}

// All pairs of contents, wherever the children and the digest lie.
func TestNode(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		for _, left := range contents(32) {
			for _, right := range contents(32) {
				want := wantNode(left, right)
				for offset := range 16 {
					room := make([]byte, 16+3*48)
					l, r, out := (*[32]byte)(room[offset:]), (*[32]byte)(room[48+offset/2:]), (*[32]byte)(room[96+15-offset:])
					copy(l[:], left)
					copy(r[:], right)
					if Node(out, l, r); *out != want {
						t.Fatalf("%x, %x at %d: %x, want %x", left, right, offset, *out, want)
					}
				}
			}
		}
	})
}

// Each byte of both children counts, at its place.
func TestNodeOfSingleBits(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		for bit := range 512 {
			var children [64]byte
			children[bit/8] = 1 << (bit % 8)
			want := wantNode(children[:32], children[32:])
			var got [32]byte
			if Node(&got, (*[32]byte)(children[:]), (*[32]byte)(children[32:])); got != want {
				t.Errorf("bit %d: %x, want %x", bit, got, want)
			}
		}
	})
}

// The digest may be written over a child, and the children may be one.
func TestNodeInPlace(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		content := contents(64)[2]
		left, right := [32]byte(content), [32]byte(content[32:])
		l, r, both := left, right, left
		Node(&l, &l, &right)
		Node(&r, &left, &r)
		Node(&both, &both, &both)
		if want := wantNode(left[:], right[:]); l != want || r != want {
			t.Errorf("over the left %x, over the right %x, want %x", l, r, want)
		}
		if want := wantNode(left[:], left[:]); both != want {
			t.Errorf("over both %x, want %x", both, want)
		}
	})
}

func TestLeavesNoGarbage(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		message, digest := make([]byte, short), new([32]byte)
		if n := testing.AllocsPerRun(100, func() { Sum(digest, message); Node(digest, digest, digest) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// FuzzSum hashes a message, and as many nodes of its bytes as there are, as crypto/sha256 does.
func FuzzSum(f *testing.F) {
	f.Add([]byte{})
	for _, size := range []int{55, 56, 64, 119, 120} {
		f.Add(contents(size)[2])
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		var got [32]byte
		if Sum(&got, message); got != sha256.Sum256(message) {
			t.Errorf("Sum of %x: %x", message, got)
		}
		for i := range max(len(message)-63, 0) {
			left, right := message[i:i+32], message[i+32:i+64]
			if Node(&got, (*[32]byte)(left), (*[32]byte)(right)); got != wantNode(left, right) {
				t.Errorf("Node of %x and %x: %x", left, right, got)
			}
		}
	})
}
