package vault_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/dureledger/dure/services/id/vault"
)

// People are found by all that they proved last, and no more once they are erased.
func TestProved(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	v := open(t, dir)
	found := func(p vault.Profile, want ...vault.Account) {
		t.Helper()
		got, err := v.Proved(ctx, p)
		slices.SortFunc(got, func(a, b vault.Account) int { return slices.Compare(a[:], b[:]) })
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	found(profile)
	if err := errors.Join(v.SaveProfile(ctx, alice, profile, 1), v.SaveProfile(ctx, bob, profile, 1)); err != nil {
		t.Fatal(err)
	}
	found(profile, alice, bob)
	for _, change := range []func(*vault.Profile){
		func(p *vault.Profile) { p.Name = "김철수" }, func(p *vault.Profile) { p.Phone = "+821012345679" },
		func(p *vault.Profile) { p.Bank = "004" }, func(p *vault.Profile) { p.BankAccount = "" },
	} {
		other := profile
		change(&other)
		found(other)
	}
	spaced := profile
	spaced.Name = "홍 길동"
	found(spaced, alice, bob)
	moved := profile
	moved.Phone = "+821099999999"
	if err := errors.Join(v.SaveProfile(ctx, bob, moved, 2), v.Close()); err != nil {
		t.Fatal(err)
	}
	v = open(t, dir)
	found(profile, alice)
	found(moved, bob)
	if err := v.Erase(ctx, alice); err != nil {
		t.Fatal(err)
	}
	found(profile)
}
