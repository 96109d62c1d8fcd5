// Package witness is an outside witness of a Dure network: a device, an auditor, an archive that cosigns the network's
// checkpoints. Its signature on one says "I have seen one history and no second", so that validators whose keys leak years
// later can forge nothing before it.
//
// A witness keeps the last checkpoint it cosigned in a file. It signs another only when that one's header is signed by the
// network's validators, followed from the last one, and its history log begins with the last one's (a consistency proof,
// RFC 9162). The file is on disk before the signature is made, so that a crash makes no witness of two histories. When a
// node shows a second history the witness signs nothing more, keeps what it was shown beside its file, and says so.
//
// The key may be any crypto.Signer with an Ed25519 public key, also one in a chip. The signature is C2SP cosignature/v1, see
// docs/checkpoint.md.
package witness
