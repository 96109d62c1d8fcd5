package reading

import (
	"encoding/binary"
	"fmt"

	"github.com/transparency-dev/merkle/compact"

	"github.com/dureledger/dure/ledger/merkle"
)

// LeafData is a leaf of an anchor: device ‖ verdict and reason ‖ level ‖ firmware (8, big endian) ‖ message. Verdict and reason
// are the byte of the Reported event, level and firmware that event's.
func LeafData(device [20]byte, verdict, level byte, firmware uint64, raw []byte) []byte {
	b := append(make([]byte, 0, 30+len(raw)), device[:]...)
	b = binary.BigEndian.AppendUint64(append(b, verdict, level), firmware)
	return append(b, raw...)
}

// Root is the RFC 6962 root over the hashes of leaves, in order, of which there is at least one.
func Root(leaves [][32]byte) [32]byte {
	tree := (&compact.RangeFactory{Hash: merkle.HashChildren}).NewEmptyRange(0)
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
