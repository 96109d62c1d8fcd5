package asset

import (
	"fmt"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// create makes a class that the actor issues.
func (m *Module) create(c *exec.Context, call *assetv1.Create) error {
	made := &assetv1.Class{
		Issuer: c.Actor[:], Name: call.GetName(), Decimals: call.GetDecimals(), Cap: call.GetCap(), CreatedAt: c.Time,
	}
	if err := addClass(c.View, call.GetAsset(), made); err != nil {
		return err
	}
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AssetCreated{
		AssetCreated: &assetv1.Created{Asset: call.GetAsset(), Issuer: c.Actor[:]},
	}})
	return nil
}

// addClass checks and stores a new class without supply.
func addClass(v *state.View, id string, made *assetv1.Class) error {
	if !validID(id) {
		return fault.New("asset.bad_name", fmt.Sprintf("%.40q cannot name an asset: want a lower-case letter, then up to 31 of a-z, 0-9, '.' and '-'.", id),
			"asset", id)
	}
	if err := text.Check("asset.bad_text", "name", made.GetName(), 0, MaxName); err != nil {
		return err
	}
	if made.GetDecimals() > MaxDecimals {
		return fault.New("asset.bad_decimals", fmt.Sprintf("An asset may have at most %d decimals, not %d.", MaxDecimals, made.GetDecimals()),
			"asset", id, "decimals", made.GetDecimals())
	}
	if made.GetCap() != "" {
		most, err := tx.ParseAmount(made.GetCap())
		if err != nil {
			return err
		}
		if most.IsZero() {
			return fault.New("asset.bad_cap", "With a cap of zero nothing could be issued. Leave it empty for no cap.", "asset", id)
		}
	}
	if old, ok := classes.Get(v, id); ok {
		issuer := tx.Address(old.GetIssuer())
		return fault.New("asset.exists", "The asset "+id+" exists already; its issuer is "+issuer.String()+". Choose another name.",
			"asset", id, "issuer", issuer)
	}
	made.Supply = "0"
	classes.Set(v, id, made)
	return nil
}

func validID(id string) bool {
	if len(id) == 0 || len(id) > MaxID || id[0] < 'a' || id[0] > 'z' {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-') {
			return false
		}
	}
	return true
}
