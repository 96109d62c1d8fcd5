// Package exec runs decided blocks: transactions in, outcomes and roots out.
//
// Execute is a pure function of the ledger so far and the block: no clock, randomness or configuration enters. It
// computes a Result without adopting it; Commit adopts it. One transaction's actions all happen or none does.
//
// A transaction ends in one of three ways. Void (duplicate, expired, too far ahead, not authorised): it leaves
// nothing, not even its id, and counts against the member that sealed it. Failed: authorised, but a module refused;
// its outcome is kept and nothing else. Ok. Since a void transaction consumes no id and every other outcome consumes
// it, no id ever has two outcomes: Window holds the ids of transactions that could still be valid, and the keys of
// transactions with `once` are kept in the state for good.
package exec
