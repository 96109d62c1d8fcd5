package asset

import (
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/tx"
)

// issue creates units.
func (m *Module) issue(c *exec.Context, call *assetv1.Issue) error {
	asset, err := moving(c.View, call.GetAsset())
	if err != nil {
		return err
	}
	if err := asset.issuedBy(c.Actor); err != nil {
		return err
	}
	amount, err := positive(call.GetAmount())
	if err != nil {
		return err
	}
	if err := checkNotes(call.GetMemo(), call.GetReference()); err != nil {
		return err
	}
	to, err := m.receiver(c.View, "receiver", call.GetTo())
	if err != nil {
		return err
	}
	if err := m.spending.Spend(c, asset.id, asset.GetDecimals(), amount, to); err != nil {
		return err
	}
	if err := asset.grow(c.View, amount); err != nil {
		return err
	}
	if err := credit(c.View, asset.id, to, amount); err != nil {
		return err
	}
	emitMoved(c, &assetv1.Moved{Asset: asset.id, To: to[:], Amount: call.GetAmount()})
	return nil
}

// redeem destroys units of the actor.
func (m *Module) redeem(c *exec.Context, call *assetv1.Redeem) error {
	asset, amount, err := movement(c.View, call)
	if err != nil {
		return err
	}
	if err := m.spend(c, asset, amount, tx.Address(asset.GetIssuer())); err != nil {
		return err
	}
	if err := asset.shrink(c.View, amount); err != nil {
		return err
	}
	emitMoved(c, &assetv1.Moved{Asset: asset.id, From: c.Actor[:], Amount: call.GetAmount()})
	return nil
}
