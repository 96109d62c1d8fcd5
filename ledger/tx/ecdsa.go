package tx

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"

	"github.com/ethereum/go-ethereum/crypto"
)

// halfP256 is half the order of P-256, rounded down, big-endian.
var halfP256 = new(big.Int).Rsh(elliptic.P256().Params().N, 1).FillBytes(make([]byte, 32))

// verifyP256 checks an ECDSA signature r||s over the digest as the hash. Of the two signatures (r, s) and (r, -s) only
// the one with the lower s counts, so that nobody can make a second one from the first.
func verifyP256(public []byte, digest [32]byte, signature []byte) bool {
	if len(public) != 33 {
		return false
	}
	key, ok := parseP256(public)
	return ok && verifyP256Key(key, digest, signature)
}

// verifyP256Key is verifyP256 for a key that is unpacked.
func verifyP256Key(key *ecdsa.PublicKey, digest [32]byte, signature []byte) bool {
	if len(signature) != 64 || bytes.Compare(signature[32:], halfP256) > 0 {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return ecdsa.Verify(key, digest[:], r, s)
}

// parseP256 reads a compressed point of P-256; false if it is none.
func parseP256(public []byte) (*ecdsa.PublicKey, bool) {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), public)
	if x == nil {
		return nil, false
	}
	point := make([]byte, 65)
	point[0] = 4
	x.FillBytes(point[1:33])
	y.FillBytes(point[33:])
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	return key, err == nil
}

// compressP256 is the SEC 1 compressed form of a public key.
func compressP256(key *ecdsa.PublicKey) ([]byte, error) {
	point, err := key.Bytes() // 04, x, y
	if err != nil {
		return nil, err
	}
	return append([]byte{2 | point[64]&1}, point[1:33]...), nil
}

// verifySecp256k1 checks an ECDSA signature r||s over the digest as the hash, with low s.
func verifySecp256k1(public []byte, digest [32]byte, signature []byte) bool {
	return len(public) == 33 && crypto.VerifySignature(public, digest[:], signature)
}
