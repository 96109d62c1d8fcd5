// Package proof holds the formats that carry a ledger's word to a stranger: receipts and checkpoints. Proofs of single
// values of the state are state.VerifyProof's, against the state root of a checkpoint.
//
// A receipt ties one outcome to a block header: the outcome is a leaf of the history log, the log's root and the state
// root make the header's app hash, and more than two thirds of the validators signed the header. A checkpoint states a
// header's log, state and validators as text that outside witnesses can sign too.
//
// This package encodes, decodes and does the parts of the checking that need hashes alone. It knows neither
// CometBFT's header hash nor votes; client/light does, and is what a verifier should call. The formats are described
// byte for byte in docs/receipt.md and docs/checkpoint.md.
//
// Decoding is strict: there is exactly one file for a receipt, nothing in it is unused, and what can be computed from
// the rest is left out. So no byte of a file can change without the verification failing.
package proof
