// Package state is the ledger's state: one ordered key space, a Merkle tree over it, and the recording
// view through which a block reads and changes it.
//
// Tree is immutable: Apply returns a new version that shares what did not change, so a version can be read
// and proven against, from any goroutine, while later ones are made. Nodes lie in memory of their own, and Release says which
// versions nobody reads any more (docs/decisions/103-memory-of-the-state.md). View holds the changes of a block over a
// Reader and can undo back to any mark. Map, Proto and Amount give modules typed access. Prove and VerifyProof
// show to a stranger what is and what is not in the state of a root; docs/state.md has the formats.
//
// Keys chosen by users make paths longer: n keys that each share one more bit with a victim's put n steps into the
// victim's proof. Nothing breaks, but modules keep keys short and put digests or numbers, not free text, in them.
package state
