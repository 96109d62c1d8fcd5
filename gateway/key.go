package gateway

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// KeyOf is the key of a certificate, whose possession the other side of a connection has shown. Who signed it does not matter: the ledger
// says whose key it is, no authority.
func KeyOf(certificate *x509.Certificate) (tx.Key, error) {
	switch public := certificate.PublicKey.(type) {
	case ed25519.PublicKey:
		return tx.Key{Kind: accountv1.KeyKind_KEY_KIND_ED25519, Public: public}, nil
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return tx.Key{Kind: accountv1.KeyKind_KEY_KIND_P256, Public: elliptic.MarshalCompressed(public.Curve, public.X, public.Y)}, nil
		}
	}
	return tx.Key{}, fmt.Errorf("the certificate's key is %T; devices have Ed25519 or P-256 keys", certificate.PublicKey)
}
