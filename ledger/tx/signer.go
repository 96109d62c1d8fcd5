package tx

import (
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// SecretSize is the length in bytes of every secret NewSigner takes: an Ed25519 seed (RFC 8032), a P-256 or secp256k1
// scalar (big-endian), an ML-DSA-65 seed (FIPS 204's xi).
const SecretSize = 32

// NewSigner makes a signer from a secret of SecretSize bytes. Signing is deterministic for every kind: RFC 8032, RFC 6979,
// FIPS 204's deterministic variant. WebAuthn keys live in passkeys and have none. Code key.malformed.
func NewSigner(kind accountv1.KeyKind, secret []byte) (Signer, error) {
	switch kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		return NewEd25519Signer(secret)
	case accountv1.KeyKind_KEY_KIND_P256:
		return NewP256Signer(secret)
	case accountv1.KeyKind_KEY_KIND_SECP256K1:
		return NewSecp256k1Signer(secret)
	case accountv1.KeyKind_KEY_KIND_ML_DSA_65:
		return NewMLDSA65Signer(secret)
	}
	return nil, fault.New("key.malformed", "No "+KindName(kind)+" key can be kept in software. Use ed25519, p256, secp256k1 or "+
		"ml-dsa-65.", "kind", KindName(kind))
}

// NewSecret draws a secret for NewSigner from random, such as crypto/rand.Reader.
func NewSecret(kind accountv1.KeyKind, random io.Reader) ([]byte, error) {
	secret := make([]byte, SecretSize)
	var unfit error
	// Bytes out of the range of P-256's scalars come once in 2^32: then draw again.
	for range 3 {
		if _, err := io.ReadFull(random, secret); err != nil {
			return nil, fmt.Errorf("drawing a secret key: %w", err)
		}
		if _, unfit = NewSigner(kind, secret); unfit == nil {
			return secret, nil
		}
	}
	return nil, unfit
}

// softSigner signs with a function, so that its secret has no printable form.
type softSigner struct {
	key  Key
	sign func(digest [32]byte) ([]byte, error)
}

func (s *softSigner) Key() Key { return s.key }

func (s *softSigner) Sign(digest [32]byte) (*txv1.Witness, error) {
	signature, err := s.sign(digest)
	if err != nil {
		return nil, fmt.Errorf("signing with %s key: %w", KindName(s.key.Kind), err)
	}
	return &txv1.Witness{Kind: s.key.Kind, PublicKey: s.key.Public, Signature: signature}, nil
}

// String names the key, never the secret.
func (s *softSigner) String() string {
	return KindName(s.key.Kind) + " signer " + s.key.Address().String()
}

// GoString is String.
func (s *softSigner) GoString() string { return s.String() }

func checkSecret(kind accountv1.KeyKind, secret []byte) error {
	if len(secret) == SecretSize {
		return nil
	}
	return fault.New("key.malformed", fmt.Sprintf("A %s private key is %d bytes, this one has %d. Check that it was copied whole.",
		KindName(kind), SecretSize, len(secret)), "kind", KindName(kind), "bytes", len(secret))
}

func badScalar(kind accountv1.KeyKind) error {
	return fault.New("key.malformed", "The private key is no "+KindName(kind)+" scalar: it is zero or not below the order of the "+
		"curve. Check its kind, or make a new key.", "kind", KindName(kind))
}

// NewEd25519Signer takes the 32-byte seed of RFC 8032. Code key.malformed.
func NewEd25519Signer(seed []byte) (Signer, error) {
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if err := checkSecret(kind, seed); err != nil {
		return nil, err
	}
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	return &softSigner{Key{kind, public}, func(digest [32]byte) ([]byte, error) {
		return ed25519.Sign(private, digest[:]), nil
	}}, nil
}

// NewP256Signer takes the 32-byte big-endian scalar. Code key.malformed.
func NewP256Signer(scalar []byte) (Signer, error) {
	kind := accountv1.KeyKind_KEY_KIND_P256
	if err := checkSecret(kind, scalar); err != nil {
		return nil, err
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return nil, badScalar(kind)
	}
	public, err := compressP256(&private.PublicKey)
	if err != nil {
		return nil, badScalar(kind)
	}
	return &softSigner{Key{kind, public}, func(digest [32]byte) ([]byte, error) {
		// Without a source of randomness the standard library signs by RFC 6979.
		der, err := private.Sign(nil, digest[:], stdcrypto.SHA256)
		if err != nil {
			return nil, err
		}
		return CompactP256(der)
	}}, nil
}

// CompactP256 turns a P-256 signature from DER, as passkeys and secure elements give it, into the 64 bytes a
// witness carries: r||s with low s. Code tx.malformed.
func CompactP256(der []byte) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	n := elliptic.P256().Params().N
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) != 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.Cmp(n) >= 0 || sig.S.Cmp(n) >= 0 {
		return nil, fault.New("tx.malformed", "The signature is not a P-256 signature in DER. Pass it as the device gave it.")
	}
	if negated := new(big.Int).Sub(n, sig.S); negated.Cmp(sig.S) < 0 {
		sig.S = negated
	}
	out := make([]byte, 64)
	sig.R.FillBytes(out[:32])
	sig.S.FillBytes(out[32:])
	return out, nil
}

// NewSecp256k1Signer takes the 32-byte big-endian scalar, as Ethereum tools export it. Code key.malformed.
func NewSecp256k1Signer(scalar []byte) (Signer, error) {
	kind := accountv1.KeyKind_KEY_KIND_SECP256K1
	if err := checkSecret(kind, scalar); err != nil {
		return nil, err
	}
	private, err := crypto.ToECDSA(scalar)
	if err != nil {
		return nil, badScalar(kind)
	}
	return &softSigner{Key{kind, crypto.CompressPubkey(&private.PublicKey)}, func(digest [32]byte) ([]byte, error) {
		signature, err := crypto.Sign(digest[:], private)
		if err != nil {
			return nil, err
		}
		return signature[:64], nil // without the recovery byte
	}}, nil
}

// NewMLDSA65Signer takes the 32-byte seed of FIPS 204 key generation. Code key.malformed.
func NewMLDSA65Signer(seed []byte) (Signer, error) {
	kind := accountv1.KeyKind_KEY_KIND_ML_DSA_65
	if err := checkSecret(kind, seed); err != nil {
		return nil, err
	}
	public, private := mldsa65.NewKeyFromSeed((*[SecretSize]byte)(seed))
	return &softSigner{Key{kind, public.Bytes()}, func(digest [32]byte) ([]byte, error) {
		signature := make([]byte, mldsa65.SignatureSize)
		return signature, mldsa65.SignTo(private, digest[:], nil, false, signature)
	}}, nil
}
