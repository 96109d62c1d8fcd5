// Package hardware signs with keys that never leave the chip they are in: a TPM 2.0, or a token that is reached by PKCS#11, such as a secure
// element, a smart card or a security module. Where a key is says a URI, and whoever uses the key need not know more:
//
//	key, err := hardware.Open("tpm:0x81010005?device=/dev/tpmrm0", nil)
//	key, err := hardware.Open("pkcs11:token=meter;object=key-1?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/meter/pin", nil)
//	key, err := hardware.Open("/etc/meter/key.pem", nil)
//	defer key.Close()
//
// The last is a key in a file, PKCS #8 in PEM, for things that have no such chip. A Key is a crypto.Signer, which signs readings and evidence and
// is the key of a TLS certificate (device.Certificate); Signer makes it a tx.Signer, which signs transactions. Two kinds can be had:
//
//   - P-256, in TPMs and with PKCS#11.
//   - Ed25519 with PKCS#11, where the token has CKM_EDDSA. TPMs have none. Cosigning checkpoints takes Ed25519, so a device whose key is
//     in a TPM is no outside witness.
//
// Every signature is verified before it is given out, so that a chip that fails is found here. A PIN that was wrong is not tried again, as tokens
// lock after some: the Key is of no use then. PKCS#11 modules are C libraries: programs that are built without cgo have no PKCS#11 and say so.
//
// Refusals are *fault.Error with codes key.bad_uri, key.no_pin, key.wrong_pin, key.pin_locked, key.unreachable (no module, token or TPM),
// key.not_found, key.ambiguous, key.exists, key.unsupported (kind, or this build), key.hardware_failed.
package hardware
