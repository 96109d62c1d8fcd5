package asset

import (
	"encoding/hex"
	"fmt"

	"github.com/holiman/uint256"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// String is the id in hex.
func (id HoldID) String() string { return hex.EncodeToString(id[:]) }

// release ends a hold and divides it between payee and payer.
func (m *Module) release(c *exec.Context, call *assetv1.Release) error {
	if len(call.GetHold()) != 16 {
		return fault.New("hold.bad_id", "The id of a hold has 16 bytes.", "bytes", len(call.GetHold()))
	}
	id := HoldID(call.GetHold())
	h, ok := holds.Get(c.View, id)
	if !ok {
		return fault.New("hold.unknown", "There is no hold "+id.String()+", or it has been released.", "hold", id)
	}
	asset, err := moving(c.View, h.GetAsset())
	if err != nil {
		return err
	}
	pay, err := tx.ParseAmount(call.GetPay())
	if err != nil {
		return err
	}
	if err := mayRelease(c, id, h, !pay.IsZero()); err != nil {
		return err
	}
	amount := stored(h.GetAmount())
	if pay.Gt(&amount) {
		return fault.New("hold.pay_exceeds", fmt.Sprintf("%s %s are held; %s cannot be paid from them.", asset.show(amount), asset.id, asset.show(pay)),
			"hold", id, "amount", h.GetAmount(), "pay", call.GetPay())
	}
	returned, err := divide(c.View, h, amount, pay)
	if err != nil {
		return err
	}
	holds.Delete(c.View, id)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AssetReleased{AssetReleased: &assetv1.Released{
		Hold: id[:], Asset: asset.id, Payer: h.GetPayer(), Payee: h.GetPayee(), Paid: call.GetPay(), Returned: tx.FormatAmount(returned),
	}}})
	return nil
}

// mayRelease decides by the table in the package comment. pays says that some of the hold would go to the payee.
func mayRelease(c *exec.Context, id HoldID, h *assetv1.HoldState, pays bool) error {
	payer, payee, arbiter := tx.Address(h.GetPayer()), tx.Address(h.GetPayee()), tx.Address(h.GetArbiter())
	refuse := func(what, why string) error {
		return fault.New("hold."+what, why, "hold", id, "actor", c.Actor, "payer", payer, "payee", payee, "arbiter", arbiter,
			"expires_at", h.GetExpiresAt(), "time", c.Time)
	}
	if c.Actor != payer && c.Actor != payee && c.Actor != arbiter {
		return refuse("not_party", c.Actor.String()+" is neither payer, payee nor arbiter of the hold.")
	}
	if c.Time < h.GetExpiresAt() {
		switch {
		case c.Actor == arbiter, c.Actor == payee && !pays:
			return nil
		case c.Actor == payee:
			return refuse("not_arbiter", "Only the arbiter "+arbiter.String()+" may pay from the hold; the payee may only give it back by paying 0.")
		}
		return refuse("not_expired", "The payer may take the hold back only when it has expired; before, the arbiter "+arbiter.String()+" or the payee may release it.")
	}
	switch {
	case c.Actor != payer:
		return refuse("expired", "The hold has expired; now only the payer "+payer.String()+" may take it back.")
	case pays:
		return refuse("only_return", "The hold has expired; it can only be taken back by paying 0. Pay the payee by a transfer.")
	}
	return nil
}

// divide gives pay to the payee and the rest back to the payer.
func divide(v *state.View, h *assetv1.HoldState, amount, pay uint256.Int) (returned uint256.Int, err error) {
	payer, payee := tx.Address(h.GetPayer()), tx.Address(h.GetPayee())
	place := holding{h.GetAsset(), payer}
	held, _ := heldSums.Get(v, place)
	if held.Lt(&amount) { // invariant 4 excludes it
		return returned, fault.New("asset.overflow", "More would be released than is held.", "asset", h.GetAsset(), "held", held.Dec(), "amount", amount.Dec())
	}
	held.Sub(&held, &amount)
	put(v, heldSums, place, held)
	returned.Sub(&amount, &pay)
	if err := credit(v, h.GetAsset(), payee, pay); err != nil {
		return returned, err
	}
	return returned, credit(v, h.GetAsset(), payer, returned)
}
