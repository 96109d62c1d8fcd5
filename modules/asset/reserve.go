package asset

import (
	"github.com/holiman/uint256"

	"github.com/dureledger/dure/ledger/exec"
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

// Reserve takes units from what the actor can spend, for another module that keeps them aside, lists them in Reserves and gives them by
// Pay. Like a hold it is refused while the asset is paused, and when the actor's rules do not let it pay so much to the account named, which is
// the one that decides about them. Codes asset.unknown, asset.paused, asset.insufficient_balance, those of Spending.
func (m *Module) Reserve(c *exec.Context, asset string, to tx.Address, amount uint256.Int) error {
	class, err := moving(c.View, asset)
	if err != nil {
		return err
	}
	return m.spend(c, class, amount, to)
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
