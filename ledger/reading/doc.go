// Package reading is the format of what a device signs: one measured value, as a SenML record in a COSE_Sign1 envelope.
//
// docs/reading.md describes it byte for byte; testdata/vectors.json has good and broken readings for other implementations.
// A reading has one encoding. Parse refuses every other, and so does a verifier of ours, though a COSE library might accept it.
//
// A device fills a Reading and calls Sign. A checker calls Parse, then tx.VerifyReading with the network, the device and its key;
// a ledger checks those of whole blocks together (tx.VerifyAll).
//
// Every refusal is a *fault.Error with one of these codes:
//
//	reading.malformed     not in the format, or not its one encoding
//	reading.too_large     more than 1,024 bytes
//	reading.bad_key       a signing key that is neither Ed25519 nor P-256
//	reading.bad_value     a text that is no decimal number of at most 9 digits after the point and 64 bits
//	reading.too_precise   more digits after the point than asked for
//	reading.overflow      beyond 64 bits in the unit asked for
package reading
