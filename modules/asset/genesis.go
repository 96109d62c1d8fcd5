package asset

import (
	"fmt"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/state"
)

// Genesis writes the classes and balances of the genesis file; it runs after modules/account and modules/network, which
// open the accounts. The supply of a class is the sum of its balances.
func (m *Module) Genesis(v *state.View, g *ledgerv1.Genesis) error {
	for i, entry := range g.GetAsset().GetClasses() {
		if err := m.genesisClass(v, entry, g.GetTime()); err != nil {
			return fmt.Errorf("class %d: %w", i, err)
		}
	}
	for i, entry := range g.GetAsset().GetBalances() {
		if err := m.genesisBalance(v, entry); err != nil {
			return fmt.Errorf("balance %d: %w", i, err)
		}
	}
	return nil
}

func (m *Module) genesisClass(v *state.View, entry *assetv1.GenesisClass, time int64) error {
	issuer, err := m.receiver(v, "issuer", entry.GetIssuer())
	if err != nil {
		return err
	}
	return addClass(v, entry.GetAsset(), &assetv1.Class{
		Issuer: issuer[:], Name: entry.GetName(), Decimals: entry.GetDecimals(), Cap: entry.GetCap(), CreatedAt: time,
	})
}

func (m *Module) genesisBalance(v *state.View, entry *assetv1.GenesisBalance) error {
	class, err := find(v, entry.GetAsset())
	if err != nil {
		return err
	}
	account, err := m.receiver(v, "account", entry.GetAccount())
	if err != nil {
		return err
	}
	amount, err := positive(entry.GetAmount())
	if err != nil {
		return err
	}
	place := holding{class.id, account}
	if balances.Has(v, place) {
		return fmt.Errorf("%s of %s is listed twice", class.id, account)
	}
	if err := class.grow(v, amount); err != nil {
		return err
	}
	balances.Set(v, place, amount)
	return nil
}
