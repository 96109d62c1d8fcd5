package record

import (
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/state"
)

// Genesis does nothing: a record needs the transaction that made it, so a ledger starts without any.
func (m *Module) Genesis(*state.View, *ledgerv1.Genesis) error { return nil }
