// Package tx is the transaction format: keys and addresses, decoding, signing and verification.
//
// A transaction is a body (network, window, actions) and the witnesses that signed it. Decode reads one from
// outside bytes: it refuses whatever is not in the format, and every encoding but one of the same content, but
// checks no signature. Verify and VerifyAll check signatures, which needs no state. Whether a good signature may
// act for an account is decided at execution from Keys and CheckPolicy.
//
// Readings of devices travel whole in stream.anchor actions (package reading). Decode reads them too, and Verify and VerifyAll
// check their signatures with those of the witnesses.
//
// docs/transaction.md describes the format byte for byte; testdata/vectors.json has examples.
//
// Every refusal is a *fault.Error with one of these codes:
//
//	tx.malformed          not in the format, or not its one encoding
//	tx.unknown_field      a field or enum value this version does not know
//	tx.too_large          more bytes, actions, witnesses or work on signatures than allowed
//	tx.wrong_network      made for another network
//	tx.no_action          no action, or an action without a call
//	tx.unsupported        a kind this network does not take (raw Ethereum)
//	tx.duplicate_witness  two witnesses with the same key
//	tx.bad_signature      a witness or reading whose key or signature is no good, or no witness at all
//	reading.bad_signature as VerifyReading finds it of one alone
//	key.malformed         a public or private key that is none of its kind
//	address.malformed     not 0x and 40 hex digits, or not its capitals
//	account.not_authorised  a passkey used under another relying party or origin (CheckPolicy)
//	amount.malformed, amount.too_large
package tx
