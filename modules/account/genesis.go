package account

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Genesis opens the accounts of the genesis file. Sponsors must be members in the same file, and a member that is
// listed sponsors itself; members that are not listed get their accounts from modules/network.
func (m *Module) Genesis(v *state.View, g *ledgerv1.Genesis) error {
	members := map[tx.Address]bool{}
	for i, member := range g.GetNetwork().GetMembers() {
		a, err := tx.ToAddress(member.GetAddress())
		if err != nil {
			return fmt.Errorf("member %d: %w", i, err)
		}
		members[a] = true
	}
	for i, entry := range g.GetAccount().GetAccounts() {
		if err := genesisAccount(v, entry, members, g.GetTime()); err != nil {
			return fmt.Errorf("account %d: %w", i, err)
		}
	}
	return nil
}

func genesisAccount(v *state.View, entry *accountv1.GenesisAccount, members map[tx.Address]bool, time int64) error {
	address, err := tx.ToAddress(entry.GetAddress())
	if err != nil {
		return err
	}
	sponsor, err := tx.ToAddress(entry.GetSponsor())
	if err != nil {
		return fmt.Errorf("%s: sponsor: %w", address, err)
	}
	switch {
	case !members[sponsor]:
		return fmt.Errorf("%s: sponsor %s is not a member", address, sponsor)
	case members[address] && sponsor != address:
		return fmt.Errorf("%s: a member sponsors itself, not %s", address, sponsor)
	case accounts.Has(v, address):
		return fmt.Errorf("%s is listed twice", address)
	case accountv1.KeyKind_name[int32(entry.GetKind())] == "":
		return fmt.Errorf("%s: unknown kind of key %d", address, entry.GetKind())
	}
	accounts.Set(v, address, &accountv1.Account{Sponsor: sponsor[:], Key: address[:], Kind: entry.GetKind(), OpenedAt: time})
	return nil
}
