package tx

import "github.com/cloudflare/circl/sign/mldsa/mldsa65"

// verifyMLDSA65 checks a FIPS 204 ML-DSA-65 signature (pure, empty context) over the digest as the message.
func verifyMLDSA65(public []byte, digest [32]byte, signature []byte) bool {
	if len(public) != mldsa65.PublicKeySize || len(signature) != mldsa65.SignatureSize {
		return false
	}
	var key mldsa65.PublicKey
	key.Unpack((*[mldsa65.PublicKeySize]byte)(public))
	return mldsa65.Verify(&key, digest[:], nil, signature)
}
