// Package bench loads a network the way its users do, through the API and with signed transactions, measures what is
// committed, and checks afterwards that what the network says is true: balances, roots, receipts.
//
// It knows nothing of how nodes are run: whoever calls it starts a network and hands over where its members answer.
package bench
