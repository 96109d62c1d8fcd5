package certificate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
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

// Holder is the device that a certificate names, written as dure device show writes it, and its key. Code gateway.bad_certificate.
func Holder(certificate *x509.Certificate) (device tx.Address, key tx.Key, err error) {
	name := certificate.Subject.CommonName
	if device, err = tx.ParseAddress(name); err != nil || device.String() != name {
		return device, key, fault.New("gateway.bad_certificate", fmt.Sprintf("The certificate's common name is %q. It must be the device's address, as dure device show "+
			"writes it: dure device cert makes such a certificate.", name))
	}
	if key, err = KeyOf(certificate); err != nil {
		return device, key, fault.New("gateway.bad_certificate", err.Error())
	}
	return device, key, nil
}
