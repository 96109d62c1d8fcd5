// Package evidence is the formats of what a device shows of itself when it is challenged: a token that it signs itself, and the quote of
// its TPM. Both are read here and their signatures checked; what they are worth is for modules/device to say.
//
// A token is an Entity Attestation Token (RFC 9711) in a COSE_Sign1 envelope. docs/evidence.md describes it byte for byte. It has one
// encoding; ParseToken refuses every other, though a COSE library might accept it. A device fills a Token and calls Sign.
//
// A quote is the TPMS_ATTEST structure that TPM2_Quote makes, with its TPMT_SIGNATURE.
//
// Every refusal is a *fault.Error with one of these codes:
//
//	evidence.malformed      not in the format, or not its one encoding
//	evidence.too_large      more bytes than a token, a quote or its signature may have
//	evidence.unsupported    a quote over other registers than of the SHA-256 bank, or signed otherwise than by ECDSA P-256 with SHA-256
//	evidence.bad_signature  not signed by the key for this network and device
//	evidence.bad_key        a signing key that is neither Ed25519 nor P-256
package evidence
