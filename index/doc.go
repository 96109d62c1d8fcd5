// Package index is the node's read side: SQL tables, in SQLite or PostgreSQL, that answer what the state alone cannot,
// such as the transactions of an account, of a day or with a word in their memo.
//
// The index follows the ledger from a cursor, in its own goroutine and in bounded steps, and is never in the way of
// a commit: when the ledger is faster it falls behind, and Height and Seq say how far. Nothing in it is a source of
// truth. Lists are kept as keys only and their values are read from the state, so an answer is never older than the
// state it was read from. The tables may be deleted at any time: the next start builds it again from the ledger's
// segments. A new schema is made the same way (docs/decisions/020-index-is-rebuilt.md).
//
// A step is worked out in changes.go as rows for tables, and a database writes it: sqlite.go, postgres.go. What both
// understand is in sql.go and database.go (docs/decisions/024-index-in-two-databases.md). docs/index.md describes the
// tables for those who read them.
package index
