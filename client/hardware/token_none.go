//go:build !cgo

package hardware

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
)

func openToken(Reference, func() (string, error)) (*Key, error) { return nil, noTokens() }

func makeInToken(Reference, accountv1.KeyKind, func() (string, error)) (*Key, error) {
	return nil, noTokens()
}

func noTokens() error {
	return fault.New("key.unsupported", "This program was built without cgo and so without PKCS#11, whose modules are C libraries. Take one that was built with "+
		"CGO_ENABLED=1, or a key in a TPM, a file or the keystore.")
}
