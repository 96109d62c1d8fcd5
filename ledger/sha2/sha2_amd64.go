//go:build gc && !purego

package sha2

import "github.com/klauspost/cpuid/v2"

// extended says whether the processor has the instructions that the functions below use.
var extended = cpuid.CPU.Supports(cpuid.SHA, cpuid.SSE4, cpuid.SSSE3)

// node is Node.
//
//go:noescape
func node(out, left, right *[32]byte)

// blocks sets out to the digest of the message whose padded form is the first count blocks of padded; count is 1 or 2.
//
//go:noescape
func blocks(out *[32]byte, padded *[2 * block]byte, count int)
