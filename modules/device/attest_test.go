package device_test

import (
	"crypto/sha256"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
)

// attest is evidence of the first start with an image.
func attest(nonce []byte, image string) *txv1.Action_DeviceAttest {
	digest := sha256.Sum256([]byte(image))
	return &txv1.Action_DeviceAttest{DeviceAttest: &devicev1.Attest{Nonce: nonce, Boot: 1, Firmware: digest[:]}}
}
