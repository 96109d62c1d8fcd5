// Package state is the ledger's state: one ordered key space, a Merkle tree over it, and the recording
// view through which a block reads and changes it.
//
// Tree is immutable: Apply returns a new version that shares what did not change, so a version can be read
// and proven against while later ones are made. View holds the changes of a block over a Reader and can undo
// back to any mark. Map, Proto and Amount give modules typed access.
package state
