package asset

import (
	"fmt"

	"github.com/holiman/uint256"

	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// positive reads an amount that something shall be done with.
func positive(s string) (uint256.Int, error) {
	amount, err := tx.ParseAmount(s)
	if err == nil && amount.IsZero() {
		err = fault.New("amount.zero", "The amount is zero; nothing would move.", "amount", s)
	}
	return amount, err
}

// stored reads an amount the ledger wrote.
func stored(s string) uint256.Int {
	amount, err := tx.ParseAmount(s)
	if err != nil {
		panic(fmt.Sprintf("asset: stored amount: %v", err))
	}
	return amount
}

// add is a sum below 2^128.
func add(asset string, a, b uint256.Int) (uint256.Int, error) {
	var sum uint256.Int
	sum.Add(&a, &b) // both are below 2^128, so this does not wrap
	if sum.BitLen() > 128 {
		return sum, fault.New("asset.overflow", "The sum would reach 2^128, more than an amount can be.",
			"asset", asset, "amount", a.Dec(), "and", b.Dec())
	}
	return sum, nil
}

// credit adds to what an account can spend.
func credit(v *state.View, asset string, account tx.Address, amount uint256.Int) error {
	sum, err := add(asset, balance(v, asset, account), amount)
	if err != nil {
		return err
	}
	put(v, balances, holding{asset, account}, sum)
	return nil
}

// spend takes from what the actor can spend, if its rules allow that it goes to a receiver.
func (m *Module) spend(c *exec.Context, asset class, amount uint256.Int, to tx.Address) error {
	if err := m.spending.Spend(c, asset.id, asset.GetDecimals(), amount, to); err != nil {
		return err
	}
	return debit(c.View, asset, c.Actor, amount)
}

// debit takes from what an account can spend.
func debit(v *state.View, c class, account tx.Address, amount uint256.Int) error {
	has := balance(v, c.id, account)
	if has.Lt(&amount) {
		return fault.New("asset.insufficient_balance", fmt.Sprintf("%s has %s %s but %s are needed.", account,
			c.show(has), c.id, c.show(amount)), "asset", c.id, "account", account, "balance", has.Dec(), "amount", amount.Dec())
	}
	has.Sub(&has, &amount)
	put(v, balances, holding{c.id, account}, has)
	return nil
}

// show writes an amount for people: with the class's decimals, thousands apart.
func (c class) show(amount uint256.Int) string { return tx.ShowUnits(amount, c.GetDecimals()) }
