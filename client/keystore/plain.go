package keystore

import (
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Format is how ExportPlain writes a secret.
type Format int

// The formats of ExportPlain.
const (
	// Hex is the 32 bytes of the secret as 64 hex digits and a line feed: what Import and most tools take.
	Hex Format = iota + 1
	// PEM is PKCS #8 (RFC 5958) in PEM, which OpenSSL reads: RFC 8410 for Ed25519, RFC 5915 for P-256 and secp256k1,
	// RFC 9881 (the seed alone) for ML-DSA-65.
	PEM
)

func plain(key tx.Key, secret []byte, format Format) ([]byte, error) {
	switch format {
	case Hex:
		return append(hex.AppendEncode(nil, secret), '\n'), nil
	case PEM:
		der, err := pkcs8(key, secret)
		if err != nil {
			return nil, fmt.Errorf("keystore: writing PEM: %w", err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
	return nil, fault.New("key.malformed", fmt.Sprintf("There is no export format %d. Use Hex or PEM.", format))
}

var (
	oidEd25519   = asn1.ObjectIdentifier{1, 3, 101, 112}
	oidMLDSA65   = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 18}
	oidEC        = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidP256      = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidSecp256k1 = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
)

// oneAsymmetricKey is RFC 5958's, version 1 (written 0).
type oneAsymmetricKey struct {
	Version    int
	Algorithm  algorithm
	PrivateKey []byte
}

type algorithm struct {
	OID   asn1.ObjectIdentifier
	Curve asn1.ObjectIdentifier `asn1:"optional"`
}

// ecPrivateKey is RFC 5915's, without the optional parts.
type ecPrivateKey struct {
	Version    int
	PrivateKey []byte
}

func pkcs8(key tx.Key, secret []byte) ([]byte, error) {
	var inner any
	var alg algorithm
	switch key.Kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		alg, inner = algorithm{OID: oidEd25519}, secret
	case accountv1.KeyKind_KEY_KIND_P256:
		alg, inner = algorithm{oidEC, oidP256}, ecPrivateKey{1, secret}
	case accountv1.KeyKind_KEY_KIND_SECP256K1:
		alg, inner = algorithm{oidEC, oidSecp256k1}, ecPrivateKey{1, secret}
	case accountv1.KeyKind_KEY_KIND_ML_DSA_65:
		// The choice "seed [0] OCTET STRING", implicitly tagged.
		alg, inner = algorithm{OID: oidMLDSA65}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: secret}
	default:
		return nil, fmt.Errorf("no form for a %s key", tx.KindName(key.Kind))
	}
	private, err := asn1.Marshal(inner)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(oneAsymmetricKey{Algorithm: alg, PrivateKey: private})
}
