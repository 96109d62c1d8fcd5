package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/dureledger/dure/ledger/sha2"
)

// Leaves of all lengths of keys, and values beside the ends of blocks, hash as the format says.
func TestHashLeaf(t *testing.T) {
	for _, size := range []int{1, 16, 55, 56, 64, 119, 120, 1000} {
		value := bytes.Repeat([]byte{0xa5}, size)
		digest := sha256.Sum256(value)
		for n := 1; n <= MaxKey; n++ {
			key := bytes.Repeat([]byte{byte(n)}, n)
			message := slices.Concat([]byte{0}, binary.AppendUvarint(nil, uint64(n)), key, []byte{32}, digest[:])
			if got := hashLeaf(key, value); got != sha256.Sum256(message) {
				t.Errorf("key of %d bytes, value of %d: %x", n, size, got)
			}
		}
	}
}

func TestHashesLeaveNoGarbage(t *testing.T) {
	key, value := make([]byte, 80), make([]byte, 80)
	var leaf [32]byte
	if n := testing.AllocsPerRun(100, func() { leaf = hashLeaf(key, value); sha2.Node(&leaf, &leaf, &leaf) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
