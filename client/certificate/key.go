package certificate

import (
	"crypto/x509"
	"fmt"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Holder is the device that a certificate names, written as dure device show writes it, and its key. Code gateway.bad_certificate.
func Holder(certificate *x509.Certificate) (device tx.Address, key tx.Key, err error) {
	name := certificate.Subject.CommonName
	if device, err = tx.ParseAddress(name); err != nil || device.String() != name {
		return device, key, fault.New("gateway.bad_certificate", fmt.Sprintf("The certificate's common name is %q. It must be the device's address, as dure device show "+
			"writes it: dure device cert makes such a certificate.", name))
	}
	if key, err = tx.KeyOf(certificate.PublicKey); err != nil {
		return device, key, fault.New("gateway.bad_certificate", err.Error())
	}
	return device, key, nil
}
