package identity

import (
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/state"
)

// Genesis does nothing: the members are organisations from the start, and everything else is theirs to decide.
func (m *Module) Genesis(*state.View, *ledgerv1.Genesis) error { return nil }
