// Package merkle has the hashes of RFC 6962 logs (section 2.1), with SHA-256: of the history, and of a transaction's readings. Those of
// github.com/transparency-dev/merkle/rfc6962 are the same, and leave a buffer to the garbage collector for each.
package merkle

import (
	"crypto/sha256"
	"slices"

	"github.com/dureledger/dure/ledger/sha2"
)

// usual is what most leaves fit in, bytes: outcomes and readings.
const usual = 767

// LeafHash is the hash of a leaf: SHA-256(0x00 || data).
func LeafHash(data []byte) [32]byte {
	var buf [1 + usual]byte
	return sha256.Sum256(append(append(buf[:0], 0), data...))
}

// HashChildren is the hash of two subtrees: SHA-256(0x01 || left || right).
func HashChildren(left, right []byte) []byte {
	var sum [32]byte
	if len(left) == sha256.Size && len(right) == sha256.Size {
		sha2.Node(&sum, (*[32]byte)(left), (*[32]byte)(right))
	} else { // no hashes, which it is for others to refuse
		sum = sha256.Sum256(slices.Concat([]byte{1}, left, right))
	}
	return sum[:]
}
