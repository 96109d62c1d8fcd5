package asset

import (
	"github.com/holiman/uint256"

	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Reserves are units that other modules keep aside: taken by Reserve, not yet given by Pay.
type Reserves interface {
	// AscendReserves calls fn for each such amount until fn returns false. One asset may come several times.
	AscendReserves(r state.Reader, fn func(asset string, amount uint256.Int) bool)
}

// Exists says whether there is such a class.
func (m *Module) Exists(g state.Getter, asset string) bool { return classes.Has(g, asset) }

// Reserve takes units from what an account can spend, for another module that keeps them aside, lists them in Reserves and gives them by
// Pay. Like a hold it is refused while the asset is paused. Codes asset.unknown, asset.paused, asset.insufficient_balance.
func (m *Module) Reserve(v *state.View, asset string, from tx.Address, amount uint256.Int) error {
	class, err := moving(v, asset)
	if err != nil {
		return err
	}
	return debit(v, class, from, amount)
}

// Pay gives units that were reserved to an account, which must be open and may be frozen. The module that calls it answers for having them.
// Like a release it is refused while the asset is paused. Codes asset.unknown, asset.paused, asset.overflow.
func (m *Module) Pay(v *state.View, asset string, to tx.Address, amount uint256.Int) error {
	class, err := moving(v, asset)
	if err != nil {
		return err
	}
	return credit(v, class.id, to, amount)
}
