//go:build !amd64 || !gc || purego

package sha2

// extended stays false: there is nothing but crypto/sha256.
var extended bool

func node(_, _, _ *[32]byte) { panic("sha2: no extensions") }

func blocks(_ *[32]byte, _ *[2 * block]byte, _ int) { panic("sha2: no extensions") }
