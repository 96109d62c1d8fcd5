package asset

import (
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
)

// pause stops every movement of an asset: issues, transfers, redemptions, holds and releases.
func (m *Module) pause(c *exec.Context, call *assetv1.Pause) error {
	asset, err := moving(c.View, call.GetAsset())
	if err != nil {
		return err
	}
	return setPaused(c, asset, true)
}

// unpause lets an asset move again.
func (m *Module) unpause(c *exec.Context, call *assetv1.Unpause) error {
	asset, err := find(c.View, call.GetAsset())
	if err != nil {
		return err
	}
	if !asset.GetPaused() {
		return fault.New("asset.not_paused", "The asset "+asset.id+" is not paused.", "asset", asset.id)
	}
	return setPaused(c, asset, false)
}

func setPaused(c *exec.Context, asset class, paused bool) error {
	if err := asset.issuedBy(c.Actor); err != nil {
		return err
	}
	asset.Paused = paused
	classes.Set(c.View, asset.id, asset.Class)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AssetPauseChanged{
		AssetPauseChanged: &assetv1.PauseChanged{Asset: asset.id, Paused: paused},
	}})
	return nil
}
