package reading

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
)

// LeafData is a leaf of an anchor: device ‖ verdict and reason ‖ level ‖ firmware (8, big endian) ‖ message. Verdict and reason
// are the byte of the Reported event, level and firmware that event's.
func LeafData(device [20]byte, verdict, level byte, firmware uint64, raw []byte) []byte {
	b := append(make([]byte, 0, 30+len(raw)), device[:]...)
	b = binary.BigEndian.AppendUint64(append(b, verdict, level), firmware)
	return append(b, raw...)
}

// LeafHash is the hash of a leaf, SHA-256(00 ‖ data).
func LeafHash(data []byte) [32]byte {
	var buf [2 * usual]byte // most leaves fit: no memory for the garbage collector
	return sha256.Sum256(append(append(buf[:0], 0), data...))
}

// hashChildren is SHA-256(01 ‖ left ‖ right).
func hashChildren(left, right []byte) []byte {
	var buf [1 + 2*sha256.Size]byte
	sum := sha256.Sum256(append(append(append(buf[:0], 1), left...), right...))
	return sum[:]
}

// Root is the RFC 6962 root over the hashes of leaves, in order, of which there is at least one.
func Root(leaves [][32]byte) [32]byte {
	tree := (&compact.RangeFactory{Hash: hashChildren}).NewEmptyRange(0)
	for i := range leaves {
		if err := tree.Append(leaves[i][:], nil); err != nil {
			panic(fmt.Sprintf("reading: root: %v", err)) // a range from 0 takes any leaf
		}
	}
	root, err := tree.GetRootHash(nil)
	if err != nil {
		panic(fmt.Sprintf("reading: root: %v", err))
	}
	return [32]byte(root)
}

// Path is the RFC 6962 path from the leaf at index, which is below their number, to Root, lowest sibling first; proof.PathRoot checks it.
func Path(leaves [][32]byte, index int) [][32]byte {
	if len(leaves) <= 1 {
		return nil
	}
	half := 1
	for 2*half < len(leaves) {
		half *= 2
	}
	if index < half {
		return append(Path(leaves[:half], index), Root(leaves[half:]))
	}
	return append(Path(leaves[half:], index-half), Root(leaves[:half]))
}
