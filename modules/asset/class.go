package asset

import (
	"fmt"

	"github.com/holiman/uint256"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// class is a stored class with its id.
type class struct {
	*assetv1.Class
	id string
}

// find returns a class.
func find(g state.Getter, id string) (class, error) {
	stored, ok := classes.Get(g, id)
	if !ok {
		return class{}, fault.New("asset.unknown", fmt.Sprintf("There is no asset %.40q.", id), "asset", id)
	}
	return class{stored, id}, nil
}

// moving returns a class whose units may move now.
func moving(g state.Getter, id string) (class, error) {
	c, err := find(g, id)
	if err == nil && c.GetPaused() {
		err = fault.New("asset.paused", "Every movement of "+id+" is paused by its issuer "+tx.Address(c.GetIssuer()).String()+". Try again later.",
			"asset", id, "issuer", tx.Address(c.GetIssuer()))
	}
	return c, err
}

// issuedBy refuses anyone but the issuer.
func (c class) issuedBy(actor tx.Address) error {
	if issuer := tx.Address(c.GetIssuer()); issuer != actor {
		return fault.New("asset.not_issuer", "Only the issuer "+issuer.String()+" of "+c.id+" may do this.",
			"asset", c.id, "issuer", issuer, "actor", actor)
	}
	return nil
}

// grow adds to the supply, within the cap.
func (c class) grow(v *state.View, amount uint256.Int) error {
	supply, err := add(c.id, stored(c.GetSupply()), amount)
	if err != nil {
		return err
	}
	if most := c.GetCap(); most != "" {
		if limit := stored(most); supply.Gt(&limit) {
			return fault.New("asset.cap_exceeded", fmt.Sprintf("%s %s would be outstanding; the cap is %s.", c.show(supply), c.id, c.show(limit)),
				"asset", c.id, "cap", most, "supply", c.GetSupply(), "amount", amount.Dec())
		}
	}
	c.Supply = tx.FormatAmount(supply)
	classes.Set(v, c.id, c.Class)
	return nil
}

// shrink takes from the supply what a balance has given up.
func (c class) shrink(v *state.View, amount uint256.Int) error {
	supply := stored(c.GetSupply())
	if supply.Lt(&amount) { // invariant 1 excludes it
		return fault.New("asset.overflow", "More would be redeemed than is outstanding.", "asset", c.id, "supply", c.GetSupply(), "amount", amount.Dec())
	}
	supply.Sub(&supply, &amount)
	c.Supply = tx.FormatAmount(supply)
	classes.Set(v, c.id, c.Class)
	return nil
}

// checkNotes checks what people and machines write on a movement.
func checkNotes(memo, reference string) error {
	if err := text.Check("asset.bad_text", "memo", memo, 0, MaxMemo); err != nil {
		return err
	}
	return text.Check("asset.bad_text", "reference", reference, 0, MaxReference)
}

func toAddress(field string, b []byte) (tx.Address, error) {
	a, err := tx.ToAddress(b)
	if err != nil {
		return a, fault.New("asset.bad_address", "The "+field+" is not a 20-byte address.", "field", field, "bytes", len(b))
	}
	return a, nil
}

// receiver reads the address of an account that can receive.
func (m *Module) receiver(g state.Getter, field string, b []byte) (tx.Address, error) {
	a, err := toAddress(field, b)
	if err == nil && !m.accounts.Exists(g, a) {
		err = unknownReceiver(field, a)
	}
	return a, err
}

// receiverOf is receiver for units of an asset. Most who receive some have some, and with them an account (invariant 3); their balance is read next
// anyway, and only of the others the account is looked for.
func (m *Module) receiverOf(v *state.View, asset string, b []byte) (tx.Address, error) {
	a, err := toAddress("receiver", b)
	if err == nil && !v.HasAny(BalanceKey(asset, a), m.accounts.Key(a)) {
		err = unknownReceiver("receiver", a)
	}
	return a, err
}

func unknownReceiver(field string, a tx.Address) error {
	return fault.New("asset.unknown_receiver", "The "+field+" "+a.String()+" has no account. Check the address, or ask a member to open it.",
		"account", a)
}

// mover is a call that moves units of the actor.
type mover interface {
	GetAsset() string
	GetAmount() string
	GetMemo() string
	GetReference() string
}

// movement checks what every such call gives, in this order: the asset, which must not be paused, the amount, the notes.
func movement(g state.Getter, call mover) (asset class, amount uint256.Int, err error) {
	if asset, err = moving(g, call.GetAsset()); err != nil {
		return asset, amount, err
	}
	if amount, err = positive(call.GetAmount()); err != nil {
		return asset, amount, err
	}
	return asset, amount, checkNotes(call.GetMemo(), call.GetReference())
}
