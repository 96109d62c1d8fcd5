// Package asset imports the ledger, as a module may.
package asset

import (
	"example.com/clean/gen"
	"example.com/clean/ledger/tx"
)

// Size of a transaction.
func Size() int {
	n, _ := tx.Decode(gen.Raw)
	return n
}
