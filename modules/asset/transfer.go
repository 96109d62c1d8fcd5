package asset

import (
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// transfer moves units from the actor. To oneself it is refused: it would move nothing and is nearly always a mistake.
func (m *Module) transfer(c *exec.Context, call *assetv1.Transfer) error {
	asset, amount, err := movement(c.View, call)
	if err != nil {
		return err
	}
	to, err := m.receiverOf(c.View, asset.id, call.GetTo())
	if err != nil {
		return err
	}
	if to == c.Actor {
		return fault.New("asset.self_transfer", "Sender and receiver are the same account, "+to.String()+"; nothing would move.",
			"asset", asset.id, "account", to)
	}
	if err := m.spend(c, asset, amount, to); err != nil {
		return err
	}
	if err := credit(c.View, asset.id, to, amount); err != nil {
		return err
	}
	emitMoved(c, &assetv1.Moved{Asset: asset.id, From: c.Actor[:], To: to[:], Amount: call.GetAmount()})
	return nil
}

// transferNeeds are the keys that a transfer reads, if the receiver has some already.
func (m *Module) transferNeeds(keys [][]byte, actor tx.Address, call *assetv1.Transfer) [][]byte {
	to, err := tx.ToAddress(call.GetTo())
	if err != nil {
		return keys
	}
	return append(keys, BalanceKey(call.GetAsset(), actor), BalanceKey(call.GetAsset(), to))
}

func emitMoved(c *exec.Context, moved *assetv1.Moved) {
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AssetMoved{AssetMoved: moved}})
}
