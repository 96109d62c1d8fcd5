package asset

import (
	"crypto/sha256"
	"encoding/binary"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// NewHoldID is the id of the hold that an action makes: the first 16 bytes of
// SHA-256("dure/hold/v1\n" || transaction id || action index, 4 bytes big-endian).
// An action that a proposal did has the index that exec.Context.Serial gives.
func NewHoldID(txID [32]byte, action uint32) HoldID {
	b := append([]byte("dure/hold/v1\n"), txID[:]...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(b, action))
	return HoldID(sum[:16])
}

// hold sets units of the actor aside.
func (m *Module) hold(c *exec.Context, call *assetv1.Hold) error {
	asset, amount, err := movement(c.View, call)
	if err != nil {
		return err
	}
	payee, arbiter, err := m.parties(c, call)
	if err != nil {
		return err
	}
	if err := checkExpiry(c.Time, call.GetExpiresAt()); err != nil {
		return err
	}
	id := NewHoldID(c.Tx, c.Serial())
	if holds.Has(c.View, id) {
		return fault.New("hold.exists", "There is a hold with this id already.", "hold", id)
	}
	if err := m.spend(c, asset, amount, payee); err != nil {
		return err
	}
	place := holding{asset.id, c.Actor}
	held, _ := heldSums.Get(c.View, place)
	if held, err = add(asset.id, held, amount); err != nil {
		return err
	}
	put(c.View, heldSums, place, held)
	holds.Set(c.View, id, &assetv1.HoldState{
		Asset: asset.id, Amount: call.GetAmount(), Payer: c.Actor[:], Payee: payee[:], Arbiter: arbiter[:],
		ExpiresAt: call.GetExpiresAt(), Memo: call.GetMemo(), Reference: call.GetReference(), CreatedAt: c.Time,
	})
	event := &assetv1.Held{Hold: id[:], Asset: asset.id, Payer: c.Actor[:], Payee: payee[:], Amount: call.GetAmount()}
	if arbiter != c.Actor {
		event.Arbiter = arbiter[:]
	}
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AssetHeld{AssetHeld: event}})
	return nil
}

// parties reads the payee and the arbiter of a hold. Both must exist, or nobody could ever act as them.
func (m *Module) parties(c *exec.Context, call *assetv1.Hold) (payee, arbiter tx.Address, err error) {
	payee, err = m.receiver(c.View, "payee", call.GetPayee())
	if err != nil {
		return payee, arbiter, err
	}
	if payee == c.Actor {
		return payee, arbiter, fault.New("hold.bad_payee", "Payer and payee are the same account, "+payee.String()+".", "account", payee)
	}
	if len(call.GetArbiter()) == 0 {
		return payee, c.Actor, nil
	}
	arbiter, err = toAddress("arbiter", call.GetArbiter())
	if err == nil && !m.accounts.Exists(c.View, arbiter) {
		err = fault.New("hold.unknown_arbiter", "The arbiter "+arbiter.String()+" has no account. Check the address, or ask a member to open it.",
			"account", arbiter)
	}
	return payee, arbiter, err
}

func checkExpiry(now, expiresAt int64) error {
	switch {
	case expiresAt <= now:
		return fault.New("hold.bad_expiry", "The hold would expire before it begins. Choose a later time.", "expires_at", expiresAt, "time", now)
	case expiresAt-MaxHoldMs > now:
		return fault.New("hold.bad_expiry", "A hold may last at most 400 days. Choose an earlier time.", "expires_at", expiresAt, "latest", now+MaxHoldMs)
	}
	return nil
}
