// Package sha2 is SHA-256 (FIPS 180-4) of the short messages that Merkle trees hash: two digests, and what fits in two blocks. Of these
// crypto/sha256 spends 40 % on everything but the compression function.
//
// On amd64 processors with Intel's SHA extensions it uses these; elsewhere, or built with the tag purego, it is crypto/sha256.
// Both compute the same function of the message, which the standard fixes: what a processor has changes how long a hash takes, never a byte of it.
// So the package is as pure as crypto/sha256, which chooses by processor too. docs/decisions/105-own-short-hashes.md says why it is there.
package sha2
