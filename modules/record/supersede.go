package record

import (
	"encoding/hex"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
)

// supersede records a new version of a document. Only an active record can be superseded, so versions form a line, not
// a tree, and never a ring, as the new digest must be new to the recorder.
func (m *Module) supersede(c *exec.Context, call *recordv1.Supersede) error {
	place, old, err := find(c.View, call.GetOldDigest(), c.Actor)
	if err != nil {
		return err
	}
	switch old.GetState() {
	case recordv1.State_STATE_WITHDRAWN:
		return withdrawn(place)
	case recordv1.State_STATE_SUPERSEDED:
		next := hex.EncodeToString(old.GetSupersededBy())
		return fault.New("record.not_active", "The record has been superseded by "+next+" already. Supersede that one.",
			"digest", place.digest, "recorder", c.Actor, "superseded_by", next)
	}
	next, err := put(c, call.GetNew(), place.digest[:])
	if err != nil {
		return err
	}
	old.State, old.SupersededBy, old.ChangedAt = recordv1.State_STATE_SUPERSEDED, next[:], c.Time
	records.Set(c.View, place, old)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_RecordSuperseded{
		RecordSuperseded: &recordv1.Superseded{Digest: place.digest[:], Recorder: c.Actor[:], By: next[:]},
	}})
	return nil
}

// withdraw marks a record of the actor as one that nobody should rely on any more. A superseded record can be withdrawn
// too, as an old version may turn out to be wrong; it keeps its link to the next.
func (m *Module) withdraw(c *exec.Context, call *recordv1.Withdraw) error {
	if err := text.Check("record.bad_text", "reason", call.GetReason(), 0, MaxReason); err != nil {
		return err
	}
	place, r, err := find(c.View, call.GetDigest(), c.Actor)
	if err != nil {
		return err
	}
	if r.GetState() == recordv1.State_STATE_WITHDRAWN {
		return withdrawn(place)
	}
	r.State, r.WithdrawReason, r.ChangedAt = recordv1.State_STATE_WITHDRAWN, call.GetReason(), c.Time
	records.Set(c.View, place, r)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_RecordWithdrawn{
		RecordWithdrawn: &recordv1.Withdrawn{Digest: place.digest[:], Recorder: c.Actor[:]},
	}})
	return nil
}
