package mqtt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/tls"
	"errors"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// keyOf is the key whose possession the other side of a connection has shown.
func keyOf(state tls.ConnectionState) (tx.Key, error) {
	if len(state.PeerCertificates) == 0 {
		return tx.Key{}, errors.New("no certificate")
	}
	switch public := state.PeerCertificates[0].PublicKey.(type) {
	case ed25519.PublicKey:
		return tx.Key{Kind: accountv1.KeyKind_KEY_KIND_ED25519, Public: public}, nil
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return tx.Key{Kind: accountv1.KeyKind_KEY_KIND_P256, Public: elliptic.MarshalCompressed(public.Curve, public.X, public.Y)}, nil
		}
	}
	return tx.Key{}, fmt.Errorf("the certificate's key is %T; devices have Ed25519 or P-256 keys", state.PeerCertificates[0].PublicKey)
}
