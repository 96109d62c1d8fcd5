package tx

import "github.com/cloudflare/circl/sign/mldsa/mldsa65"

// PreparedMLDSA65 is an ML-DSA-65 public key unpacked: its matrix is computed from 32 bytes of it, which takes three quarters of the
// time of checking one signature. It takes 38 KiB.
type PreparedMLDSA65 = mldsa65.PublicKey

// PrepareMLDSA65 unpacks a public key, nil if it is none.
func PrepareMLDSA65(public []byte) *PreparedMLDSA65 {
	if len(public) != mldsa65.PublicKeySize {
		return nil
	}
	key := new(PreparedMLDSA65)
	key.Unpack((*[mldsa65.PublicKeySize]byte)(public))
	return key
}

// verifyMLDSA65 checks a FIPS 204 ML-DSA-65 signature (pure, empty context) over the digest as the message. key is the public key
// if the caller has it unpacked, or nil.
func verifyMLDSA65(key *PreparedMLDSA65, public []byte, digest [32]byte, signature []byte) bool {
	if key == nil {
		key = PrepareMLDSA65(public)
	}
	return key != nil && len(signature) == mldsa65.SignatureSize && mldsa65.Verify(key, digest[:], nil, signature)
}
