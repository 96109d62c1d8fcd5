package proof

import (
	"crypto/sha256"
	"encoding/binary"

	rfcproof "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/dureledger/dure/ledger/fault"
)

// MaxPath is the most hashes an inclusion path can have: a log holds fewer than 2^64 leaves.
const MaxPath = 64

// HistoryRoot commits to the history log and its size:
// SHA-256("dure/history/v1\n" || size as 8 bytes big-endian || RFC 6962 root).
func HistoryRoot(size uint64, root [32]byte) [32]byte {
	b := binary.BigEndian.AppendUint64([]byte("dure/history/v1\n"), size)
	return sha256.Sum256(append(b, root[:]...))
}

// AppHash is what a header says about the blocks before it: SHA-256(state root || history root).
func AppHash(stateRoot, historyRoot [32]byte) [32]byte {
	return sha256.Sum256(append(stateRoot[:], historyRoot[:]...))
}

// PathRoot computes the RFC 6962 root of a log of size leaves from the leaf at index and its inclusion path, lowest
// sibling first. The path must have exactly the length that index and size ask for.
// Error code: proof.bad_path.
func PathRoot(leaf [32]byte, index, size uint64, path [][32]byte) ([32]byte, error) {
	siblings := make([][]byte, len(path))
	for i := range path {
		siblings[i] = path[i][:]
	}
	root, err := rfcproof.RootFromInclusionProof(rfc6962.DefaultHasher, index, size, leaf[:], siblings)
	if err != nil {
		return [32]byte{}, fault.New("proof.bad_path", "the path from the outcome to the history root does not fit the log: "+err.Error(),
			"index", index, "size", size, "path", len(path))
	}
	return [32]byte(root), nil
}

// CheckConsistency checks that the log of size leaves and root begins with the one of before leaves and rootBefore: a
// consistency proof of RFC 9162 section 2.1.4.
// Error code: proof.bad_consistency.
func CheckConsistency(before uint64, rootBefore [32]byte, size uint64, root [32]byte, path [][]byte) error {
	if err := rfcproof.VerifyConsistency(rfc6962.DefaultHasher, before, size, path, rootBefore[:], root[:]); err != nil {
		return fault.New("proof.bad_consistency", "it is not shown that the later history begins with the earlier one: "+err.Error(),
			"before", before, "size", size)
	}
	return nil
}
