package sha2

import (
	"crypto/sha256"
	"encoding/binary"
)

// nodePrefix begins the message of an inner node (RFC 6962, section 2.1).
const nodePrefix = 0x01

const (
	block = sha256.BlockSize
	// short is the longest message that fits in two blocks with what ends it: a byte 0x80 and its length in 8 bytes.
	short = 2*block - 9
)

// Node sets out to SHA-256(0x01 || left || right), the hash of an inner node as in RFC 6962, section 2.1. out may be left or right.
func Node(out, left, right *[32]byte) {
	if extended {
		node(out, left, right)
		return
	}
	var buf [1 + 2*sha256.Size]byte
	buf[0] = nodePrefix
	copy(buf[1:], left[:])
	copy(buf[1+sha256.Size:], right[:])
	*out = sha256.Sum256(buf[:])
}

// Sum sets out to SHA-256(message). Messages of at most 119 bytes are what it is for; longer ones are left to crypto/sha256.
// out may lie in the message.
func Sum(out *[32]byte, message []byte) {
	if !extended || len(message) > short {
		*out = sha256.Sum256(message)
		return
	}
	var padded [2 * block]byte
	n := copy(padded[:], message)
	padded[n] = 0x80
	count := 1
	if n > block-9 {
		count = 2
	}
	binary.BigEndian.PutUint64(padded[count*block-8:], uint64(n)*8)
	blocks(out, &padded, count)
}
