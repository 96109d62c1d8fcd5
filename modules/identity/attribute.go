package identity

import (
	"fmt"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

// attest puts a fact about an account on the ledger, or changes when one ends.
func (m *Module) attest(c *exec.Context, call *identityv1.Attest) error {
	right, err := m.mustHold(c.View, call.GetSchema(), c.Actor, c.Time)
	if err != nil {
		return err
	}
	a, err := m.account(c.View, "account", call.GetAccount())
	if err != nil {
		return err
	}
	s, _ := schemas.Get(c.View, call.GetSchema())
	if !isFact(s, call.GetValue()) {
		return noFact(call.GetSchema())
	}
	if err := checkEnd(c.Time, call.GetEndsAt()); err != nil {
		return err
	}
	if call.GetEndsAt() > right.GetEndsAt() {
		return fault.New("identity.bad_end", "A fact ends no later than the right of who attests it.", "ends_at", call.GetEndsAt(), "right_ends_at", right.GetEndsAt())
	}
	id := FactID{a, call.GetSchema(), call.GetValue(), c.Actor}
	fact := &identityv1.Attribute{SinceAt: c.Time, EndsAt: call.GetEndsAt(), Tx: c.Tx[:]}
	switch old, ok := facts.Get(c.View, id); {
	case ok && m.FactAt(c.View, id, old, c.Time) == nil:
		fact.SinceAt = old.GetSinceAt()
	case !ok:
		if err := m.room(c.View, id, c.Time); err != nil {
			return err
		}
	}
	facts.Set(c.View, id, fact)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityAttested{
		IdentityAttested: &identityv1.Attested{Account: a[:], Issuer: c.Actor[:], Schema: id.Schema, Value: id.Value, EndsAt: fact.EndsAt},
	}})
	return nil
}

func noFact(schema string) error {
	return fault.New("identity.no_fact", "The schema "+schema+" has no such value for a fact on the ledger. What it may be is in the schema: a choice, or nothing.", "schema", schema)
}

// room makes room for one more fact of a schema about an account: the first of those that do not hold any more gives way.
func (m *Module) room(v *state.View, id FactID, now int64) error {
	var over *FactID
	n := 0
	AscendFacts(v, id.Account, id.Schema, func(other FactID, a *identityv1.Attribute) bool {
		if n++; over == nil && m.FactAt(v, other, a, now) != nil {
			over = &other
		}
		return true
	})
	switch {
	case n < MaxFacts:
		return nil
	case over == nil:
		return fault.New("identity.too_many_facts", fmt.Sprintf("%s has %d facts of the schema %s, the most there can be. One must end or be withdrawn first.", id.Account, n, id.Schema),
			"account", id.Account, "schema", id.Schema)
	}
	facts.Delete(v, *over)
	return nil
}

// withdraw ends a fact that the actor attested. That needs no right to issue: who lost it may still take back what they said.
func (m *Module) withdraw(c *exec.Context, call *identityv1.Withdraw) error {
	a, err := toAddress("account", call.GetAccount())
	if err != nil {
		return err
	}
	if err := checkReason(call.GetReason()); err != nil {
		return err
	}
	id := FactID{a, call.GetSchema(), call.GetValue(), c.Actor}
	fact, ok := facts.Get(c.View, id)
	if !ok || fact.GetWithdrawnAt() != 0 || fact.GetEndsAt() <= c.Time {
		return fault.New("identity.unknown_fact", c.Actor.String()+" attests no such fact of "+a.String()+", or not any more.", "account", a, "schema", clipped(id.Schema), "issuer", c.Actor)
	}
	fact.WithdrawnAt, fact.Reason = c.Time, call.GetReason()
	facts.Set(c.View, id, fact)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityAttributeWithdrawn{
		IdentityAttributeWithdrawn: &identityv1.AttributeWithdrawn{Account: a[:], Issuer: c.Actor[:], Schema: id.Schema, Value: id.Value, Reason: call.GetReason()},
	}})
	return nil
}

// FactAt says why a fact does not hold at a time, in unix milliseconds, or nil if it does: from when it was attested until it ends, is withdrawn, or
// its issuer loses the right to the schema. Codes identity.fact_over, identity.no_right.
func (m *Module) FactAt(g state.Getter, id FactID, a *identityv1.Attribute, at int64) error {
	why := ""
	switch {
	case at < a.GetSinceAt():
		why = "it was not attested yet"
	case at >= a.GetEndsAt():
		why = "it has ended"
	case a.GetWithdrawnAt() != 0 && at >= a.GetWithdrawnAt():
		why = "its issuer withdrew it"
	}
	if why != "" {
		return fault.New("identity.fact_over", "The fact does not hold: "+why+".", "account", id.Account, "schema", id.Schema, "issuer", id.Issuer)
	}
	right := RightID{id.Schema, id.Issuer}
	if err := m.RightAt(g, right, at); err != nil {
		return err
	}
	if r, _ := rights.Get(g, right); r.GetSinceAt() > a.GetSinceAt() {
		return fault.New("identity.no_right", id.Issuer.String()+" lost the right to issue "+id.Schema+" after it attested this, and got it anew.", "schema", id.Schema, "holder", id.Issuer)
	}
	return nil
}
