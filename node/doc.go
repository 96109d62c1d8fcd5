// Package node runs one member's node: it wires consensus, ledger, store, index and API together, starts and stops
// them in order, and reads their configuration.
//
// A node's home folder holds config.yaml, genesis.json, keys/ (node and validator key), and data/ (consensus,
// ledger, index). Home is its layout, Settings its configuration, Node the running whole.
package node
