// Package store is a node's own durable memory of the ledger, in one folder:
//
//	LOCK      held while a process has the folder open; carries its pid
//	blocks/   outcome segments: what every committed block decided, append-only, fsynced block by block
//	history/  the nodes of the RFC 6962 tree over all outcomes; derived from blocks/
//	state/    every key's versions by height (Pebble); behind blocks/ by a bounded queue
//	meta/     small values, each replaced atomically
//
// Erase leaves of old transactions with readings only a rest, in files written anew; outcomes and what proofs need stay.
//
// blocks/ is the truth. Append returns once the block is on the disk, so an answered commit is never lost. history/ and
// state/ may lag behind after a crash and must never lead: history/ is brought up on Open, state/ by the node, which
// executes the blocks after FlushedHeight again.
//
// A write or sync that fails makes the store refuse every later write until it is opened again: after a failed fsync
// nobody knows what the disk holds, and Open finds out by reading it.
package store
