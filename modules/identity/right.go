package identity

import (
	"bytes"
	"fmt"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// delegate passes the actor's right on. What it passed on before it may give another end and depth.
func (m *Module) delegate(c *exec.Context, call *identityv1.Delegate) error {
	own, err := m.mustHold(c.View, call.GetSchema(), c.Actor, c.Time)
	if err != nil {
		return err
	}
	if call.GetDepth() >= own.GetDepth() {
		return fault.New("identity.too_deep", fmt.Sprintf("The right of %s may be passed on %s; whoever gets it from there may pass it on less often than that.", c.Actor, times(own.GetDepth())),
			"schema", call.GetSchema(), "holder", c.Actor, "depth", own.GetDepth())
	}
	if call.GetEndsAt() > own.GetEndsAt() {
		return fault.New("identity.bad_end", "Nobody can give a right for longer than they have it.", "ends_at", call.GetEndsAt(), "own_ends_at", own.GetEndsAt())
	}
	return m.grant(c, &identityv1.Give{Schema: call.GetSchema(), Holder: call.GetHolder(), EndsAt: call.GetEndsAt(), Depth: call.GetDepth()}, c.Actor[:])
}

func times(n uint32) string {
	switch n {
	case 0:
		return "by nobody"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// grant gives a right; an empty giver stands for the members. A right that holds keeps its beginning, so what rests on it stays.
func (m *Module) grant(c *exec.Context, call *identityv1.Give, giver []byte) error {
	if _, err := findSchema(c.View, call.GetSchema()); err != nil {
		return err
	}
	holder, err := toAddress("holder", call.GetHolder())
	if err != nil {
		return err
	}
	if err := m.mustBeOrganisation(c.View, holder); err != nil {
		return err
	}
	if bytes.Equal(giver, holder[:]) {
		return fault.New("identity.own", "Nobody gives themselves a right.", "holder", holder)
	}
	if err := checkEnd(c.Time, call.GetEndsAt()); err != nil {
		return err
	}
	id := RightID{call.GetSchema(), holder}
	r := &identityv1.Right{Giver: giver, SinceAt: c.Time, EndsAt: call.GetEndsAt(), Depth: call.GetDepth(), Tx: c.Tx[:]}
	if m.RightAt(c.View, id, c.Time) == nil {
		old, _ := rights.Get(c.View, id)
		if len(giver) > 0 && !bytes.Equal(old.GetGiver(), giver) {
			return fault.New("identity.right_held", holder.String()+" has the right to issue "+id.Schema+" from "+giverName(old.GetGiver())+
				" already, and it cannot be taken over. Give it when that has ended.", "schema", id.Schema, "holder", holder)
		}
		r.SinceAt = old.GetSinceAt()
	}
	rights.Set(c.View, id, r)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityRightGiven{
		IdentityRightGiven: &identityv1.RightGiven{Schema: id.Schema, Holder: holder[:], Giver: giver, EndsAt: r.EndsAt, Depth: r.Depth},
	}})
	return nil
}

func giverName(giver []byte) string {
	if len(giver) != len(tx.Address{}) {
		return "the members"
	}
	return tx.Address(giver).String()
}

// revoke takes a right back, by who gave it or who has it.
func (m *Module) revoke(c *exec.Context, call *identityv1.Revoke) error {
	id, r, err := held(c, call)
	if err != nil {
		return err
	}
	if !bytes.Equal(r.GetGiver(), c.Actor[:]) && id.Holder != c.Actor {
		return fault.New("identity.not_entitled", "Only "+giverName(r.GetGiver())+", who gave the right to "+id.Holder.String()+", or itself may end it.",
			"schema", id.Schema, "holder", id.Holder, "actor", c.Actor)
	}
	takeBack(c, id, r, call.GetReason(), c.Actor[:])
	return nil
}

// held returns a right that was given and not taken back.
func held(c *exec.Context, call *identityv1.Revoke) (id RightID, r *identityv1.Right, err error) {
	if id.Holder, err = toAddress("holder", call.GetHolder()); err != nil {
		return id, nil, err
	}
	if err := checkReason(call.GetReason()); err != nil {
		return id, nil, err
	}
	id.Schema = call.GetSchema()
	r, ok := rights.Get(c.View, id)
	if !ok || r.GetRevokedAt() != 0 || r.GetEndsAt() <= c.Time {
		return id, nil, fault.New("identity.no_right", id.Holder.String()+" has no right to issue "+clipped(id.Schema)+" that could be taken back.", "schema", clipped(id.Schema), "holder", id.Holder)
	}
	return id, r, nil
}

func takeBack(c *exec.Context, id RightID, r *identityv1.Right, why identityv1.Reason, by []byte) {
	r.RevokedAt, r.Reason = c.Time, why
	rights.Set(c.View, id, r)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityRightRevoked{
		IdentityRightRevoked: &identityv1.RightRevoked{Schema: id.Schema, Holder: id.Holder[:], RevokedBy: by, Reason: why},
	}})
}

// mustHold returns the right of an organisation to issue a schema, which holds at a time.
func (m *Module) mustHold(g state.Getter, schema string, holder tx.Address, at int64) (*identityv1.Right, error) {
	if _, err := findSchema(g, schema); err != nil {
		return nil, err
	}
	id := RightID{schema, holder}
	if err := m.RightAt(g, id, at); err != nil {
		return nil, err
	}
	r, _ := rights.Get(g, id)
	return r, nil
}

// RightAt says why an organisation has no right to issue a schema at a time, in unix milliseconds, or nil if it has. A right holds while every right
// above it does, up to the members': each was given before the one below it and may be passed on more often. So a right that was lost and given
// anew brings back nothing that rested on the old one, and rights never go round in a ring. Code identity.no_right.
func (m *Module) RightAt(g state.Getter, id RightID, at int64) error {
	below := (*identityv1.Right)(nil)
	for holder := id.Holder; ; {
		r, ok := rights.Get(g, RightID{id.Schema, holder})
		if why := m.broken(g, holder, r, ok, below, at); why != "" {
			return fault.New("identity.no_right", id.Holder.String()+" has no right to issue "+clipped(id.Schema)+": "+why+".", "schema", clipped(id.Schema), "holder", id.Holder)
		}
		if len(r.GetGiver()) == 0 {
			return nil
		}
		holder, below = tx.Address(r.GetGiver()), r
	}
}

// broken says why a link of a chain of rights does not hold, or "". below is the right that was passed on from it, nil for the last.
func (m *Module) broken(g state.Getter, holder tx.Address, r *identityv1.Right, ok bool, below *identityv1.Right, at int64) string {
	switch {
	case !ok:
		return "nobody gave one to " + holder.String()
	case at < r.GetSinceAt():
		return holder.String() + " did not have it yet"
	case at >= r.GetEndsAt():
		return "that of " + holder.String() + " has ended"
	case r.GetRevokedAt() != 0 && at >= r.GetRevokedAt():
		return "that of " + holder.String() + " was taken back"
	case below != nil && below.GetSinceAt() < r.GetSinceAt():
		return "that of " + holder.String() + ", which it rested on, was lost and given anew"
	case below != nil && below.GetDepth() >= r.GetDepth():
		return "that of " + holder.String() + ", which it rests on, may not be passed on so often any more"
	case !m.wasOrganisation(g, holder, r.GetSinceAt(), at):
		return holder.String() + " is no organisation any more, or has not been one since"
	}
	return ""
}

// wasOrganisation says whether an account was an organisation from a time to another without a break. Who is admitted or dismissed after the
// first of them was none in between. Of a member only now is known.
func (m *Module) wasOrganisation(g state.Getter, a tx.Address, since, at int64) bool {
	o, ok := organisations.Get(g, a)
	switch {
	case ok && o.GetSinceAt() > since:
		return false
	case ok && o.GetDismissedAt() > since:
		return at < o.GetDismissedAt()
	}
	return m.members.IsMember(g, a) || ok && o.GetSinceAt() != 0 && o.GetDismissedAt() == 0
}
