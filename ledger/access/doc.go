// Package access is what a reader signs so that a node that answers by account lets it read: a claim, by a key that
// acts for the account, and with each request a proof, by a key that lives as long as the reader's program (DPoP,
// RFC 9449). docs/access.md describes both for other implementations.
//
// It checks what can be checked without a clock and without a ledger. Code access.proof_bad.
package access
