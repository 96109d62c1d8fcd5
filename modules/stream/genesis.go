package stream

import (
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/state"
)

// Genesis does nothing: feeds are opened by transactions.
func (m *Module) Genesis(*state.View, *ledgerv1.Genesis) error { return nil }
