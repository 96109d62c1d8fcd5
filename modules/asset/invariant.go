package asset

import (
	"fmt"

	"github.com/holiman/uint256"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Check verifies the invariants of the package comment by adding everything up.
func (m *Module) Check(r state.Reader) error {
	a := &audit{m: m, r: r, found: map[string]uint256.Int{}, held: map[holding]uint256.Int{}}
	classes.Ascend(r, nil, func(id string, c *assetv1.Class) bool { return a.class(id, c) })
	balances.Ascend(r, nil, func(h holding, amount uint256.Int) bool {
		return a.stored("balance", h, amount) && a.count(h.asset, amount)
	})
	holds.Ascend(r, nil, func(id HoldID, h *assetv1.HoldState) bool { return a.hold(id, h) })
	heldSums.Ascend(r, nil, func(h holding, amount uint256.Int) bool {
		return a.stored("held total", h, amount) && a.heldSum(h, amount)
	})
	if a.err == nil && len(a.held) > 0 {
		a.fail("%d accounts have holds but no held total", len(a.held))
	}
	m.reserves.AscendReserves(r, func(asset string, amount uint256.Int) bool { return a.err == nil && a.count(asset, amount) })
	classes.Ascend(r, nil, func(id string, c *assetv1.Class) bool { return a.supply(id, c) })
	return a.err
}

// audit adds up what is found. Its methods return false once something is wrong. Sums of amounts below 2^128 do not
// wrap in 256 bits.
type audit struct {
	m     *Module
	r     state.Reader
	found map[string]uint256.Int
	held  map[holding]uint256.Int
	err   error
}

func (a *audit) fail(format string, args ...any) bool {
	if a.err == nil {
		a.err = fmt.Errorf("asset: "+format, args...)
	}
	return false
}

func (a *audit) class(id string, c *assetv1.Class) bool {
	issuer, err := tx.ToAddress(c.GetIssuer())
	switch {
	case !validID(id):
		return a.fail("class %q: bad id", id)
	case err != nil:
		return a.fail("class %s: issuer: %w", id, err)
	case !a.m.accounts.Exists(a.r, issuer):
		return a.fail("class %s: issuer %s is no account", id, issuer)
	case c.GetDecimals() > MaxDecimals:
		return a.fail("class %s: %d decimals", id, c.GetDecimals())
	}
	a.found[id] = uint256.Int{}
	return a.err == nil
}

func (a *audit) stored(what string, h holding, amount uint256.Int) bool {
	switch {
	case a.err != nil:
		return false
	case amount.IsZero():
		return a.fail("%s of %s of %s is zero", what, h.asset, h.account)
	case !a.m.accounts.Exists(a.r, h.account):
		return a.fail("%s of %s of %s, which is no account", what, h.asset, h.account)
	}
	return true
}

func (a *audit) count(asset string, amount uint256.Int) bool {
	sum, ok := a.found[asset]
	if !ok {
		return a.fail("units of %s, which is no class", asset)
	}
	sum.Add(&sum, &amount)
	a.found[asset] = sum
	return true
}

func (a *audit) hold(id HoldID, h *assetv1.HoldState) bool {
	if a.err != nil {
		return false
	}
	amount, err := positive(h.GetAmount())
	if err != nil {
		return a.fail("hold %s: %w", id, err)
	}
	for _, b := range [][]byte{h.GetPayer(), h.GetPayee(), h.GetArbiter()} {
		if party, err := tx.ToAddress(b); err != nil || !a.m.accounts.Exists(a.r, party) {
			return a.fail("hold %s: party %x is no account", id, b)
		}
	}
	payer := tx.Address(h.GetPayer())
	if payer == tx.Address(h.GetPayee()) {
		return a.fail("hold %s: payer and payee are the same", id)
	}
	if h.GetExpiresAt() <= h.GetCreatedAt() {
		return a.fail("hold %s: expires before it was made", id)
	}
	sum := a.held[holding{h.GetAsset(), payer}]
	sum.Add(&sum, &amount)
	a.held[holding{h.GetAsset(), payer}] = sum
	return a.count(h.GetAsset(), amount)
}

func (a *audit) heldSum(h holding, amount uint256.Int) bool {
	if sum := a.held[h]; !sum.Eq(&amount) {
		return a.fail("holds of %s of %s are %s, but the held total is %s", h.asset, h.account, sum.Dec(), amount.Dec())
	}
	delete(a.held, h)
	return true
}

func (a *audit) supply(id string, c *assetv1.Class) bool {
	if a.err != nil {
		return false
	}
	supply, err := tx.ParseAmount(c.GetSupply())
	if err != nil {
		return a.fail("class %s: supply: %w", id, err)
	}
	if sum := a.found[id]; !sum.Eq(&supply) {
		return a.fail("class %s: supply is %s, but balances, holds and reserves are %s", id, supply.Dec(), sum.Dec())
	}
	if c.GetCap() == "" {
		return true
	}
	most, err := positive(c.GetCap())
	if err != nil {
		return a.fail("class %s: cap: %w", id, err)
	}
	if supply.Gt(&most) {
		return a.fail("class %s: supply %s is above the cap %s", id, supply.Dec(), most.Dec())
	}
	return true
}
