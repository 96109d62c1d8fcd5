// Package keystore keeps private keys in a folder, each in a file of its own, encrypted with a passphrase.
//
// A key file is NAME.json: the public part in clear (kind, public key, address, when it was made) and the secret
// encrypted by age (age-encryption.org) to a passphrase, which costs whoever guesses passphrases time and memory.
// Should this program be lost, the standard tool opens it:
//
//	jq -r .secret NAME.json | age -d
//
// prints the kind and the secret in hex. Files are readable by their owner alone, appear whole or not at all, and are
// never overwritten.
//
// A key in hardware (package hardware) has a file too, which says where the key is instead of having a secret. It is used by its name as any other;
// only its secret cannot be exported.
//
// Refusals are *fault.Error with codes key.bad_name, key.exists, key.unknown, key.wrong_passphrase, key.no_passphrase,
// key.damaged, key.in_hardware, key.other_key, those of package hardware and, from ledger/tx, key.malformed. Nothing here prints or returns a secret but ExportPlain.
package keystore
