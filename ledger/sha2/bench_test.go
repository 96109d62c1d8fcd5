package sha2_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/dureledger/dure/ledger/sha2"
)

// BenchmarkNode hashes a chain of nodes, as a way in a tree is: each waits for the one before.
func BenchmarkNode(b *testing.B) {
	var left, right [32]byte
	b.Run("here", func(b *testing.B) {
		for b.Loop() {
			sha2.Node(&left, &left, &right)
		}
	})
	b.Run("crypto", func(b *testing.B) {
		var message [65]byte
		for b.Loop() {
			digest := sha256.Sum256(message[:])
			copy(message[1:], digest[:])
		}
	})
}

// BenchmarkSum hashes messages that are a value, a leaf, and the longest short one.
func BenchmarkSum(b *testing.B) {
	for _, size := range []int{16, 77, 119} {
		message := make([]byte, size)
		b.Run(fmt.Sprintf("here/%d", size), func(b *testing.B) {
			var digest [32]byte
			for b.Loop() {
				sha2.Sum(&digest, message)
				copy(message, digest[:])
			}
		})
		b.Run(fmt.Sprintf("crypto/%d", size), func(b *testing.B) {
			for b.Loop() {
				digest := sha256.Sum256(message)
				copy(message, digest[:])
			}
		})
	}
}
