// Package clienttest is a small in-memory ledger behind the real services, for tests of programs that use client.
//
// It checks signatures and keeps accounts, assets, holds, records, once keys and history as a network does, in one
// process and without consensus: each submission is a block. Faults can be scripted for each node: answers lost
// before or after the ledger took the transaction, full pools, nodes of other networks.
package clienttest
